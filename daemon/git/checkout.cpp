#include "daemon/git/checkout.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <map>

#include "daemon/base/strings.h"
#include "daemon/earthfile/git_facts.h"
#include "daemon/git/failure.h"
#include "daemon/sys/files.h"

namespace ingot::git {

namespace {

namespace fs = std::filesystem;
using base::fail;

constexpr unsigned kDeepestSubmodules = 10;
constexpr const char* kEverything = "+refs/*:refs/all/*";

// Of what `ls-tree -r -l -z` prints: "100644 blob <id>    <size>\t<path>".
struct TreeEntry {
  std::string mode;
  std::string id;
  std::uint64_t size = 0;
  std::string path;
};

TreeEntry read_entry(std::string_view record) {
  TreeEntry entry;
  const std::size_t tab = std::min(record.find('\t'), record.size());
  entry.path = tab < record.size() ? record.substr(tab + 1) : "";
  std::vector<std::string> words;
  for (auto& word : base::split(record.substr(0, tab), ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (words.size() < 4) return entry;
  entry.mode = words[0];
  entry.id = words[2];
  std::from_chars(words[3].data(), words[3].data() + words[3].size(), entry.size);
  return entry;
}

// "../other.git" seen from the repository that says it, else the URL itself.
std::string submodule_url(const Url& parent, const std::string& url) {
  if (!url.starts_with("./") && !url.starts_with("../")) return url;
  std::string path = parent.path;
  std::string rest = url;
  while (rest.starts_with("./") || rest.starts_with("../")) {
    if (rest.starts_with("../")) path = path.find('/') == std::string::npos ? "" : path.substr(0, path.rfind('/'));
    rest = rest.substr(rest.find('/') + 1);
  }
  Url other = parent;
  other.path = path.empty() ? rest : path + "/" + rest;
  return other.text();
}

Status set_time(const fs::path& path, time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0) return {};
  return base::fail_errno(errno, "cannot set the time of " + path.filename().string());
}

Status write_file(const fs::path& path, const std::string& text) {
  INGOT_TRY(auto file, sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return sys::write_all(file.get(), text);
}

}  // namespace

Result<Program::Said> Checkout::run(const Place& place, const Access& access,
                                    const std::vector<std::string>& arguments) const {
  Program::Setting setting;
  setting.location = &place.location;
  setting.credentials = access.credentials;
  setting.ssh = access.ssh ? &*access.ssh : nullptr;
  setting.repository = place.git;
  auto looked = std::chrono::steady_clock::now();
  const auto watch = [&](const std::string&) {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked < std::chrono::milliseconds(200)) return true;
    looked = now;
    return sys::bytes_below(place.git) <= limits_.total_bytes;
  };
  return program_.run(setting, arguments, cancel_, watch);
}

// Of what is there already: nothing is fetched for it.
Result<std::string> Checkout::ask(const Place& place, const std::vector<std::string>& arguments) const {
  Program::Setting setting;
  setting.repository = place.git;
  INGOT_TRY(auto said, program_.run(setting, arguments, cancel_));
  if (said.status.ok()) return std::move(said.out);
  return fail(failure("cannot read", place.location, said.err, false));
}

Result<bool> Checkout::has(const Place& place, const std::string& commit) const {
  Program::Setting setting;
  setting.repository = place.git;
  INGOT_TRY(const auto said, program_.run(setting, {"cat-file", "-e", commit + "^{commit}"}, cancel_));
  return said.status.ok();
}

// The commit alone, if the host gives it; else what had it, alone; else everything.
Status Checkout::fetch(const Place& place, const graph::GitOp& op) const {
  const std::vector<std::string> common = {"fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--force"};
  std::vector<std::vector<std::string>> ways = {{"--depth=1", "--", place.location.fetched, op.commit}};
  if (!op.ref.empty()) ways.push_back({"--depth=1", "--", place.location.fetched, op.ref});
  ways.push_back({"--", place.location.fetched, kEverything});
  INGOT_TRY(const auto access, means_.access_to(place.location));
  const bool has_credentials = access.credentials != nullptr;
  Program::Said said;
  for (const auto& way : ways) {
    std::vector<std::string> arguments = common;
    arguments.insert(arguments.end(), way.begin(), way.end());
    auto ran = run(place, access, arguments);
    if (!ran && ran.error().kind == ErrorKind::too_large) {
      return fail(ErrorKind::too_large,
                  fmt::format("the repository {} is larger than {}", base::printable(place.location.name),
                              base::human_bytes(limits_.total_bytes)),
                  "limits.context_total in the daemon's configuration sets it");
    }
    if (!ran) return fail(ran.error());
    said = std::move(*ran);
    INGOT_TRY(const bool is_there, has(place, op.commit));
    if (is_there) return {};
    // Who is not let in, or does not answer, is not asked in other ways.
    if (said.status.timed_out) break;
    if (said.status.ok()) continue;
    const Error why = failure("cannot fetch", place.location, said.err, has_credentials);
    if (why.kind == ErrorKind::denied || why.kind == ErrorKind::no_space) return fail(why);
  }
  if (!said.status.ok()) {
    return fail(failure("cannot fetch", place.location, said.err, has_credentials));
  }
  return fail(ErrorKind::not_found,
              fmt::format("the repository {} has no commit {}", base::printable(place.location.name),
                          base::printable(op.commit)),
              "check its digits; a commit that no branch and no tag leads to is not given by every host");
}

Result<std::vector<Checkout::Submodule>> Checkout::list(const Place& place, const std::string& commit) {
  INGOT_TRY(const auto listing, ask(place, {"ls-tree", "-r", "-l", "-z", "--full-tree", commit}));
  std::vector<Submodule> submodules;
  for (const auto& record : base::split(listing, '\0')) {
    if (record.empty()) continue;
    TreeEntry entry = read_entry(record);
    ++entries_;
    bytes_ += entry.size;
    if (entries_ > limits_.entries || bytes_ > limits_.total_bytes || entry.size > limits_.file_bytes) {
      return fail(ErrorKind::too_large,
                  fmt::format("the repository {} is too large: at most {} files, {} each, {} together",
                              base::printable(place.location.name), limits_.entries,
                              base::human_bytes(limits_.file_bytes), base::human_bytes(limits_.total_bytes)),
                  "limits.context_entries, .context_file and .context_total in the daemon's configuration set it");
    }
    if (entry.mode == "160000") submodules.push_back({std::move(entry.path), std::move(entry.id)});
  }
  return submodules;
}

Status Checkout::write_git_directory(const Place& place, const graph::GitOp& op) const {
  INGOT_TRY(const auto details, ask(place, {"show", "-s", "--no-show-signature",
                                            std::string("--format=") + earthfile::kDetailsFormat, op.commit}));
  std::error_code ignored;
  // What names the place that it was fetched from, and who did.
  for (const char* name :
       {"FETCH_HEAD", "hooks", "info", "branches", "description", "logs", "refs/all", "packed-refs"}) {
    fs::remove_all(place.git / name, ignored);
  }
  const bool sha256 = op.commit.size() == 64;
  std::string config =
      fmt::format("[core]\n\trepositoryformatversion = {}\n\tfilemode = true\n\tbare = false\n", sha256 ? 1 : 0);
  if (sha256) config += "[extensions]\n\tobjectformat = sha256\n";
  config += "[remote \"origin\"]\n\turl = \"" + op.url + "\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n";
  INGOT_CHECK(write_file(place.git / "config", config));
  INGOT_CHECK(write_file(place.git / "HEAD", op.commit + "\n"));
  if (!op.tag.empty()) {
    INGOT_TRY(auto unused, ask(place, {"update-ref", "--", "refs/tags/" + op.tag, op.commit}));
  }
  return write_file(place.git / fs::path(kDetailsFile).filename(), details);
}

Status Checkout::put_files(const Place& place, const graph::GitOp& op, unsigned depth) {
  Program::Setting setting;
  const std::string format = op.commit.size() == 64 ? "sha256" : "sha1";
  INGOT_TRY(const auto made, program_.run(setting,
                                          {"init", "--quiet", "--bare", "--template=", "--initial-branch=main",
                                           "--object-format=" + format, "--", place.git.string()},
                                          cancel_));
  if (!made.status.ok()) return fail(failure("cannot prepare", place.location, made.err, false));
  INGOT_CHECK(fetch(place, op));
  INGOT_TRY(const auto submodules, list(place, op.commit));
  INGOT_TRY(auto unused, ask(place, {"read-tree", op.commit}));
  INGOT_TRY(unused, ask(place, {"--work-tree=" + place.tree.string(), "-c", "core.bare=false", "checkout-index",
                                "--all", "--force", "--prefix=" + place.tree.string() + "/"}));
  return put_submodules(place, op, submodules, depth);
}

// As `git submodule update --init --recursive` does: those of which .gitmodules says where they are.
Status Checkout::put_submodules(const Place& place, const graph::GitOp& op, const std::vector<Submodule>& submodules,
                                unsigned depth) {
  if (submodules.empty()) return {};
  Program::Setting setting;
  setting.repository = place.git;
  INGOT_TRY(const auto said,
            program_.run(setting, {"config", "--blob", op.commit + ":.gitmodules", "--list", "-z"}, cancel_));
  std::map<std::string, std::string> values;  // "submodule.name.path" and ".url"
  for (const auto& record : base::split(said.out, '\0')) {
    const std::size_t end = record.find('\n');
    if (end != std::string::npos) values[record.substr(0, end)] = record.substr(end + 1);
  }
  for (const auto& submodule : submodules) {
    std::string url;
    for (const auto& [key, value] : values) {
      constexpr std::string_view kPath = ".path";
      if (!key.ends_with(kPath) || value != submodule.path) continue;
      url = values[key.substr(0, key.size() - kPath.size()) + ".url"];
    }
    if (url.empty()) continue;  // git leaves it empty, too
    const std::string context =
        "in the submodule " + base::printable(submodule.path) + " of " + base::printable(place.location.name);
    if (depth >= kDeepestSubmodules)
      return fail(ErrorKind::too_large, "submodules stand in each other too deep, " + context);
    const auto put = [&]() -> Status {
      INGOT_TRY(const auto location, locate_(submodule_url(place.location.named, url)));
      INGOT_TRY(auto scratch, sys::TempDir::create(place.git, "submodule-"));
      const Place inner{location, scratch.path() / "git", place.tree / submodule.path};
      INGOT_CHECK(sys::make_directories(inner.tree));
      return put_files(inner, {location.named.text(), submodule.commit, "", ""}, depth + 1);
    };
    if (auto done = put(); !done) return fail(base::with_context(done.error(), context));
  }
  return {};
}

// All of it has the commit's time, and modes of which git keeps only whether a file is a program.
Status Checkout::make_reproducible(const fs::path& directory, const std::string& time) const {
  time_t seconds = 0;
  std::from_chars(time.data(), time.data() + time.size(), seconds);
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    struct stat status {};
    if (lstat(entry->path().c_str(), &status) != 0) return base::fail_errno(errno, "cannot look at a checkout's file");
    if (!S_ISLNK(status.st_mode)) {
      const bool runs = S_ISDIR(status.st_mode) || (status.st_mode & S_IXUSR) != 0;
      if (chmod(entry->path().c_str(), runs ? 0755 : 0644) != 0) return base::fail_errno(errno, "cannot set a mode");
    }
    INGOT_CHECK(set_time(entry->path(), seconds));
  }
  if (error) return base::fail_errno(error.value(), "cannot walk through a checkout");
  return set_time(directory, seconds);
}

Status Checkout::make(const graph::GitOp& op, const fs::path& directory) {
  INGOT_TRY(const auto location, locate_(op.url));
  const Place place{location, directory / ".git", directory};
  INGOT_CHECK(put_files(place, op, 0));
  INGOT_CHECK(write_git_directory(place, op));
  INGOT_TRY(const auto details, sys::read_file(directory / kDetailsFile));
  return make_reproducible(directory, details.substr(0, details.find('\n')));
}

}  // namespace ingot::git
