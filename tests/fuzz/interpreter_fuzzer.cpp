#include <cstddef>
#include <cstdint>

#include "daemon/earthfile/earthfile.h"
#include "daemon/earthfile/lint.h"
#include "tests/fuzz/fuzz_host.h"
#include "tests/fuzz/require.h"

namespace {

constexpr std::size_t kMostTargets = 8;
constexpr std::size_t kMostCommands = 400;  // a run is to take milliseconds
constexpr std::string_view kOtherFile = "\n=== other file\n";

using namespace ingot;

// Parents come before their children, and nothing names a step that is not there.
void check_graph(const graph::Graph& graph) {
  for (std::size_t i = 0; i < graph.steps.size(); ++i) {
    const auto& step = graph.steps[i];
    fuzz::require(!step.parent || *step.parent < i, "a step's parent comes before it", step.text);
    fuzz::require(!step.target.empty(), "a step belongs to a target", step.text);
    if (const auto* copy = std::get_if<graph::CopyOp>(&step.operation)) {
      fuzz::require(!copy->from || *copy->from < i, "what a COPY takes from comes before it", step.text);
      fuzz::require(copy->destination.starts_with('/'), "a COPY goes to an absolute path", step.text);
    }
  }
  for (const auto& artifact : graph.artifacts) {
    fuzz::require(artifact.from < graph.steps.size(), "an artifact is of a step", artifact.text);
    fuzz::require(!artifact.local_path.starts_with('/') && artifact.local_path.find("../") != 0,
                  "an artifact stays in the project", artifact.local_path);
  }
  for (const auto& image : graph.images) fuzz::require(image.from < graph.steps.size(), "an image is of a step");
}

}  // namespace

// The input is an Earthfile, and behind a line of its own what any other file of the project holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string other = "VERSION 0.8\nFROM other\nt:\n    SAVE ARTIFACT /a\nF:\n    FUNCTION\n    RUN true\n";
  if (const std::size_t at = text.find(kOtherFile); at != std::string_view::npos) {
    other = std::string(text.substr(at + kOtherFile.size()));
    text = text.substr(0, at + 1);
  }
  const auto file = earthfile::parse(text, "Earthfile");
  if (!file) return 0;
  for (const auto& finding : earthfile::lint(*file)) {
    fuzz::require(!finding.error.message.empty() && finding.error.position, "a finding has a text and a place");
  }
  fuzz::FuzzHost host(std::move(other));
  auto names = earthfile::target_names(*file);
  if (names.size() > kMostTargets) names.resize(kMostTargets);
  names.emplace_back("base");
  for (const auto& name : names) {
    earthfile::Request request;
    request.locally = earthfile::Request::Locally::allowed;
    request.target = "+" + name;
    request.overrides = {{"X", "a b"}, {"VERSION", "1.2"}};
    request.most_commands = kMostCommands;
    auto result = earthfile::interpret(*file, request, host);
    if (result) {
      check_graph(result->graph);
    } else {
      fuzz::require(!result.error().message.empty(), "an error has a text");
      fuzz::require(proto::render(result.error()).size() < 100'000, "an error is short");
    }
  }
  return 0;
}
