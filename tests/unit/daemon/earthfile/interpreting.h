#pragma once

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/earthfile/earthfile.h"

// Short ways from an Earthfile's text to what a test asks about.
namespace ingot::earthfile::testing {

// Images and files of the test's making; an image that it does not know is not found.
class FakeHost : public Host {
 public:
  FakeHost() {
    graph::ImageConfig debian;
    debian.env = {{"PATH", "/image/bin"}, {"LANG", "C.UTF-8"}};
    images["debian:bookworm"] = debian;
    images["scratch"] = {};
  }
  Result<std::string> read_file(const std::string& path) override {
    auto found = files.find(path);
    if (found == files.end()) return base::fail(ErrorKind::not_found, "no file " + path);
    return found->second;
  }
  std::vector<std::string> earthfiles() override {
    std::vector<std::string> directories;
    for (const auto& [path, text] : files) {
      if (path.ends_with("/Earthfile")) directories.push_back(path.substr(0, path.size() - 10));
    }
    return directories;
  }
  // Commands are answered as they are listed here; one that is not fails.
  Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) override {
    const auto& exec = std::get<graph::ExecOp>(graph.steps.back().operation);
    const std::lock_guard lock(mutex);
    questions.push_back(exec.command);
    auto found = answers.find(exec.command);
    if (found == answers.end()) return std::optional(graph::Answer{1, ""});
    return found->second;
  }
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform) override {
    const std::lock_guard lock(mutex);
    const std::string foreign = base::foreign_platform(platform);
    asked.push_back(reference + (foreign.empty() ? "" : " " + foreign));
    auto found = images.find(reference);
    if (found == images.end())
      return base::fail(ErrorKind::not_found, "there is no image " + reference, "name another");
    return found->second;
  }

  Result<std::optional<std::string>> shell_program(const graph::Graph&) override { return shell; }
  // A repository that is listed here, by its name or URL; a directory of it may follow.
  Result<Repository> repository(const std::string& reference, const std::string& ref,
                                const std::string& asked_by) override {
    const std::lock_guard lock(mutex);
    if (!asked_by.empty()) asked_for.insert(reference + " by " + asked_by);
    looked_at.push_back(reference + (ref.empty() ? "" : ":" + ref));
    for (const auto& [name, one] : repositories) {
      if (reference != name && !reference.starts_with(name + "/")) continue;
      Repository found = one;
      if (reference.size() > name.size()) found.directory = reference.substr(name.size() + 1);
      found.ref = ref;
      if (ref == "nosuch")
        return base::fail(ErrorKind::not_found, "it has no branch or tag \"" + ref + "\"", "did you mean \"main\"?");
      return found;
    }
    return base::fail(ErrorKind::not_found, "there is no repository " + reference, "name another");
  }
  Result<std::optional<std::string>> step_file(const graph::Graph& graph, const std::string& path) override {
    if (const auto* git = std::get_if<graph::GitOp>(&graph.steps.back().operation)) {
      auto found = repository_files.find(git->url + path);
      if (found == repository_files.end()) return base::fail(ErrorKind::not_found, "no file " + path);
      return found->second;
    }
    auto found = step_files.find(path);
    if (found == step_files.end()) return base::fail(ErrorKind::not_found, "no file " + path);
    return found->second;
  }

  std::map<std::string, graph::ImageConfig> images;
  std::optional<std::string> shell = "/usr/bin/dash";
  std::map<std::string, std::string> files;
  std::map<std::string, std::optional<std::string>> step_files;
  std::map<std::string, std::optional<graph::Answer>> answers;
  std::map<std::string, Repository> repositories;
  std::map<std::string, std::optional<std::string>> repository_files;  // by URL and path together
  std::vector<std::string> looked_at;
  std::set<std::string> asked_for;  // repositories that others than the project want: "name by owner"
  std::vector<std::string> asked;
  std::vector<std::string> questions;
  std::mutex mutex;  // guards asked, asked_for, questions and looked_at
};

inline File parsed(std::string_view text) {
  auto file = parse(text, "Earthfile");
  if (file) return *std::move(file);
  ADD_FAILURE() << proto::render(file.error().front());
  return {};
}

// Every syntax error, rendered, a blank line between them.
inline std::string syntax_errors(std::string_view text) {
  auto file = parse(text, "Earthfile");
  if (file) return "";
  std::string all;
  for (const auto& error : file.error()) all += (all.empty() ? "" : "\n\n") + proto::render(error);
  return all;
}

inline Result<Interpretation> interpreted(std::string_view text, const std::string& target = "+t",
                                          const std::map<std::string, std::string>& overrides = {}) {
  FakeHost host;
  const File file = parsed(text);
  return interpret(file, {target, overrides}, host);
}

inline graph::Graph graph_of(std::string_view text, const std::string& target = "+t",
                             const std::map<std::string, std::string>& overrides = {}) {
  auto result = interpreted(text, target, overrides);
  if (result) return std::move(result->graph);
  ADD_FAILURE() << proto::render(result.error());
  return {};
}

// The rendered error of interpreting `text`; "" when there is none.
inline std::string error_of(std::string_view text, const std::string& target = "+t",
                            const std::map<std::string, std::string>& overrides = {}) {
  auto result = interpreted(text, target, overrides);
  return result ? "" : proto::render(result.error());
}

inline ErrorKind error_kind_of(std::string_view text) {
  auto result = interpreted(text);
  if (!result) return result.error().kind;
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

// An Earthfile of version 0.8 with one target +t on debian, and these lines in it.
inline std::string in_target(std::string_view lines, std::string_view version = "VERSION 0.8") {
  std::string text = std::string(version) + "\nt:\n    FROM debian:bookworm\n";
  for (std::size_t start = 0; start < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', start), lines.size());
    text += "    " + std::string(lines.substr(start, end - start)) + "\n";
    start = end + 1;
  }
  return text;
}

template <typename Op>
std::vector<Op> steps_of(const graph::Graph& graph) {
  std::vector<Op> found;
  for (const auto& step : graph.steps) {
    if (const auto* op = std::get_if<Op>(&step.operation)) found.push_back(*op);
  }
  return found;
}

// The value that the last RUN sees under `name`; "(unset)" when it sees none.
inline std::string seen_by_run(const graph::Graph& graph, const std::string& name) {
  const auto runs = steps_of<graph::ExecOp>(graph);
  if (runs.empty()) return "(no RUN)";
  for (const auto& [key, value] : runs.back().env) {
    if (key == name) return value;
  }
  return "(unset)";
}

}  // namespace ingot::earthfile::testing
