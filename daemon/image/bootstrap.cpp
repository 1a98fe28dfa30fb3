#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "daemon/base/strings.h"
#include "daemon/image/program_output.h"
#include "daemon/image/source.h"
#include "daemon/sys/binfmt.h"

namespace ingot::image {

namespace {

using base::fail;

struct Suite {
  std::string_view distribution;
  std::string_view tag;
  std::string_view suite;
};

// Tags as Docker's official images have them, to the suites of the distributions' mirrors.
constexpr std::array<Suite, 24> kSuites = {
    {{"debian", "latest", "bookworm"}, {"debian", "stable", "bookworm"},   {"debian", "10", "buster"},
     {"debian", "buster", "buster"},   {"debian", "11", "bullseye"},       {"debian", "bullseye", "bullseye"},
     {"debian", "12", "bookworm"},     {"debian", "bookworm", "bookworm"}, {"debian", "13", "trixie"},
     {"debian", "trixie", "trixie"},   {"debian", "testing", "testing"},   {"debian", "sid", "sid"},
     {"debian", "unstable", "sid"},    {"ubuntu", "latest", "noble"},      {"ubuntu", "20", "focal"},
     {"ubuntu", "20.04", "focal"},     {"ubuntu", "focal", "focal"},       {"ubuntu", "22", "jammy"},
     {"ubuntu", "22.04", "jammy"},     {"ubuntu", "jammy", "jammy"},       {"ubuntu", "24", "noble"},
     {"ubuntu", "24.04", "noble"},     {"ubuntu", "noble", "noble"},       {"ubuntu", "rolling", "noble"}}};

Result<std::string> find_suite(const Fetch& fetch) {
  if (auto named = fetch.option("suite"); !named.empty()) return named;
  const std::string distribution = fetch.reference.familiar_name();
  std::string tag = fetch.reference.tag;
  // debian:bookworm-slim, debian:12.5-slim and debian:bookworm-20250520 are all a bookworm.
  if (std::size_t dash = tag.find('-'); dash != std::string::npos) tag.resize(dash);
  std::vector<std::string> tags;
  for (const auto& row : kSuites) {
    if (row.distribution != distribution) continue;
    const bool point_release = distribution == "debian" && tag.starts_with(std::string(row.tag) + ".");
    if (row.tag == tag || point_release) return std::string(row.suite);
    tags.emplace_back(row.tag);
  }
  if (tags.empty()) {
    return fail(ErrorKind::unsupported, "bootstrap knows debian and ubuntu names, not \"" + distribution + "\"",
                "give the rule an option suite");
  }
  std::string hint = base::did_you_mean(tag, tags);
  return fail(ErrorKind::not_found, distribution + " has no release \"" + fetch.reference.tag + "\"",
              hint.empty() ? "known: " + base::join(tags, ", ") : hint);
}

// As Debian calls it.
std::string architecture_of(const base::Platform& platform) {
  if (platform.architecture == "386") return "i386";
  if (platform.architecture == "arm") return platform.variant == "v7" ? "armhf" : "armel";
  if (platform.architecture == "ppc64le") return "ppc64el";
  if (platform.architecture == "mips64le") return "mips64el";
  return platform.architecture;
}

// Packages are configured by their own programs; only what is merely unpacked needs none.
Status check_can_configure(const Fetch& fetch) {
  const std::string variant = fetch.option("variant");
  if (variant == "extract" || variant == "custom") return {};
  INGOT_TRY(const auto interpreter, sys::Binfmt().interpreter_for(fetch.platform));
  if (interpreter.empty()) return {};
  return fail(ErrorKind::unsupported,
              "this host runs programs for " + fetch.platform.text() + " by " + interpreter +
                  ", which a new file system does not have",
              "register the handler with the flag F, as the package qemu-user-static does");
}

// When passwords were set: the day on which this was made. Day 0 would mean that the password has to be changed.
Status forget_days_of_passwords(const store::fs::path& shadow) {
  constexpr const char* kSomeDay = "19000";
  if (access(shadow.c_str(), F_OK) != 0) return {};
  INGOT_TRY(const auto text, sys::read_file(shadow));
  auto lines = base::split(text, '\n');
  for (auto& line : lines) {
    auto fields = base::split(line, ':');
    if (fields.size() < 3) continue;
    fields[2] = kSomeDay;
    line = base::join(fields, ":");
  }
  // Written over, so that owner and mode stay.
  INGOT_TRY(const auto file, sys::open_file(shadow, O_WRONLY | O_TRUNC));
  return sys::write_all(file.get(), base::join(lines, "\n"));
}

// What of the host or of this one bootstrap would make two images of the same packages differ, or leak into a step.
Status tidy(const store::fs::path& root) {
  for (const char* name :
       {"etc/resolv.conf", "etc/hostname", "var/cache/ldconfig/aux-cache", "var/log/dpkg.log",
        "var/log/alternatives.log", "var/log/bootstrap.log", "var/log/apt/history.log", "var/log/apt/term.log",
        "var/log/apt/eipp.log.xz", "etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-"}) {
    INGOT_CHECK(sys::remove_tree(root / name));
  }
  if (access((root / "etc").c_str(), F_OK) == 0) {
    INGOT_CHECK(sys::write_file_durably(root / "etc/machine-id", "", 0644));
  }
  return forget_days_of_passwords(root / "etc/shadow");
}

sys::Command make_command(const Fetch& fetch, const std::string& suite, const store::fs::path& root) {
  sys::Command command;
  // In a pid namespace of its own: when the outer process is killed, so is all that it started.
  command.argv = {"unshare", "--mount", "--pid", "--fork", "--kill-child", "mmdebstrap", "--mode=root"};
  command.argv.push_back("--variant=" + fetch.option("variant", "minbase"));
  if (auto include = fetch.option("include"); !include.empty()) command.argv.push_back("--include=" + include);
  if (fetch.platform != base::native_platform()) {
    command.argv.push_back("--architectures=" + architecture_of(fetch.platform));
  }
  command.argv.push_back(suite);
  command.argv.push_back(root);
  if (auto mirror = fetch.option("mirror"); !mirror.empty()) command.argv.push_back(mirror);
  return command;
}

// What mmdebstrap, or apt below it, says before it gives up.
class Complaints {
 public:
  void hear(const std::string& line) {
    last_ = line;
    if (line.find("NO_PUBKEY") != std::string::npos) key_is_missing_ = true;
    // The first says why, the others what did not happen because of it.
    if (first_error_.empty() && line.starts_with("E: ")) first_error_ = line.substr(3);
  }

