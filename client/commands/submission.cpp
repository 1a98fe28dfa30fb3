#include "client/commands/submission.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <set>

#include "client/commands/ask.h"
#include "client/commands/common.h"
#include "client/commands/edge_checks.h"
#include "client/commands/git.h"
#include "client/commands/project_names.h"
#include "client/commands/recipe_warnings.h"
#include "client/commands/secrets.h"
#include "client/locally/agent.h"
#include "daemon/base/platform.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/sys/in_memory.h"
#include "daemon/sys/temp_dir.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using Values = std::map<std::string, std::string>;

Result<Values> pairs(const std::vector<std::string>& texts, const std::string& flag) {
  Values values;
  for (const auto& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorKind::usage, flag + " takes KEY=VALUE, not \"" + base::printable(text) + "\"");
    }
    values[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return values;
}

// `.arg`, then --build-arg, then what stands behind the target; the later wins.
Result<Values> collect_args(const Invocation& invocation, const fs::path& project) {
  Values args;
  const bool named = invocation.has("--arg-file-path");
  const fs::path file = invocation.value("--arg-file-path", project / ".arg");
  auto text = sys::read_file(file, 1U << 20);
  if (text) {
    INGOT_TRY(args, earthfile::parse_dotenv(*text, named ? file.string() : ".arg"));
  } else if (named || text.error().kind != ErrorKind::not_found) {
    return fail(text.error());
  }
  for (const auto& given : invocation.values("--build-arg")) {
    const std::size_t equals = given.find('=');
    if (equals != std::string::npos) {
      args[given.substr(0, equals)] = given.substr(equals + 1);
    } else if (const char* value = std::getenv(given.c_str())) {
      args[given] = value;
    } else {
      return fail(ErrorKind::usage, fmt::format("--build-arg {0}: the environment has no {0}", base::printable(given)),
                  "write NAME=VALUE");
    }
  }
  for (std::size_t i = 1; i < invocation.words.size(); ++i) {
    const std::string& word = invocation.words[i];
    const std::size_t equals = word.find('=');
    const bool stands_apart = word.starts_with("--") && word.size() > 2 && equals == std::string::npos &&
                              i + 1 < invocation.words.size() && !invocation.words[i + 1].starts_with("--");
    if (stands_apart) {
      args[word.substr(2)] = invocation.words[++i];
      continue;
    }
    if (!word.starts_with("--") || equals == std::string::npos || equals < 3) {
      return fail(ErrorKind::usage,
                  "behind the target stand only --NAME=value arguments, not \"" + base::printable(word) + "\"",
                  "write the value behind an equals sign; flags of ingot itself stand before the target");
    }
    args[word.substr(2, equals - 2)] = word.substr(equals + 1);
  }
  return args;
}

Status check_target(const std::string& target) {
  if (target.starts_with('+') && target.size() > 1) return {};
  return fail(ErrorKind::usage, "\"" + base::printable(target) + "\" is no target",
              target.find('+') == std::string::npos ? "did you mean \"+" + base::printable(target) + "\"?"
                                                    : "targets of other directories: use -C DIR and +target");
}

Result<std::string> find_target(const Invocation& invocation) {
  INGOT_CHECK(need_words(invocation, "a target"));
  const std::string& target = invocation.words.front();
  if (!proto::names_repository(target)) INGOT_CHECK(check_target(target));
  return target;
}

// --no-cache alone is for the whole job, with a target for that one.
Status read_no_cache(const Invocation& invocation, proto::JobSpec& spec) {
  for (const auto& target : invocation.values("--no-cache")) {
    if (target.empty()) {
      spec.no_cache = true;
      continue;
    }
    if (auto known = check_target(target); !known) return fail(base::with_context(known.error(), "in --no-cache"));
    spec.no_cache_targets.push_back(target);
  }
  return {};
}

