#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/submission.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

void print_text(const proto::Plan& plan, bool quiet) {
  std::string target;
  std::map<std::string, int> counts;
  for (const auto& step : plan.steps) {
    if (step.text.empty()) continue;  // one that nobody wrote
    ++counts[step.state];
    if (step.target != target) std::printf("%s\n", visible(step.target).c_str());
    target = step.target;
    std::printf("  %4s  %-10s  %s\n", step.step.c_str(), visible(step.state).c_str(), visible(step.text).c_str());
  }
  for (const auto& result : plan.results) {
    const std::string platform = result.platform.empty() ? "" : " (" + visible(result.platform) + ")";
    std::printf("%s %s%s\n", visible(result.kind).c_str(), visible(result.name).c_str(), platform.c_str());
  }
  if (quiet) return;
  for (const auto& warning : plan.warnings) std::printf("warning: %s\n", visible(warning).c_str());
  std::printf("%d run, %d may run, %d cached, %d not needed\n", counts["runs"], counts["may run"], counts["cached"],
              counts["not needed"]);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : visible(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void print_dot(const proto::Plan& plan) {
  std::printf("digraph plan {\n  rankdir=BT; node [shape=box, style=filled, fillcolor=white];\n");
  for (const auto& step : plan.steps) {
    const bool there = step.state == "cached" || step.state == "not needed";
    const std::string text = step.text.empty() ? "files of " + step.target : step.target + " " + step.text;
    std::printf("  s%s [label=%s%s];\n", step.step.c_str(), quoted(text).c_str(), there ? ", fillcolor=lightgrey" : "");
    for (const auto& input : step.inputs) std::printf("  s%s -> s%s;\n", step.step.c_str(), input.c_str());
  }
  for (std::size_t i = 0; i < plan.results.size(); ++i) {
    const auto& result = plan.results[i];
    std::printf("  r%zu [label=%s, shape=ellipse];\n  r%zu -> s%s;\n", i,
                quoted(result.kind + " " + result.name).c_str(), i, result.step.c_str());
  }
  std::printf("}\n");
}

}  // namespace

Result<int> run_plan(const Invocation& invocation) {
  const std::string format = invocation.value("--format", "text");
  if (format != "text" && format != "dot") {
    return base::fail(ErrorKind::usage, "--format is text or dot, not \"" + base::printable(format) + "\"",
                      "for JSON say --json");
  }
  Daemon daemon = open_daemon(invocation);
  INGOT_TRY(const auto prepared, prepare_project(invocation, daemon, [](const UploadProgress&) {}));
  proto::Secrets secrets;  // a plan needs those for git alone
  INGOT_CHECK(add_git_credentials(project_directory(invocation), prepared.hosts, secrets));
  INGOT_TRY(auto plan, daemon.plan(prepared.spec, secrets));
  if (wants_json(invocation))
    print_json(proto::to_json(plan));
  else if (format == "dot")
    print_dot(plan);
  else
    print_text(plan, is_quiet(invocation));
  return 0;
}

}  // namespace ingot::client
