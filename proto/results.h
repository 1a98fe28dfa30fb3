#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proto/codec.h"

namespace ingot::proto {

struct ImageLayer {
  std::string digest;
  std::uint64_t size = 0;  // as it travels
  std::string media_type;
};

// An image that a job made, as its manifest says it; of an image of several platforms, one for each.
struct JobImage {
  std::string name;
  std::string digest;    // of its manifest
  std::string index;     // of the index that it is part of; empty: it has its name alone
  std::string platform;  // "linux/amd64"
  std::uint64_t size = 0;
  std::string config;  // digest of its configuration
  std::vector<ImageLayer> layers;
  std::map<std::string, std::string> annotations;
};

// What GET /v1/jobs/{id} has of a job that ended, besides the job.
struct JobResults {
  std::vector<Artifact> artifacts;
  std::vector<JobImage> images;
  std::string pack_manifest;  // what a cluster profile says of its provider images; empty: it made none
};

// The members that they have in the job's document.
nlohmann::json to_json(const JobResults& value);
Decoded<JobResults> job_results_from_json(const nlohmann::json& body);

}  // namespace ingot::proto
