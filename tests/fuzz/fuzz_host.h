#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/earthfile/earthfile.h"

namespace ingot::fuzz {

// A world that answers everything at once, each question always in the same way. The files are those of the input.
class FuzzHost : public earthfile::Host {
 public:
  explicit FuzzHost(std::string other_file) : other_file_(std::move(other_file)) {}

  Result<std::string> read_file(const std::string& path) override {
    if (path.find("none") != std::string::npos) return base::fail(ErrorKind::not_found, "no file " + path);
    return other_file_;
  }
  std::vector<std::string> earthfiles() override { return {"", "lib"}; }
  Result<earthfile::Repository> repository(const std::string& reference, const std::string& ref,
                                           const std::string&) override {
    if (ref == "none") return base::fail(ErrorKind::not_found, "there is no repository " + reference);
    earthfile::Repository repository;
    repository.name = reference;
    repository.url = "https://" + reference;
    repository.ref = ref;
    repository.commit = std::string(40, 'a');
    return repository;
  }
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform&) override {
    if (reference == "none") return base::fail(ErrorKind::not_found, "there is no image " + reference);
    graph::ImageConfig config;
    config.env = {{"PATH", "/bin"}, {"IMAGE", reference}};
    return config;
  }
  Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) override {
    const auto& exec = std::get<graph::ExecOp>(graph.steps.back().operation);
    const std::size_t mood = std::hash<std::string>()(exec.command);
    if (mood % 16 == 0) return std::optional<graph::Answer>();
    return std::optional(graph::Answer{mood % 3 == 0 ? 1 : 0, mood % 2 == 0 ? "one two\n" : "true"});
  }
  Result<std::optional<std::string>> shell_program(const graph::Graph& graph) override {
    static const char* const kShells[] = {"/bin/dash", "/bin/bash", "/bin/busybox", ""};
    return std::optional<std::string>(kShells[graph.steps.size() % 4]);
  }
  Result<std::optional<std::string>> step_file(const graph::Graph& /*graph*/, const std::string& path) override {
    auto text = read_file(path);
    if (!text) return base::fail(text.error());
    return std::optional(*text);
  }

 private:
  std::string other_file_;
};

}  // namespace ingot::fuzz
