#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The parameters of an edge project as CanvOS has them: what its users write into `.arg`.
namespace ingot::edge {

enum class Shape {
  text,        // anything
  flag,        // true or false
  choice,      // one of `choices`
  number,      // a whole number
  registry,    // host[:port][/path], without a scheme
  repository,  // a name of an image, without registry and tag
  tag,         // what may stand in an image's tag
  file_name,   // one name, without a directory
  file,        // a file of the project
};

struct Parameter {
  std::string_view name;
  Shape shape = Shape::text;
  std::vector<std::string_view> choices = {};
};

const std::vector<Parameter>& known_parameters();
const Parameter* find_parameter(std::string_view name);

// The versions that an operating system has images of; empty: it is not known which.
std::vector<std::string_view> versions_of(std::string_view os_distribution);

// Why a value cannot be one of this parameter, and what may be meant: ("is not a ...", "did you mean ..."); none when
// it can.
struct Objection {
  std::string message;
  std::string hint;
};
std::optional<Objection> object_to(const Parameter& parameter, const std::string& value);

}  // namespace ingot::edge
