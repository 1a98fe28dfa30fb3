#include "client/commands/common.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::client {

using base::fail;

Daemon open_daemon(const Invocation& invocation) {
  const char* environment = std::getenv("INGOT_SOCKET");
  const std::string fallback = environment != nullptr && *environment != '\0' ? environment : "/run/ingot/ingotd.sock";
  return Daemon(invocation.value("--socket", fallback));
}

std::filesystem::path project_directory(const Invocation& invocation) {
  return invocation.value("--directory", ".");
}

Result<Style> output_style(const Invocation& invocation) {
  const std::string when = invocation.value("--color", "auto");
  if (when == "always") return Style{true};
  if (when == "never") return Style{false};
  if (when != "auto") return fail(ErrorKind::usage, "--color is auto, always or never, not \"" + when + "\"");
  const char* no_color = std::getenv("NO_COLOR");
  return Style{isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0')};
}

void print_json(const nlohmann::json& body) {
  std::printf("%s\n", proto::dump(body).c_str());
}

nlohmann::json jobs_json(const std::vector<proto::Job>& jobs) {
  auto list = nlohmann::json::array();
  for (const auto& job : jobs) list.push_back(proto::to_json(job));
  return {{"jobs", list}};
}

nlohmann::json job_json(const proto::Job& job, const proto::JobResults& results) {
  auto body = proto::to_json(job);
  body.update(proto::to_json(results));
  return body;
}

int report(const Error& error) {
  std::fprintf(stderr, "ingot: %s\n", visible_lines(proto::render(error)).c_str());
  return proto::info(error.kind).exit_code;
}

void report_warning(const Error& warning) {
  std::fprintf(stderr, "ingot: warning: %s\n", visible_lines(proto::render(warning)).c_str());
}

namespace {

tl::unexpected<Error> wrong_words(const Invocation& invocation, const std::string& what) {
  const CommandInfo* command = find_command(invocation.command);
  return fail(ErrorKind::usage, "ingot " + invocation.command + " needs " + what,
              "usage: ingot " + invocation.command + " " + (command == nullptr ? "" : command->synopsis));
}

}  // namespace

Result<std::string> only_word(const Invocation& invocation, const std::string& what) {
  if (invocation.words.size() == 1) return invocation.words.front();
  return wrong_words(invocation, what);
}

Status need_words(const Invocation& invocation, const std::string& what) {
  if (!invocation.words.empty()) return {};
  return wrong_words(invocation, what);
}

Result<std::uint64_t> number_flag(const Invocation& invocation, const std::string& flag, std::uint64_t fallback) {
  if (!invocation.has(flag)) return fallback;
  const std::string text = invocation.value(flag);
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return fail(ErrorKind::usage, flag + " takes a number, not \"" + text + "\"");
}

bool has_results(const proto::Job& job) {
  return job.state == proto::JobState::succeeded || job.state == proto::JobState::failed;
}

int exit_code_of(const proto::Job& job) {
  if (job.state == proto::JobState::succeeded) return 0;
  return proto::info(job.error ? job.error->kind : ErrorKind::internal).exit_code;
}

}  // namespace ingot::client
