#include "client/commands/project_names.h"

#include <algorithm>
#include <deque>
#include <initializer_list>

#include "daemon/earthfile/earthfile.h"
#include "daemon/sys/files.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargest = 64U << 20;
constexpr std::size_t kMostFiles = 1000;

class Names {
 public:
  explicit Names(fs::path project) : project_(std::move(project)) {}

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
    is_edge_ = is_edge_ || text->find("K8S_DISTRIBUTION") != std::string::npos;
    if (text->find('/') == std::string::npos && !is_edge_) return;
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
      const auto is = [&](std::initializer_list<const char*> some) {
        return std::any_of(some.begin(), some.end(), [&](const char* one) { return command.name == one; });
      };
      if (is({"FROM", "BUILD", "COPY", "DO", "FROM DOCKERFILE"})) {
        for (const auto& word : command.words) refer(word.text, false);
      } else if (command.name == "ARG") {
        declare(command.words);
      } else if (command.name == "IMPORT") {
        for (const auto& word : command.words) refer(word.text, true);
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

  void refer(std::string text, bool whole) {
    if (text.starts_with('(')) text.erase(0, 1);
    if (text.starts_with("--")) return;
    const std::size_t plus = text.find('+');
    if (plus == std::string::npos && !whole) return;
    const std::string where = text.substr(0, plus);
    if (where == "." || where == ".." || where.starts_with("./") || where.starts_with("../")) {
      const bool is_plain = where.find_first_of("$*") == std::string::npos;
      if (is_plain) wanted_.push_back((directory_ / where).lexically_normal());
      names_.may_work_locally = names_.may_work_locally || !is_plain;
      names_.may_use_ssh = names_.may_use_ssh || !is_plain;
      return;
    }
    names_.may_work_locally = names_.may_work_locally || where.starts_with('$');
    names_.may_use_ssh = names_.may_use_ssh || where.starts_with('$');
    const std::size_t slash = where.find('/');
    if (slash == std::string::npos) return;
    names_.may_use_ssh = true;
    add_host(where.substr(0, slash));
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
  bool is_edge_ = false;
  fs::path directory_;  // of the Earthfile that is being looked at
};

}  // namespace

ProjectNames look_at_project(const fs::path& project) {
  return Names(project).collect();
}

}  // namespace ingot::client
