#pragma once

#include <string>
#include <vector>

namespace ingot::earthfile {

// Where a step of WITH DOCKER finds things.
inline constexpr const char* kDockerRun = "/run/ingot-docker";        // memory, of the step alone
inline constexpr const char* kDockerImages = "/run/ingot-images";     // a directory of each image, numbered from 1
inline constexpr const char* kDockerStore = "/var/lib/ingot-docker";  // what containers and images are kept in

struct DockerScript {
  std::vector<std::string> images;  // their names, in the order of their directories
  bool keeps_store = false;         // --cache-id: what is in the store is for later steps too
  std::vector<std::string> pulled;  // locally: names of images that the engine fetches itself
  std::string platform;             // locally: of those; empty: the engine's own
  std::vector<std::string> compose_files;
  std::vector<std::string> services;
  std::string command;  // for /bin/sh
};

// The text for /bin/sh that begins podman, or docker where the image has no podman, gives it the images and the
// services, runs the command, ends all of it, and ends as the command did.
std::string docker_script(const DockerScript& script);
// Under LOCALLY, for the shell and the engine of who builds, which has the step's images by then.
std::string local_docker_script(const DockerScript& script);

}  // namespace ingot::earthfile
