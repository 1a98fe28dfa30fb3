#pragma once

#include <string>

#include "daemon/earthfile/ast.h"
#include "daemon/earthfile/describe.h"

// What a target takes and gives, for people.
namespace ingot::client {

// "--NAME", "--NAME=default".
std::string arg_synopsis(const earthfile::ArgInfo& arg);
// The first line of a comment.
std::string first_line(const std::string& doc);

// The target with its ARGs, and its comment; with `all` also sections of its ARGs, of those that every target of the
// file has, artifacts and images, each with its comment. Every line is indented by `indent`.
std::string recipe_text(const earthfile::File& file, const earthfile::Recipe& target, bool all,
                        const std::string& indent);

}  // namespace ingot::client
