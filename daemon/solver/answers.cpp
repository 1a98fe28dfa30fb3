#include "daemon/solver/answers.h"

#include <fcntl.h>

#include <charconv>

namespace ingot::solver {

namespace {

constexpr const char* kExitCode = "exit-code";
constexpr const char* kOutput = "output";

Status write(const sys::fs::path& path, const std::string& text) {
  INGOT_TRY(auto file, sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return sys::write_all(file.get(), text);
}

}  // namespace

Status write_answer(const sys::fs::path& layer, const graph::Answer& answer) {
  INGOT_CHECK(write(layer / kExitCode, std::to_string(answer.exit_code)));
  return write(layer / kOutput, answer.output);
}

Result<graph::Answer> read_answer(const sys::fs::path& layer) {
  graph::Answer answer;
  INGOT_TRY(const auto code, sys::read_file(layer / kExitCode, 16));
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), answer.exit_code);
  if (error != std::errc() || end != code.data() + code.size()) {
    return base::fail(ErrorKind::internal, "a kept answer has no exit code: " + layer.string(), "ingotd --fsck=full");
  }
  INGOT_TRY(answer.output, sys::read_file(layer / kOutput, kLongestAnswer));
  return answer;
}

}  // namespace ingot::solver
