#include "daemon/text/fail_at.h"

#include <sstream>
#include <utility>

namespace ingot::text {

tl::unexpected<Error> fail_at(const Place& place, ErrorKind kind, std::string message, std::string hint) {
  Error error{kind, std::move(message), std::move(hint), {}, {}};
  if (place.source != nullptr) error.position = place.position();
  return base::fail(std::move(error));
}

Error joined(std::vector<Error> errors) {
  Error error = std::move(errors.front());
  if (errors.size() == 1) return error;
  // Each with its own hint, where it belongs.
  if (!error.hint.empty()) error.context.push_back("hint: " + std::exchange(error.hint, {}));
  for (std::size_t i = 1; i < errors.size(); ++i) {
    std::istringstream lines(proto::render(errors[i]));
    for (std::string line; std::getline(lines, line);) error.context.push_back(std::move(line));
  }
  return error;
}

}  // namespace ingot::text
