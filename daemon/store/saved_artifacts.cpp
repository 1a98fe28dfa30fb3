#include "daemon/store/saved_artifacts.h"

#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::store {

namespace {

// All that decides what a snapshot gives.
std::string request_of(const graph::SaveArtifact& save) {
  const nlohmann::json request = {save.source,  save.name,     save.local_path,        save.if_exists,
                                  save.keep_ts, save.keep_own, save.symlink_no_follow, save.force};
  return base::Digest::of(proto::dump(request)).str();
}

Result<SavedArtifacts::Artifacts> decode(const std::string& text) {
  INGOT_TRY(auto list, proto::parse_json(text));
  SavedArtifacts::Artifacts artifacts;
  for (const auto& body : list) {
    INGOT_TRY(auto artifact, proto::artifact_from_json(body));
    artifacts.push_back(std::move(artifact));
  }
  return artifacts;
}

}  // namespace

Result<SavedArtifacts::Artifacts> SavedArtifacts::get(SnapshotId snapshot, const graph::SaveArtifact& save,
                                                      const std::function<Result<Artifacts>()>& make) {
  const std::string request = request_of(save);
  const base::KeyedMutex::Hold hold(being_made_, std::to_string(snapshot) + " " + request);
  INGOT_TRY(auto known, find(snapshot, request));
  if (known) return std::move(*known);
  INGOT_TRY(auto made, make());
  INGOT_CHECK(keep(snapshot, request, made));
  return made;
}

Result<std::optional<SavedArtifacts::Artifacts>> SavedArtifacts::find(SnapshotId snapshot,
                                                                      const std::string& request) const {
  std::string text;
  INGOT_CHECK(database_.read([&]() -> Status {
    INGOT_TRY(auto query,
              database_.prepare("SELECT artifacts FROM saved_artifacts WHERE snapshot = ? AND request = ?"));
    INGOT_TRY(bool known, query.bind(1, snapshot).bind(2, request).step());
    if (known) text = query.text(0);
    return {};
  }));
  if (text.empty()) return std::optional<Artifacts>();
  INGOT_TRY(auto artifacts, decode(text));
  for (const auto& artifact : artifacts) {
    INGOT_TRY(auto digest, base::Digest::parse(artifact.digest));
    if (!blobs_.find_for_job(digest)) return std::optional<Artifacts>();
  }
  return std::optional(std::move(artifacts));
}

Status SavedArtifacts::keep(SnapshotId snapshot, const std::string& request, const Artifacts& artifacts) const {
  auto list = nlohmann::json::array();
  for (const auto& artifact : artifacts) list.push_back(proto::to_json(artifact));
  return database_.transaction([&]() -> Status {
    INGOT_TRY(auto insertion, database_.prepare("INSERT OR REPLACE INTO saved_artifacts VALUES (?, ?, ?)"));
    return insertion.bind(1, snapshot).bind(2, request).bind(3, proto::dump(list)).run();
  });
}

}  // namespace ingot::store
