#include "tests/crash/world_content.h"

#include <fmt/format.h>

#include "proto/codec.h"

namespace ingot::test {

std::string content(const std::string& name) {
  const std::string seed = base::Digest::of(name).hex();
  const std::size_t size = static_cast<std::size_t>(std::stoul(seed.substr(0, 6), nullptr, 16)) % 20'000;
  std::string text = name + "\n";
  while (text.size() < size) text += seed;
  return text;
}

base::Digest key_of(int step) {
  return base::Digest::of("step " + std::to_string(step));
}

std::map<std::string, std::string> files_of_step(int step) {
  std::map<std::string, std::string> files;
  for (int i = 0; i <= step % 4; ++i) {
    const std::string name = fmt::format("directory-{}/file-{}", i, step);
    files[name] = content(name);
  }
  return files;
}

proto::ContextManifest manifest_of(int number) {
  proto::ContextManifest manifest;
  for (int file : {number, number + 1, number + 2}) {
    const std::string text = content("source " + std::to_string(file));
    manifest.entries.push_back({"file" + std::to_string(file), proto::EntryType::file, 0644, text.size(), 0,
                                base::Digest::of(text).str(), ""});
  }
  return manifest;
}

std::string context_digest(int number) {
  return base::Digest::of(proto::canonical_text(manifest_of(number))).str();
}

std::vector<std::string> artifacts_of(int job) {
  return {"artifact " + std::to_string(job % 7), "artifact " + std::to_string(100 + job)};
}

graph::SaveArtifact save_request(int step) {
  graph::SaveArtifact save;
  save.source = "/file";
  save.name = "of step " + std::to_string(step);
  return save;
}

}  // namespace ingot::test
