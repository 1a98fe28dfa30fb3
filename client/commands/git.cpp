#include "client/commands/git.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "daemon/base/strings.h"
#include "daemon/base/url_credentials.h"
#include "daemon/earthfile/git_facts.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

// The user's own environment, in which git asks nobody.
std::vector<std::string> silent_environment() {
  constexpr std::string_view kOurs[] = {
      "GIT_TERMINAL_PROMPT=", "GIT_ASKPASS=", "SSH_ASKPASS=", "GIT_OPTIONAL_LOCKS=", "LC_ALL="};
  std::vector<std::string> environment = {"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=",         "SSH_ASKPASS=",
                                          "GCM_INTERACTIVE=never", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const bool ours =
        std::any_of(std::begin(kOurs), std::end(kOurs), [&](auto name) { return text.starts_with(name); });
    if (!ours) environment.emplace_back(text);
  }
  return environment;
}

struct Asked {
  bool ok = false;
  std::string out;
  std::string err;
  bool missing = false;  // git itself
};

class Git {
 public:
  Git(const fs::path& project, sys::ProcessRunner& processes) : project_(project), processes_(processes) {}

  Asked ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "git");
    return run(std::move(arguments), std::chrono::seconds(10));
  }
  // Its first line; "" when git has none to tell.
  std::string line(const std::vector<std::string>& arguments) const {
    const Asked asked = ask(arguments);
    return asked.ok ? asked.out.substr(0, asked.out.find('\n')) : "";
  }
  Asked run(std::vector<std::string> argv, std::chrono::milliseconds timeout) const {
    sys::Command command;
    command.argv = std::move(argv);
    command.environment = silent_environment();
    command.directory = project_.string();
    command.timeout = timeout;
    auto captured = sys::capture(processes_, command);
    if (!captured) return {false, "", "", captured.error().kind == ErrorKind::unsupported};
    return {captured->status.ok(), std::move(captured->out), std::move(captured->err)};
  }

 private:
  const fs::path project_;
  sys::ProcessRunner& processes_;
};

// The last parts of the names of all that points to the commit.
std::vector<std::string> names_of_refs(const std::string& listing) {
  std::vector<std::string> names;
  for (const auto& line : base::split(listing, '\n')) {
    const std::string name(base::trim(line));
    if (name.empty() || name == "HEAD" || std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.push_back(name);
  }
  return names;
}

}  // namespace

GitBuiltins git_builtins(const fs::path& project, sys::ProcessRunner& processes) {
  GitBuiltins found;
  const Git git(project, processes);
  const Asked place = git.ask({"rev-parse", "--show-prefix"});
  if (place.missing) found.warning = "git is not installed: what EARTHLY_GIT_... stand for is empty";
  if (!place.ok) {
    if (place.err.find("dubious ownership") != std::string::npos) {
      found.warning =
          "git does not tell of this project, since it is another user's: what EARTHLY_GIT_... stand for is "
          "empty (git config --global --add safe.directory DIR)";
    }
    return found;
  }
  auto& values = found.values;
  std::string prefix = place.out.substr(0, place.out.find('\n'));
  while (prefix.ends_with('/')) prefix.pop_back();
  const Asked commit =
      git.ask({"show", "-s", "--no-show-signature", std::string("--format=%H%n") + earthfile::kDetailsFormat, "HEAD"});
  if (commit.ok) {
    const std::size_t end = std::min(commit.out.find('\n'), commit.out.size());
    values = earthfile::facts_of_details(commit.out.substr(std::min(end + 1, commit.out.size())));
    values["EARTHLY_GIT_HASH"] = commit.out.substr(0, end);
    values["EARTHLY_GIT_SHORT_HASH"] = git.line({"rev-parse", "--short=8", "HEAD"});
    values["EARTHLY_GIT_BRANCH"] = git.line({"rev-parse", "--abbrev-ref", "HEAD"});
    values["EARTHLY_GIT_TAG"] = git.line({"describe", "--exact-match", "--tags"});
    const Asked refs = git.ask({"for-each-ref", "--points-at", "HEAD", "--format=%(refname:lstrip=-1)"});
    values["EARTHLY_GIT_REFS"] = base::join(names_of_refs(refs.out), " ");
  }
  const std::string url = git.line({"config", "--get", "remote.origin.url"});
  // The job is recorded, and so are its arguments: no token that somebody keeps in a URL.
  values["EARTHLY_GIT_ORIGIN_URL"] = base::without_credentials(url);
  values["EARTHLY_GIT_ORIGIN_URL_SCRUBBED"] = base::without_credentials(url);
  values["EARTHLY_GIT_PROJECT_NAME"] = earthfile::project_name_of_url(url);
  if (!url.empty()) {
    values[earthfile::kProjectFact] = earthfile::project_of_url(url) + (prefix.empty() ? "" : "/" + prefix);
    std::string& tag = values[earthfile::kTagFact];
    for (const char* name : {"EARTHLY_GIT_TAG", "EARTHLY_GIT_BRANCH", "EARTHLY_GIT_HASH"}) {
      if (tag.empty()) tag = values[name];
    }
  }
  // Nothing is as good as empty.
  std::erase_if(values, [](const auto& value) { return value.second.empty(); });
  return found;
}

proto::Secrets git_credentials(const std::set<std::string>& hosts, const fs::path& project,
                               sys::ProcessRunner& processes) {
  proto::Secrets secrets;
  const Git git(project, processes);
  for (const auto& host : hosts) {
    // git reads the question from its standard input; the host is no part of the script.
    const Asked asked =
        git.run({"/bin/sh", "-c", "printf 'protocol=https\\nhost=%s\\n\\n' \"$1\" | git credential fill", "sh", host},
                std::chrono::seconds(20));
    const auto credentials = proto::git_credentials_of(asked.out);
    if (!asked.ok || credentials.password.empty()) continue;
    secrets[proto::kGitCredentials + host] =
        "username=" + credentials.username + "\npassword=" + credentials.password + "\n";
  }
  return secrets;
}

}  // namespace ingot::client
