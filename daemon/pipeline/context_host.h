#pragma once

#include "daemon/earthfile/earthfile.h"
#include "daemon/git/job_repositories.h"
#include "daemon/image/job_images.h"
#include "daemon/store/blobs.h"
#include "proto/types.h"

namespace ingot::pipeline {

// What an Earthfile's interpreter asks of the world, answered from a job's context and the image sources.
class ContextHost : public earthfile::Host {
 public:
  // Runs what the graph's last step asks, with all that it stands on; none when nothing may run for it.
  using Ask = std::function<Result<std::optional<graph::Answer>>(const graph::Graph& graph)>;
  // See earthfile::Host.
  using ShellProgram = std::function<Result<std::optional<std::string>>(const graph::Graph& graph)>;
  using StepFile =
      std::function<Result<std::optional<std::string>>(const graph::Graph& graph, const std::string& path)>;
  struct Questions {
    Ask ask;
    ShellProgram shell_program;
    StepFile step_file;
    std::function<bool()> may_begin = [] { return false; };
    std::function<void(const graph::Graph& graph)> begin = [](const graph::Graph&) {};
    std::function<Status(const graph::Graph& graph)> build = [](const graph::Graph&) { return Status(); };
    std::function<void(const graph::Graph& known)> give_up = [](const graph::Graph&) {};
    bool only_known = false;  // nothing ever runs for these, and nobody hears of them
  };
  ContextHost(const proto::ContextManifest& context, const store::BlobStore& blobs, image::JobImages& images,
              git::JobRepositories& repositories, image::Progress progress, sys::CancelToken cancel,
              Questions questions);

  Result<std::string> read_file(const std::string& path) override;
  std::vector<std::string> earthfiles() override;
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform) override;
  Result<earthfile::Repository> repository(const std::string& reference, const std::string& ref,
                                           const std::string& asked_by) override;
  Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) override { return questions_.ask(graph); }
  Result<std::optional<std::string>> shell_program(const graph::Graph& graph) override {
    return questions_.shell_program(graph);
  }
  Result<std::optional<std::string>> step_file(const graph::Graph& graph, const std::string& path) override {
    return questions_.step_file(graph, path);
  }
  bool may_begin() override { return questions_.may_begin(); }
  void begin(const graph::Graph& graph) override { questions_.begin(graph); }
  Status build(const graph::Graph& graph) override { return questions_.build(graph); }
  void give_up(const graph::Graph& known) override { questions_.give_up(known); }

 private:
  const proto::ContextManifest& context_;
  const store::BlobStore& blobs_;
  image::JobImages& images_;
  git::JobRepositories& repositories_;
  image::Progress progress_;
  sys::CancelToken cancel_;
  Questions questions_;
};

}  // namespace ingot::pipeline
