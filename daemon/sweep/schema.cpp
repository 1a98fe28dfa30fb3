#include "daemon/edge/schema_words.h"
#include "daemon/sweep/specification.h"

namespace ingot::sweep {

using namespace edge::words;

namespace {

constexpr const char* kDuration = "([0-9]+(\\.[0-9]+)?(ms|[smhd])?)+";

edge::Schema duration() {
  return fits(kDuration, "90m");
}

edge::Schema target() {
  return fits("\\+.+", "+provider-image");
}

}  // namespace

const edge::Schema& sweep_schema() {
  static const edge::Schema kSchema =
      object({{"name", fits("[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "nightly")},
              {"project", text()},
              {"targets", list(target()), true},
              {"base", target()},
              {"args", map(text())},
              {"axes", map(texts()), true},
              {"include", list(map(text()))},
              {"exclude", list(map(text()))},
              {"overrides", list(object({{"when", map(text()), true},
                                         {"args", map(text())},
                                         {"timeout", duration()},
                                         {"priority", integer(-1000, 1000)}}))},
              {"secrets", list(text())},
              {"push", boolean()},
              {"publish", one_of({"each", "all-or-nothing"})},
              {"priority", integer(-1000, 1000)},
              {"timeout", duration()},
              {"limits", object({{"parallel", integer(1, 1000)},
                                 {"time", duration()},
                                 {"disk", fits("[0-9]+(\\.[0-9]+)?[KMGTPkmgtp]?i?B?", "200G")}})},
              {"retention", object({{"jobs", duration()}, {"artifacts", duration()}})},
              {"on-failure", one_of({"keep-going", "stop"})},
              {"stop-after", integer(1, 100000)}});
  return kSchema;
}

}  // namespace ingot::sweep
