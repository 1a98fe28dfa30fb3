#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/sys/cancel.h"

// Files of this side on their way to and from the daemon, under LOCALLY.
namespace ingot::client {

// Hands on a tar of all that a path or glob, seen from `directory`, matches: each under its own name, those outside of
// the directory under the name that they have from the root on. Nothing at all is kind `not_found`, unless it may be.
Status pack_local(const std::filesystem::path& directory, const std::string& source, bool if_exists,
                  const std::function<Status(std::string_view)>& sink, const sys::CancelToken& cancel);

// Puts what is at the top of a tar to its destination, as COPY does: see LocalErrand. What is there already stays, but
// for files of the same names.
Status place_local(const std::filesystem::path& directory, const std::filesystem::path& tar,
                   const std::string& destination, bool dir);

// Where files on their way to the destination may lie: on its file system, as near as there is a directory.
std::filesystem::path directory_near(const std::filesystem::path& directory, const std::string& destination);

}  // namespace ingot::client
