#include "proto/codec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/fields.h"

namespace ingot::proto {

namespace {

constexpr const char* kEntryTypes[] = {"file", "directory", "symlink"};

Decoded<ManifestEntry> entry_from_json(const nlohmann::json& body) {
  Fields fields(body, "a manifest entry");
  ManifestEntry entry;
  std::string type;
  fields.require("path");
  fields.require("type");
  fields.read("path", entry.path);
  fields.read("type", type);
  fields.read_integer("mode", entry.mode);
  fields.read_integer("size", entry.size);
  fields.read_integer("mtime_ns", entry.mtime_ns);
  fields.read("digest", entry.digest);
  fields.read("link_target", entry.link_target);
  const auto* found = std::find(std::begin(kEntryTypes), std::end(kEntryTypes), type);
  if (found == std::end(kEntryTypes)) fields.complain("\"" + type + "\" is no type of a manifest entry");
  if (entry.mode > 07777) fields.complain("the mode of a manifest entry must be below 010000");
  if (auto ok = fields.done(); !ok) return tl::unexpected<Error>(ok.error());
  entry.type = static_cast<EntryType>(found - std::begin(kEntryTypes));
  return entry;
}

}  // namespace

Decoded<nlohmann::json> parse_json(std::string_view text) {
  // Nesting is bounded before the recursive parser sees it: a body of a million "[" must not end the daemon.
  constexpr int kDeepest = 100;
  int depth = 0;
  auto shallow = [&](int at, nlohmann::json::parse_event_t, nlohmann::json&) {
    depth = std::max(depth, at);
    return at <= kDeepest;
  };
  Error error;
  error.kind = ErrorKind::invalid;
  if (text.empty()) {
    error.message = "this is no JSON: it is empty";
    return tl::unexpected<Error>(std::move(error));
  }
  try {
    auto parsed = nlohmann::json::parse(text.begin(), text.end(), shallow);
    if (depth <= kDeepest) return parsed;
    error.message = "the JSON is nested too deep";
  } catch (const nlohmann::json::parse_error& problem) {
    error.message = "this is no JSON: it stops making sense at byte " + std::to_string(problem.byte);
  } catch (const nlohmann::json::exception&) {
    error.message = "this is no JSON: a number in it is out of range";
  }
  return tl::unexpected<Error>(std::move(error));
}

std::string dump(const nlohmann::json& body) {
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json to_json(const VersionInfo& value) {
  return {
      {"version", value.version}, {"api", value.api}, {"api_oldest", value.api_oldest}, {"features", value.features}};
}

Decoded<VersionInfo> version_from_json(const nlohmann::json& body) {
  Fields fields(body, "a version");
  VersionInfo value;
  fields.require("api");
  fields.read("version", value.version);
  fields.read_integer("api", value.api);
  fields.read_integer("api_oldest", value.api_oldest);
  fields.read("features", value.features);
  return finish(fields, value);
}

nlohmann::json to_json(const HostCheck& value) {
  return {{"name", value.name},
          {"ok", value.ok},
          {"required", value.required},
          {"detail", value.detail},
          {"cure", value.cure}};
}

Decoded<HostCheck> host_check_from_json(const nlohmann::json& body) {
  Fields fields(body, "a host check");
  HostCheck value;
  fields.require("name");
  fields.require("ok");
  fields.read("name", value.name);
  fields.read("ok", value.ok);
  fields.read("required", value.required);
  fields.read("detail", value.detail);
  fields.read("cure", value.cure);
  return finish(fields, value);
}

nlohmann::json to_json(const ContextManifest& value) {
  auto entries = nlohmann::json::array();
  for (const auto& entry : value.entries) {
    nlohmann::json row = {{"path", entry.path},
                          {"type", kEntryTypes[static_cast<std::size_t>(entry.type)]},
                          {"mode", entry.mode},
                          {"mtime_ns", entry.mtime_ns}};
    if (entry.type == EntryType::file) {
      row["size"] = entry.size;
      row["digest"] = entry.digest;
    }
    if (entry.type == EntryType::symlink) row["link_target"] = entry.link_target;
    entries.push_back(std::move(row));
  }
  return {{"entries", std::move(entries)}};
}

Decoded<ContextManifest> manifest_from_json(const nlohmann::json& body) {
  Fields fields(body, "a manifest");
  ContextManifest value;
  fields.require("entries");
  if (auto ok = fields.done(); !ok) return tl::unexpected<Error>(ok.error());
  if (auto ok = read_list(fields, "entries", entry_from_json, value.entries); !ok) {
    return tl::unexpected<Error>(ok.error());
  }
  return value;
}

std::string canonical_text(const ContextManifest& manifest) {
  std::vector<const ManifestEntry*> sorted;
  sorted.reserve(manifest.entries.size());
  for (const auto& entry : manifest.entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->path < b->path; });
  std::string text;
  for (const auto* entry : sorted) {
    const bool file = entry->type == EntryType::file;
    nlohmann::json row = {entry->path,
                          kEntryTypes[static_cast<std::size_t>(entry->type)],
                          entry->mode,
                          file ? entry->size : 0,
                          entry->mtime_ns,
                          file ? entry->digest : "",
                          entry->type == EntryType::symlink ? entry->link_target : ""};
    text += dump(row) + "\n";
  }
  return text;
}

nlohmann::json to_json(const ContextStatus& value) {
  return {{"digest", value.digest}, {"missing", value.missing}, {"takes_descriptors", value.takes_descriptors}};
}

Decoded<ContextStatus> context_status_from_json(const nlohmann::json& body) {
  Fields fields(body, "a context status");
  ContextStatus value;
  fields.require("digest");
  fields.require("missing");
  fields.read("digest", value.digest);
  fields.read("missing", value.missing);
  fields.read("takes_descriptors", value.takes_descriptors);
  return finish(fields, value);
}

}  // namespace ingot::proto
