#include "daemon/text/fail_at.h"

#include <utility>

namespace ingot::text {

tl::unexpected<Error> fail_at(const Place& place, ErrorKind kind, std::string message, std::string hint) {
  Error error{kind, std::move(message), std::move(hint), {}, {}};
  if (place.source != nullptr) error.position = place.position();
  return base::fail(std::move(error));
}

Error joined(std::vector<Error> errors) {
  Error error = std::move(errors.front());
  for (std::size_t i = 1; i < errors.size(); ++i) error.context.push_back(proto::render(errors[i]));
  return error;
}

}  // namespace ingot::text
