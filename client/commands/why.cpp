#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "daemon/base/strings.h"

namespace ingot::client {

namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// What the cache's word for it means.
std::string meaning(const proto::StepReport& step) {
  if (step.how == "executed") return fmt::format("ran, {}", base::human_duration(step.seconds));
  if (step.how == "failed") return fmt::format("failed after {}", base::human_duration(step.seconds));
  if (step.how == "cached") return "did not run: the same step was run before";
  if (step.how == "same inputs") return "did not run: what it stands on came out as it was before";
  if (step.how == "same content") return "did not run: all that it reads has the content that it had before";
  if (step.how == "not needed") return "did not run: all that stands on it is there";
  if (step.how == "image") return "an image";
  return visible(step.how);
}

void print(const proto::StepReport& step) {
  std::printf("%s %s %s\n  %s\n", step.step.c_str(), visible(step.target).c_str(), visible(step.text).c_str(),
              meaning(step).c_str());
  constexpr std::size_t kMostReasons = 20;
  for (std::size_t i = 0; i < std::min(step.reasons.size(), kMostReasons); ++i) {
    std::printf("  - %s\n", visible(step.reasons[i]).c_str());
  }
  if (step.reasons.size() > kMostReasons) {
    std::printf("  - and %zu more (--json prints all)\n", step.reasons.size() - kMostReasons);
  }
  if (!step.compared_with.empty()) std::printf("  compared with job %s\n", visible(step.compared_with).c_str());
}

}  // namespace

Result<int> run_why(const Invocation& invocation) {
  INGOT_CHECK(need_words(invocation, "a job"));
  if (invocation.words.size() > 2) {
    return base::fail(ErrorKind::usage, "why takes a job and at most one step", "quote a step's text");
  }
  INGOT_TRY(auto steps, open_daemon(invocation).steps(invocation.words.front()));
  if (invocation.words.size() == 2) {
    const std::string& wanted = invocation.words.back();
    std::erase_if(steps, [&](const auto& step) {
      return is_number(wanted) ? step.step != wanted : step.text.find(wanted) == std::string::npos;
    });
    if (steps.empty()) {
      return base::fail(ErrorKind::not_found, "the job has no step \"" + base::printable(wanted) + "\"",
                        "`ingot why " + invocation.words.front() + "` lists them");
    }
  }
  if (wants_json(invocation)) {
    auto list = nlohmann::json::array();
    for (const auto& step : steps) list.push_back(proto::to_json(step));
    print_json({{"steps", list}});
    return 0;
  }
  for (const auto& step : steps) print(step);
  return 0;
}

}  // namespace ingot::client