  tl::unexpected<Error> failure(const std::string& suite, int code) const {
    constexpr int kNotFound = 127;
    if (code == kNotFound && last_.find("failed to execute mmdebstrap") != std::string::npos) {
      return fail(ErrorKind::unsupported, "mmdebstrap is not installed", "install the package mmdebstrap");
    }
    std::string hint = "check that the host reaches its package mirror, or give the rule an option mirror";
    if (key_is_missing_) {
      hint =
          "the host does not have the keys of this distribution: install its keyring package (ubuntu-keyring, "
          "debian-archive-keyring)";
    }
    if (first_error_.starts_with("install arch-test")) {
      hint = "for other architectures mmdebstrap needs the package arch-test: install it";
    }
    const std::string& reason = first_error_.empty() ? last_ : first_error_;
    return fail(ErrorKind::unavailable,
                fmt::format("mmdebstrap of {} ended with status {}{}{}", suite, code, reason.empty() ? "" : ": ",
                            excerpt(reason)),
                hint);
  }

 private:
  std::string first_error_;
  std::string last_;
  bool key_is_missing_ = false;
};

}  // namespace

Result<Fetched> fetch_by_bootstrap(const Fetch& fetch) {
  if (!fetch.reference.digest.empty()) {
    return fail(ErrorKind::unsupported, "a bootstrap makes no image with a given digest", "name the image by its tag");
  }
  INGOT_TRY(std::string suite, find_suite(fetch));
  INGOT_CHECK(check_can_configure(fetch));
  INGOT_TRY(auto layer, fetch.snapshots.begin(std::nullopt));
  fetch.progress("bootstrapping " + suite + " from its package mirror");
  Complaints complaints;
  auto hear = [&](const std::string& line) {
    complaints.hear(line);
    if (line.starts_with("I: ")) fetch.progress(base::printable(line.substr(3)));
  };
  LineCutter out(hear);
  LineCutter err(hear);
  auto sink = [&](sys::Stream stream, std::string_view bytes) { (stream == sys::Stream::out ? out : err).feed(bytes); };
  INGOT_TRY(auto status, fetch.processes.run(make_command(fetch, suite, layer.upper()), sink, fetch.cancel));
  out.finish();
  err.finish();
  if (status.canceled) return fail(ErrorKind::canceled, "canceled");
  if (!status.ok()) return complaints.failure(suite, status.code);
  INGOT_CHECK(tidy(layer.upper()));
  Fetched fetched;
  fetched.source = "bootstrap " + suite;
  if (fetch.platform != base::native_platform()) fetched.source += " " + architecture_of(fetch.platform);
  fetched.config.env = {{"PATH", kDefaultPath}};
  fetched.config.cmd = {"bash"};
  INGOT_TRY(fetched.snapshot, fetch.snapshots.commit(std::move(layer)));
  return fetched;
}

}  // namespace ingot::image
