#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

// What a YAML document may say, as data: the checks and the published JSON Schema are made from the same tree.
namespace ingot::edge {

struct Schema {
  enum class Kind {
    text,     // any one value
    texts,    // the same, or a list of them
    boolean,  // true or false, without quotes
    integer,
    list,    // of `each`
    map,     // names of the user's to `each`
    object,  // `fields`, and nothing else that is meant
    stages,  // names of stages to lists of `each`
    any,
  };
  Kind kind = Kind::any;
  std::vector<Schema> fields = {};        // of an object, each with a name
  std::string name = {};                  // as a field
  bool is_required = false;               // as a field
  std::vector<Schema> each = {};          // one, or none for anything
  std::vector<std::string> choices = {};  // of a text
  std::string pattern = {};               // a regular expression that the whole text fits
  std::string example = {};               // told with what does not fit
  bool is_secret = false;                 // nothing of it is ever shown
  int least = 0;                          // of an integer
  int most = 0;                           // of an integer; 0: no limit
};

// What user-data of an edge installer may say.
const Schema& user_data_schema();
// What EDGE_CUSTOM_CONFIG may say.
const Schema& custom_config_schema();
// The names that a stage may have, without .before and .after.
const std::vector<std::string>& stage_names();

// As JSON Schema (draft 2020-12).
nlohmann::ordered_json json_schema(const Schema& schema, const std::string& title);

}  // namespace ingot::edge
