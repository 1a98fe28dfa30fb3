#include "daemon/graph/direct_copies.h"

#include <string>

namespace ingot::graph {

namespace {

bool is_within(const std::string& path, const std::string& directory) {
  return directory == "/" || path == directory || path.starts_with(directory + "/");
}

// The SAVE ARTIFACT of a whole file system that alone makes `path` among the artifacts whose last step is `top`.
const CopyOp* whole_file_system_at(const Graph& graph, StepId top, const std::string& path) {
  const CopyOp* whole = nullptr;
  for (std::optional<StepId> id = top; id; id = graph.steps[*id].parent) {
    const Step& step = graph.steps[*id];
    const auto* saved = std::get_if<CopyOp>(&step.operation);
    const auto* image = std::get_if<ImageOp>(&step.operation);
    if (image != nullptr) return image->reference == "scratch" ? whole : nullptr;
    if (saved == nullptr) return nullptr;
    if (!saved->from || saved->sources.size() != 1) return nullptr;
    if (!is_within(saved->destination, path) && !is_within(path, saved->destination)) continue;
    const bool is_whole = saved->sources.front() == "/" && saved->destination == path && !saved->chmod &&
                          !saved->destination_is_directory && !saved->dir && saved->chown.empty();
    if (!is_whole || whole != nullptr) return nullptr;
    whole = saved;
  }
  return nullptr;
}

}  // namespace

void copy_directly(Graph& graph) {
  for (Step& step : graph.steps) {
    auto* copy = std::get_if<CopyOp>(&step.operation);
    // --dir gives the directory its name.
    if (copy == nullptr || !copy->from || copy->sources.size() != 1 || copy->dir) continue;
    const CopyOp* saved = whole_file_system_at(graph, *copy->from, copy->sources.front());
    if (saved == nullptr) continue;
    copy->keep_own = copy->keep_own && saved->keep_own;
    copy->keep_ts = copy->keep_ts && saved->keep_ts;
    copy->from = saved->from;
    copy->sources = {"/"};
    step.operation_digest.reset();
  }
}

}  // namespace ingot::graph
