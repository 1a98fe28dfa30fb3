#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "client/cli/command_table.h"
#include "client/render/event_view.h"

// What the commands share.
namespace ingot::client {

Daemon open_daemon(const Invocation& invocation);
std::filesystem::path project_directory(const Invocation& invocation);
Result<Style> output_style(const Invocation& invocation);
inline bool is_quiet(const Invocation& invocation) {
  return invocation.has("--quiet");
}
inline bool is_verbose(const Invocation& invocation) {
  return invocation.has("--verbose");
}
inline bool wants_json(const Invocation& invocation) {
  return invocation.has("--json");
}
void print_json(const nlohmann::json& body);
nlohmann::json jobs_json(const std::vector<proto::Job>& jobs);  // {"jobs": [...]}
// A job with its artifacts, as `show` and `build` print it.
nlohmann::json job_json(const proto::Job& job, const proto::JobResults& results);
// "ingot: ..." on stderr, as main() prints the error that ends the program; returns its exit code.
int report(const Error& error);
// "ingot: warning: ..." on stderr.
void report_warning(const Error& warning);

// The words that a command needs: exactly one, or at least one. Kind `usage` with the synopsis otherwise.
Result<std::string> only_word(const Invocation& invocation, const std::string& what);
Status need_words(const Invocation& invocation, const std::string& what);
Result<std::uint64_t> number_flag(const Invocation& invocation, const std::string& flag, std::uint64_t fallback);

// 0 for a job that succeeded, else what its error's kind says.
int exit_code_of(const proto::Job& job);
// Whether what it made is to be fetched: also of one that failed, of which FINALLY may have saved something, or that
// was built and not pushed.
bool has_results(const proto::Job& job);

}  // namespace ingot::client
