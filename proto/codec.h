#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proto/types.h"

namespace ingot::proto {

template <typename T>
using Decoded = tl::expected<T, Error>;

nlohmann::json to_json(const VersionInfo& value);
nlohmann::json to_json(const HostCheck& value);
nlohmann::json to_json(const ContextManifest& value);
nlohmann::json to_json(const ContextStatus& value);
nlohmann::json to_json(const JobSpec& value);
nlohmann::json to_json(const FromImage& value);
nlohmann::json to_json(const FromRepository& value);
nlohmann::json to_json(const Job& value);
nlohmann::json to_json(const Artifact& value);
nlohmann::json to_json(const Event& value);

// Each fails with kind `invalid` and the name of the field that is missing or has the wrong type.
Decoded<VersionInfo> version_from_json(const nlohmann::json& body);
Decoded<HostCheck> host_check_from_json(const nlohmann::json& body);
Decoded<ContextManifest> manifest_from_json(const nlohmann::json& body);
Decoded<ContextStatus> context_status_from_json(const nlohmann::json& body);
Decoded<JobSpec> job_spec_from_json(const nlohmann::json& body);
Decoded<FromImage> from_image_from_json(const nlohmann::json& body);
Decoded<FromRepository> from_repository_from_json(const nlohmann::json& body);
Decoded<Job> job_from_json(const nlohmann::json& body);
Decoded<Artifact> artifact_from_json(const nlohmann::json& body);
Decoded<Event> event_from_json(const nlohmann::json& body);

// No exceptions: a body that is no JSON is kind `invalid`, with the offset where it stops making sense.
Decoded<nlohmann::json> parse_json(std::string_view text);

// One line of text; bytes that are no UTF-8 become U+FFFD rather than an exception.
std::string dump(const nlohmann::json& body);

// The canonical bytes of a manifest: sorted by path, one JSON array an entry. Its SHA-256 is the context's
// digest, computed alike at both ends.
std::string canonical_text(const ContextManifest& manifest);

}  // namespace ingot::proto
