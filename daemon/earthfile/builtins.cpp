#include "daemon/earthfile/builtins.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "daemon/earthfile/git_facts.h"

namespace ingot::earthfile {

namespace {

std::string fact(const BuiltinContext& context, const std::string& name) {
  auto found = context.facts.find(name);
  return found == context.facts.end() ? "" : found->second;
}

// "github.com/org/repo/directory"; without a repository "./directory", or "" for the project's own.
std::string project(const BuiltinContext& context) {
  const std::string repository = fact(context, kProjectFact);
  if (!repository.empty()) return repository + (context.directory.empty() ? "" : "/" + context.directory);
  return context.directory.empty() ? "" : "./" + context.directory;
}

std::string project_with_tag(const BuiltinContext& context) {
  const std::string tag = fact(context, kTagFact);
  const bool tagged = !tag.empty() && !fact(context, kProjectFact).empty();
  return project(context) + (tagged ? ":" + tag : "");
}

// As an image's tag may be written.
std::string docker_tag(std::string tag) {
  constexpr std::size_t kLongest = 128;
  constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  if (tag.empty()) return "latest";
  tag.resize(std::min(tag.size(), kLongest));
  for (std::size_t i = 0; i < tag.size(); ++i) {
    const bool may_stand = kFirst.find(tag[i]) != std::string_view::npos || (i > 0 && (tag[i] == '.' || tag[i] == '-'));
    if (!may_stand) tag[i] = '_';
  }
  return tag;
}

std::string author(const BuiltinContext& context) {
  const std::string name = fact(context, "EARTHLY_GIT_AUTHOR_NAME");
  const std::string address = fact(context, "EARTHLY_GIT_AUTHOR_EMAIL");
  return context.names_author && !name.empty() && !address.empty() ? name + " <" + address + ">" : address;
}

using Value = std::function<std::string(const BuiltinContext& context)>;

struct Builtin {
  Value value;               // none: a fact of that name
  std::string feature = {};  // that a file must have for it
};

std::unordered_map<std::string, Builtin> make_table() {
  const auto constant = [](std::string text) {
    return Value([text = std::move(text)](const BuiltinContext&) { return text; });
  };
  std::unordered_map<std::string, Builtin> table;
  using Platform = base::Platform;
  const auto add_platform = [&](const std::string& who, const std::string& feature,
                                const std::function<Platform(const BuiltinContext&)>& of) {
    table[who + "PLATFORM"] = {[of](const BuiltinContext& context) { return of(context).text(); }, feature};
    table[who + "OS"] = {[of](const BuiltinContext& context) { return of(context).os; }, feature};
    table[who + "ARCH"] = {[of](const BuiltinContext& context) { return of(context).architecture; }, feature};
    table[who + "VARIANT"] = {[of](const BuiltinContext& context) { return of(context).variant; }, feature};
  };
  add_platform("TARGET", "", [](const BuiltinContext& context) { return context.target_platform; });
  add_platform("USER", "", [](const BuiltinContext& context) { return context.user_platform; });
  add_platform("NATIVE", "new-platform", [](const BuiltinContext&) { return base::native_platform(); });
  table["EARTHLY_TARGET"] = {
      [](const BuiltinContext& context) { return project_with_tag(context) + "+" + context.target; }};
  table["EARTHLY_TARGET_NAME"] = {[](const BuiltinContext& context) { return context.target; }};
  table["EARTHLY_TARGET_PROJECT"] = {project_with_tag};
  table["EARTHLY_TARGET_PROJECT_NO_TAG"] = {project};
  table["EARTHLY_TARGET_TAG"] = {nullptr};
  table["EARTHLY_TARGET_TAG_DOCKER"] = {
      [](const BuiltinContext& context) { return docker_tag(fact(context, kTagFact)); }};
  // The last release of the language that Ingot follows: recipes compare it.
  table["EARTHLY_VERSION"] = {constant("v0.8.16"), "earthly-version-arg"};
  table["EARTHLY_BUILD_SHA"] = {constant(""), "earthly-version-arg"};
  table["EARTHLY_PUSH"] = {[](const BuiltinContext& context) { return std::string(context.push ? "true" : "false"); },
                           "wait-block"};
  table["EARTHLY_CI"] = {[](const BuiltinContext& context) {
                           return std::string(fact(context, "EARTHLY_CI") == "true" ? "true" : "false");
                         },
                         "ci-arg"};
  table["EARTHLY_CI_RUNNER"] = {constant("false"), "earthly-ci-runner-arg"};
  table["EARTHLY_LOCALLY"] = {
      [](const BuiltinContext& context) { return std::string(context.locally ? "true" : "false"); },
      "earthly-locally-arg"};
  table["EARTHLY_SOURCE_DATE_EPOCH"] = {[](const BuiltinContext& context) {
    const std::string time = fact(context, "EARTHLY_GIT_COMMIT_TIMESTAMP");
    return time.empty() ? std::string("0") : time;
  }};
  for (const char* name :
       {"HASH", "SHORT_HASH", "TAG", "ORIGIN_URL", "ORIGIN_URL_SCRUBBED", "PROJECT_NAME", "COMMIT_TIMESTAMP"}) {
    table[std::string("EARTHLY_GIT_") + name] = {nullptr};
  }
  table["EARTHLY_GIT_BRANCH"] = {nullptr, "git-branch"};
  table["EARTHLY_GIT_REFS"] = {nullptr, "git-refs"};
  table["EARTHLY_GIT_COMMIT_AUTHOR_TIMESTAMP"] = {nullptr, "git-commit-author-timestamp"};
  table["EARTHLY_GIT_AUTHOR"] = {author, "earthly-git-author-args"};
  table["EARTHLY_GIT_CO_AUTHORS"] = {nullptr, "earthly-git-author-args"};
  table["EARTHLY_GIT_AUTHOR_EMAIL"] = {nullptr, "git-author-email-name-args"};
  table["EARTHLY_GIT_AUTHOR_NAME"] = {nullptr, "git-author-email-name-args"};
  return table;
}

const std::unordered_map<std::string, Builtin>& table() {
  static const auto kTable = make_table();
  return kTable;
}

}  // namespace

bool is_builtin(const std::string& name, const File& file) {
  auto found = table().find(name);
  return found != table().end() && (found->second.feature.empty() || file.has(found->second.feature));
}

bool asks_git(const std::string& name) {
  return name.starts_with("EARTHLY_GIT_") || name == "EARTHLY_SOURCE_DATE_EPOCH";
}

std::string builtin_value(const std::string& name, const BuiltinContext& context) {
  auto found = table().find(name);
  if (found == table().end() || !found->second.value) return fact(context, name);
  return found->second.value(context);
}

}  // namespace ingot::earthfile
