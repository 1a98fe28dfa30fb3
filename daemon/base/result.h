#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "proto/error.h"

namespace ingot::base {

using proto::Error;
using proto::ErrorKind;
using proto::Position;

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message, std::string hint = {}) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return fail(std::move(error));
}

// The failure of a system call: "what: strerror", with ENOSPC, EACCES, ENOENT... as their kinds and cures.
tl::unexpected<Error> fail_errno(int error_number, const std::string& what);

inline Error with_context(Error error, std::string context) {
  error.context.push_back(std::move(context));
  return error;
}

}  // namespace ingot::base

// The vocabulary that every folder speaks without a prefix.
namespace ingot {
using base::Error;
using base::ErrorKind;
using base::Result;
using base::Status;
}  // namespace ingot

#define INGOT_CONCAT_INNER(a, b) a##b
#define INGOT_CONCAT(a, b) INGOT_CONCAT_INNER(a, b)

// INGOT_TRY(auto file, open(path)): declares `file`, or returns open's error to the caller. These two are the project's
// only macros: without them every call that can fail is four lines, and the path that matters is hard to read.
// __COUNTER__, not __LINE__, names their variables: they may stand in a lambda inside another one's argument.
#define INGOT_TRY_INNER(result, declaration, ...)                              \
  auto result = (__VA_ARGS__);                                                 \
  if (!result) return tl::unexpected<ingot::Error>(std::move(result).error()); \
  declaration = *std::move(result)
#define INGOT_TRY(declaration, ...) INGOT_TRY_INNER(INGOT_CONCAT(ingot_result_, __COUNTER__), declaration, __VA_ARGS__)

// INGOT_CHECK(sync(file)): the same for calls that return no value.
#define INGOT_CHECK_INNER(status, ...) \
  if (auto status = (__VA_ARGS__); !status) return tl::unexpected<ingot::Error>(std::move(status).error())
#define INGOT_CHECK(...) INGOT_CHECK_INNER(INGOT_CONCAT(ingot_status_, __COUNTER__), __VA_ARGS__)
