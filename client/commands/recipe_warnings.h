#pragma once

#include <filesystem>
#include <string>

#include "client/cli/command_table.h"

namespace ingot::client {

// Tells on standard error what lint has to say of the recipes that a target is built from, each in a line; of others it
// says nothing, nor with --quiet. With --strict it tells all of them, and any is kind `invalid`. What cannot be read is
// the daemon's to tell.
Status tell_recipe_warnings(const Invocation& invocation, const std::filesystem::path& project,
                            const std::string& target);

}  // namespace ingot::client
