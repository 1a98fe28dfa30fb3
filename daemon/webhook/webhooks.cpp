#include "daemon/webhook/webhooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/base/glob.h"
#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/sys/atomic_file.h"
#include "daemon/sys/files.h"
#include "daemon/sys/temp_dir.h"
#include "daemon/webhook/message.h"
#include "proto/version.h"

namespace ingot::webhook {

namespace {

using base::fail;
using std::chrono::milliseconds;

constexpr std::int64_t kFirstPause_ms = 10'000;
constexpr std::int64_t kLongestPause_ms = 3'600'000;
constexpr std::int64_t kPatience_ms = 24 * 3'600'000LL;
constexpr int kDoublings = 9;  // until the longest pause
constexpr milliseconds kAfterTrouble = std::chrono::minutes(1);
constexpr std::uint64_t kLargestSecret = 64U << 10;

// What curl reads as its options, so that no other user of the host sees them.
Result<std::string> options_of(const Delivery& delivery, const Hook& hook, std::int64_t now_ms) {
  const std::int64_t seconds = now_ms / 1000;
  std::string options = fmt::format(
      "url = \"{}\"\nheader = \"Content-Type: application/json\"\nheader = \"User-Agent: ingotd/{}\"\n"
      "header = \"Ingot-Delivery: {}\"\nheader = \"Ingot-Timestamp: {}\"\nheader = \"Expect:\"\n",
      hook.url, proto::kVersion, delivery.number, seconds);
  if (hook.secret_file.empty()) return options;
  INGOT_TRY(const auto secret, sys::read_file(hook.secret_file, kLargestSecret));
  const std::string word(base::trim(secret));
  if (word.empty()) return fail(ErrorKind::invalid, hook.secret_file + " has no secret in it");
  INGOT_TRY(const auto signed_by, signature(word, seconds, delivery.body));
  return options + "header = \"Ingot-Signature: sha256=" + signed_by + "\"\n";
}

}  // namespace

void Webhooks::set_hooks(std::vector<Hook> hooks) {
  {
    const std::lock_guard lock(mutex_);
    hooks_ = std::move(hooks);
  }
  lookout_.wake();
}

void Webhooks::sweep_ended() {
  lookout_.wake();
}

void Webhooks::schedule_failed(const std::string& schedule, const std::string& problem) {
  const auto added = parts_.table.add(urls_of(schedule), message_of_failure(schedule, problem), parts_.clock.unix_ms());
  if (!added) base::log::error("webhooks: {}", added.error().message);
  lookout_.wake();
}

void Webhooks::start() {
  lookout_.start([this] { return look(); });
}

void Webhooks::stop() {
  cancel_.cancel();
  lookout_.stop();
}

std::vector<Hook> Webhooks::hooks() const {
  const std::lock_guard lock(mutex_);
  return hooks_;
}

std::vector<std::string> Webhooks::urls_of(const std::string& name) const {
  std::vector<std::string> urls;
  for (const auto& hook : hooks()) {
    if (hook.match.empty() || base::glob_match(hook.match, name)) urls.push_back(hook.url);
  }
  return urls;
}

Status Webhooks::take_endings() {
  INGOT_TRY(const auto endings, parts_.table.endings());
  for (const auto& ending : endings) INGOT_CHECK(take(ending));
  return {};
}

// What it came to is told as it is now: once it is repeated, it is another thing.
Status Webhooks::take(const DeliveryTable::Ending& ending) {
  const auto sweep = parts_.find_sweep(ending.sweep);
  if (!sweep && sweep.error().kind != ErrorKind::not_found) return fail(sweep.error());
  // One that goes on again has another end.
  const bool has_ended = sweep && proto::is_final(sweep->state);
  return parts_.table.take(ending, has_ended ? urls_of(sweep->name) : std::vector<std::string>(),
                           has_ended ? message_of(*sweep) : "", parts_.clock.unix_ms());
}

std::optional<milliseconds> Webhooks::look() {
  while (!cancel_.token().canceled()) {
    const auto taken = take_endings();
    const auto next = taken ? parts_.table.next() : fail(taken.error());
    if (next && !*next) return std::nullopt;
    const std::int64_t left = next ? (*next)->next_ms - parts_.clock.unix_ms() : 0;
    // Who waits longer was put off by a clock that was wrong.
    if (left > 0 && left <= kLongestPause_ms) return milliseconds(left);
    const auto settled = next ? settle(**next) : fail(next.error());
    if (settled) continue;
    base::log::error("webhooks: {}", settled.error().message);
    return kAfterTrouble;
  }
  return std::nullopt;
}

Status Webhooks::settle(const Delivery& delivery) {
  const auto all = hooks();
  const auto hook = std::find_if(all.begin(), all.end(), [&](const Hook& each) { return each.url == delivery.url; });
  const std::string host = host_of(delivery.url);
  if (hook == all.end()) {
    base::log::warning("webhook of {}: the configuration has it no more; message {} is dropped", host, delivery.number);
    return parts_.table.remove(delivery.number);
  }
  const auto told = deliver(delivery, *hook);
  if (cancel_.token().canceled()) return {};
  if (told) {
    base::log::info("webhook of {}: message {} was taken", host, delivery.number);
    return parts_.table.remove(delivery.number);
  }
  const std::int64_t now = parts_.clock.unix_ms();
  if (now - delivery.since_ms > kPatience_ms) {
    base::log::error("webhook of {}: message {} is given up: {}", host, delivery.number, told.error().message);
    return parts_.table.remove(delivery.number);
  }
  const auto doublings = std::min<std::int64_t>(delivery.attempts, kDoublings);
  const std::int64_t pause = std::min(kFirstPause_ms << doublings, kLongestPause_ms);
  base::log::warning("webhook of {}: {}; trying again in {} s", host, told.error().message, pause / 1000);
  return parts_.table.put_off(delivery, now + pause);
}

Status Webhooks::deliver(const Delivery& delivery, const Hook& hook) {
  INGOT_TRY(const auto options, options_of(delivery, hook, parts_.clock.unix_ms()));
  INGOT_TRY(const auto directory, sys::TempDir::create(parts_.directory, "webhook-"));
  INGOT_CHECK(sys::write_file_durably(directory.path() / "options", options, 0600));
  INGOT_CHECK(sys::write_file_durably(directory.path() / "body", delivery.body, 0600));
  sys::Command command;
  command.argv = {"curl",
                  "--globoff",
                  "--disable",
                  "--config",
                  directory.path() / "options",
                  "--request",
                  "POST",
                  "--data-binary",
                  "@" + (directory.path() / "body").string(),
                  "--silent",
                  "--show-error",
                  "--output",
                  "/dev/null",
                  "--proto",
                  "=http,https",
                  "--connect-timeout",
                  "10",
                  "--max-time",
                  "30",
                  "--write-out",
                  "%{http_code}"};
  if (!hook.ca_file.empty()) command.argv.insert(command.argv.end(), {"--cacert", hook.ca_file});
  command.timeout = std::chrono::minutes(1);
  INGOT_TRY(const auto answer, sys::capture(parts_.processes, command, cancel_.token()));
  if (!answer.status.ok()) return fail(ErrorKind::unavailable, std::string(base::trim(answer.err)));
  if (!answer.out.starts_with('2')) return fail(ErrorKind::unavailable, "it answered " + answer.out);
  return {};
}

}  // namespace ingot::webhook