// "native" is what the daemon's host is, and "user" this one. Several may stand in one word, with commas between.
Status read_platforms(const Invocation& invocation, proto::JobSpec& spec) {
  for (const auto& given : invocation.values("--platform")) {
    for (const auto& text : base::split(given, ',')) {
      if (text == "native") {
        spec.platforms.push_back(text);
        continue;
      }
      auto platform = text == "user" ? Result<base::Platform>(base::native_platform()) : base::parse_platform(text);
      if (!platform) return fail(base::with_context(platform.error(), "in --platform"));
      spec.platforms.push_back(platform->text());
    }
  }
  return {};
}

// What the recipes may ask of git and of this command line; asked only if one of them does.
void read_builtins(const Invocation& invocation, const fs::path& project, const ProjectNames& names,
                   proto::JobSpec& spec) {
  if (names.asks_platform) spec.builtins["USERPLATFORM"] = base::native_platform().text();
  if (!names.asks_builtins) return;
  // What recipes of another repository ask of git is that one's.
  if (!proto::names_repository(spec.target)) {
    auto git = git_builtins(project, sys::system_processes());
    if (!git.warning.empty()) std::fprintf(stderr, "ingot: warning: %s\n", git.warning.c_str());
    spec.builtins.merge(git.values);
  }
  if (invocation.has("--ci")) spec.builtins["EARTHLY_CI"] = "true";
}

ProjectNames names_of(const fs::path& project, const std::string& target) {
  if (!proto::names_repository(target)) return look_at_project(project);
  ProjectNames names;
  names.hosts = {target.substr(0, target.find('/'))};
  names.asks_builtins = true;
  names.may_use_ssh = true;
  return names;
}

// It would be taken for an argument, which is in the job's record.
Status check_no_secret_behind_target(const Invocation& invocation, const fs::path& project) {
  for (std::size_t i = 1; i < invocation.words.size(); ++i) {
    const std::string flag = invocation.words[i].substr(0, invocation.words[i].find('='));
    if (flag != "--secret" && flag != "--secret-file") continue;
    const std::string arg = flag.substr(2);
    if (!proto::names_repository(invocation.words.front()) && args_in_project(project).contains(arg)) continue;
    return fail(
        ErrorKind::usage,
        fmt::format("{} stands behind the target, where the Earthfile's arguments do: it would be no secret", flag),
        fmt::format("write it before the target; an ARG {0} is given by --build-arg {0}=...", arg));
  }
  return {};
}

// Who is told so as a matter of course connects only where a recipe may have a use for it.
bool allows_locally(const Invocation& invocation, const ProjectNames& names) {
  if (!invocation.has("--allow-locally") || invocation.has("--strict")) return false;
  return invocation.value("--allow-locally") != "if-named" || names.may_work_locally;
}

// Only who stays until the job has ended can pass anything on.
bool lends_agent(const Invocation& invocation, const ProjectNames& names) {
  return invocation.command == "build" && names.may_use_ssh && !agent_with_keys().empty();
}

}  // namespace

Status add_git_credentials(const fs::path& project, const std::set<std::string>& hosts, proto::Secrets& secrets) {
  if (hosts.empty()) return {};
  secrets.merge(git_credentials(hosts, project, sys::system_processes()));
  return proto::check(secrets);
}

