#include "client/commands/project_names.h"

#include <algorithm>
#include <deque>
#include <system_error>

#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/reached.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargest = 64U << 20;
constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostSearched = 50'000;  // entries of directories, for what a variable may name

class Names {
 public:
  Names(fs::path project, bool wants_args) : project_(std::move(project)), wants_args_(wants_args) {}

  ProjectNames collect() {
    wanted_.emplace_back(".");
    while (!wanted_.empty() && seen_.size() < kMostFiles) {
      const fs::path directory = wanted_.front();
      wanted_.pop_front();
      if (!seen_.insert(directory.string()).second) continue;
      look_at(directory);
    }
    return names_;
  }

 private:
  void look_at(const fs::path& directory) {
    const auto text = sys::read_file(project_ / directory / "Earthfile", kLargest);
    if (!text) return;
    for (const char* begin : {"EARTHLY_GIT_", "EARTHLY_TARGET", "EARTHLY_SOURCE_DATE_EPOCH", "EARTHLY_CI"}) {
      names_.asks_builtins = names_.asks_builtins || text->find(begin) != std::string::npos;
    }
    names_.may_work_locally = names_.may_work_locally || text->find("LOCALLY") != std::string::npos;
    for (const char* sign : {"--ssh", "type=ssh", "git@", "ssh://", "DOCKERFILE", "GIT CLONE"}) {
      names_.may_use_ssh = names_.may_use_ssh || text->find(sign) != std::string::npos;
    }
    for (const char* name : {"USERPLATFORM", "USEROS", "USERARCH", "USERVARIANT", "platform=user", "platform user"}) {
      names_.asks_platform = names_.asks_platform || text->find(name) != std::string::npos;
    }
    // Most projects name nothing but themselves, and need not be parsed for it; of one for edge hosts all ARGs are
    // wanted.
    wants_args_ = wants_args_ || text->find("K8S_DISTRIBUTION") != std::string::npos;
    if (text->find_first_of("/$") == std::string::npos && !wants_args_) return;
    const auto file = earthfile::parse(*text, "Earthfile");
    if (!file) return;
    directory_ = directory;
    look_at(file->base);
    for (const auto* recipes : {&file->targets, &file->functions}) {
      for (const auto& recipe : *recipes) look_at(recipe.commands);
    }
  }

  void look_at(const std::vector<earthfile::Command>& commands) {
    for (const auto& command : commands) {
      for (const auto& reference : earthfile::written_in(command)) refer(reference.where);
      if (command.name == "ARG") {
        declare(command.words);
      } else if (command.name == "IMPORT") {
        for (const auto& word : command.words) refer(word.text);
      } else if (command.name == "GIT CLONE") {
        for (const auto& word : command.words) clone(word.text);
      }
      look_at(command.body);
      look_at(command.alternatives);
    }
  }

  // The name in `--required NAME=default`.
  void declare(const std::vector<earthfile::Word>& words) {
    const auto name =
        std::find_if(words.begin(), words.end(), [](const auto& word) { return !word.text.starts_with("--"); });
    if (name != words.end()) names_.args.insert(name->text.substr(0, name->text.find('=')));
  }

  void refer(const std::string& where) {
    if (where.starts_with("--")) return;
    const bool is_path = where == "." || where == ".." || where.starts_with("./") || where.starts_with("../");
    const std::size_t sign = where.find_first_of("$*?[");
    const bool is_plain = sign == std::string::npos;
    if (is_path && is_plain) {
      wanted_.push_back((directory_ / where).lexically_normal());
      return;
    }
    const std::size_t slash = where.find('/');
    const bool may_be_path = is_path || where.starts_with('$');
    if (!may_be_path && slash == std::string::npos) return;  // a name that an IMPORT gave
    // Nobody knows here what such a recipe asks; another repository's has a word in all but LOCALLY.
    names_.asks_builtins = true;
    names_.asks_platform = true;
    names_.may_use_ssh = true;
    names_.may_work_locally = names_.may_work_locally || may_be_path;
    if (may_be_path) want_all_below((directory_ / where.substr(0, where.rfind('/', sign) + 1)).lexically_normal());
    if (!is_path && slash != std::string::npos) add_host(where.substr(0, slash));
  }

  // Of a reference that a variable or a pattern goes on: whatever it may come to.
  void want_all_below(const fs::path& directory) {
    if (!searched_.insert(directory.string()).second || earthfile::leaves_project(directory.string())) return;
    std::error_code error;
    std::size_t left = kMostSearched;
    for (fs::recursive_directory_iterator at(project_ / directory, error), end; !error && at != end && left > 0;
         at.increment(error), --left) {
      if (at->path().filename() == ".git") at.disable_recursion_pending();
      if (at->path().filename() != "Earthfile") continue;
      wanted_.push_back(at->path().parent_path().lexically_relative(project_).lexically_normal());
    }
  }

  // "https://host/...", or "git@host:...", which the daemon fetches by https too where nobody lends it an SSH agent.
  void clone(const std::string& text) {
    constexpr std::string_view kProtocol = "https://";
    std::string url = text;
    url.erase(std::remove(url.begin(), url.end(), '"'), url.end());
    const bool short_ssh = url.starts_with("git@");
    const bool ssh = short_ssh || url.starts_with("ssh://");
    if (!ssh && !url.starts_with(kProtocol)) return;
    if (!short_ssh) url.erase(0, url.find("://") + 3);
    url.resize(std::min(url.find(short_ssh ? ':' : '/'), url.size()));
    const std::size_t sign = url.find('@');
    // Who writes credentials into the URL is asked for no others.
    if (sign != std::string::npos && !ssh) return;
    add_host(sign == std::string::npos ? url : url.substr(sign + 1));
  }

  void add_host(const std::string& host) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:";
    const bool ok = host.find_first_not_of(kLetters) == std::string::npos && host.find('.') != std::string::npos &&
                    host.front() != '-';
    if (ok) names_.hosts.insert(host);
  }

  const fs::path project_;
  ProjectNames names_;
  std::deque<fs::path> wanted_;
  std::set<std::string> seen_;
  std::set<std::string> searched_;
  bool wants_args_;
  fs::path directory_;  // of the Earthfile that is being looked at
};

}  // namespace

ProjectNames look_at_project(const fs::path& project) {
  return Names(project, false).collect();
}

std::set<std::string> args_in_project(const fs::path& project) {
  return Names(project, true).collect().args;
}

}  // namespace ingot::client