Result<Prepared> prepare_project(const Invocation& invocation, Daemon& daemon,
                                 const std::function<void(const UploadProgress&)>& progress) {
  Prepared prepared;
  proto::JobSpec& spec = prepared.spec;
  INGOT_TRY(spec.target, find_target(invocation));
  const fs::path project = project_directory(invocation);
  std::error_code error;
  spec.project = fs::canonical(project, error).string();
  if (error) return base::fail_errno(error.value(), "cannot use the project directory " + project.string());
  const bool is_elsewhere = proto::names_repository(spec.target);
  if (!is_elsewhere && access((project / "Earthfile").c_str(), F_OK) != 0) {
    return fail(ErrorKind::not_found, "there is no Earthfile in " + spec.project,
                "run ingot in the directory of your Earthfile, or name it with -C");
  }
  RecipeWarnings warnings(invocation, project, spec.target);
  INGOT_TRY(spec.args, collect_args(invocation, project));
  ProjectNames names = names_of(project, spec.target);
  if (invocation.has("--strict")) INGOT_CHECK(warnings.tell());
  INGOT_CHECK(check_no_secret_behind_target(invocation, project));
  if (!is_elsewhere) {
    const fs::path arg_file = invocation.value("--arg-file-path", project / ".arg");
    INGOT_CHECK(tell_edge_findings(invocation, {project, arg_file, names.args, spec.args, spec.target}));
  }
  INGOT_CHECK(read_no_cache(invocation, spec));
  INGOT_CHECK(read_platforms(invocation, spec));
  spec.push = invocation.has("--push");
  spec.strict = invocation.has("--strict");
  spec.repeatable = spec.strict || invocation.has("--repeatable");
  if (invocation.has("--compression")) {
    const std::string how = invocation.value("--compression");
    const auto compression = proto::compression_from_name(how);
    if (!compression) {
      return fail(ErrorKind::usage, "--compression is gzip, zstd or none, not \"" + base::printable(how) + "\"");
    }
    spec.compression = *compression;
  }
  if (invocation.has("--pull")) {
    const auto policy = proto::pull_policy_from_name(invocation.value("--pull"));
    if (!policy) {
      return fail(ErrorKind::usage,
                  "--pull is missing, always or never, not \"" + base::printable(invocation.value("--pull")) + "\"",
                  base::did_you_mean(invocation.value("--pull"), {"missing", "always", "never"}));
    }
    spec.pull = *policy;
  }
  INGOT_TRY(spec.labels, pairs(invocation.values("--label"), "--label"));
  if (invocation.has("--priority")) {
    const std::string text = invocation.value("--priority");
    auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), spec.priority);
    if (bad != std::errc() || end != text.data() + text.size()) {
      return fail(ErrorKind::usage, "--priority takes a whole number, not \"" + text + "\"");
    }
  }
  if (invocation.has("--timeout")) {
    INGOT_TRY(auto seconds, base::parse_duration(invocation.value("--timeout")));
    spec.timeout_seconds = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(seconds));
  }
  read_builtins(invocation, project, names, spec);
  spec.locally = allows_locally(invocation, names);
  spec.ssh = lends_agent(invocation, names);
  prepared.hosts = std::move(names.hosts);
  // One of our own, so that a submission whose answer was lost can be repeated.
  spec.idempotency_key = invocation.value("--idempotency-key", "ingot-" + base::random_id(20));
  if (!is_elsewhere) {
    // Before the first file goes, if any does.
    const auto sending = [&](const UploadProgress& sent) {
      (void)warnings.tell();
      progress(sent);
    };
    INGOT_TRY(spec.context, upload_project(daemon, project, sending, secret_files(invocation, project)));
    INGOT_CHECK(warnings.tell());
    return prepared;
  }
  // Of this directory the recipe sees nothing.
  INGOT_TRY(const auto empty, sys::TempDir::create(fs::temp_directory_path(error), "ingot-empty-"));
  INGOT_TRY(spec.context, upload_project(daemon, empty.path(), progress));
  return prepared;
}

Result<proto::Job> submit_project(const Invocation& invocation, Daemon& daemon,
                                  const std::function<void(const UploadProgress&)>& progress) {
  // First of all: a person who is asked does not wait for the project to be sent.
  sys::refuse_core_dumps();
  const Ask ask = can_ask() ? Ask(ask_unseen) : Ask();
  INGOT_TRY(auto secrets, collect_secrets(invocation, project_directory(invocation), ask));
  for (const auto& warning : secrets.warnings) std::fprintf(stderr, "ingot: warning: %s\n", warning.c_str());
  INGOT_TRY(const auto prepared, prepare_project(invocation, daemon, progress));
  INGOT_CHECK(add_git_credentials(project_directory(invocation), prepared.hosts, secrets.values));
  return daemon.submit(prepared.spec, secrets.values);
}

}  // namespace ingot::client
