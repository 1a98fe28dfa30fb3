#include "daemon/jobs/client_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/base/strings.h"

namespace ingot::jobs {

namespace {

using base::fail;
using proto::LocalFrame;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGlance{50};  // at a cancel, of which nothing else tells
constexpr std::chrono::seconds kLastWords{5};     // for the outcome of what was canceled
constexpr std::chrono::seconds kPatience{10};     // for a client to come
constexpr std::size_t kLargestInbox = 8U << 20;   // then the client waits
constexpr std::size_t kLargestSaid = 1U << 20;    // at once; clients say what is long in parts
constexpr std::size_t kPart = 256U << 10;

tl::unexpected<Error> timed_out(std::chrono::milliseconds limit) {
  return fail(ErrorKind::timed_out,
              "what the client does for it ran into the time limit of " +
                  base::human_duration(std::chrono::duration<double>(limit).count()) + " for one step",
              "limits.step_timeout in the daemon's configuration sets it");
}

tl::unexpected<Error> gone() {
  return fail(ErrorKind::unavailable, "the client that does what LOCALLY says, and lends its SSH agent, is gone",
              "build again, and let `ingot build` run until the job has ended");
}

}  // namespace

ClientChannel::ClientChannel(sys::UniqueFd socket) : socket_(std::move(socket)), reader_([this] { read(); }) {}

ClientChannel::~ClientChannel() {
  close();
  reader_.join();
}

bool ClientChannel::is_open() const {
  pollfd other_end{socket_.get(), 0, 0};
  poll(&other_end, 1, 0);  // before the reader is there
  std::lock_guard lock(mutex_);
  return open_ && (other_end.revents & (POLLHUP | POLLERR)) == 0;
}

bool ClientChannel::is_ready() const {
  std::lock_guard lock(mutex_);
  return open_ && ready_;
}

void ClientChannel::close() {
  shutdown(socket_.get(), SHUT_RDWR);  // the reader wakes, and tells the others
}

// The reader's thread.
void ClientChannel::read() {
  while (true) {
    auto frame = sys::receive_frame(socket_.get(), kLargestSaid);
    std::unique_lock lock(mutex_);
    if (!frame || !*frame) break;
    const auto number = (*frame)->number;
    if (static_cast<LocalFrame>((*frame)->kind) == LocalFrame::ready) ready_ = true;
    const auto has_room = [&] {
      const auto errand = errands_.find(number);
      return errand == errands_.end() || errand->second.bytes < kLargestInbox;
    };
    changed_.wait(lock, has_room);
    if (const auto errand = errands_.find(number); errand != errands_.end()) {
      errand->second.bytes += (*frame)->payload.size();
      errand->second.inbox.push_back(std::move(**frame));
    }
    changed_.notify_all();
  }
  std::lock_guard lock(mutex_);
  open_ = false;
  changed_.notify_all();
}

Status ClientChannel::send(LocalFrame kind, std::uint32_t number, std::string_view payload, const Patience& patience) {
  std::lock_guard lock(send_mutex_);
  // A client that takes nothing for so long after a cancel is as good as gone, and so is the connection.
  auto over_at = Clock::time_point::max();
  auto sent = sys::send_frame(socket_.get(), static_cast<std::uint8_t>(kind), number, payload, [&] {
    if (patience.is_over()) over_at = std::min(over_at, Clock::now());
    return over_at != Clock::time_point::max() && Clock::now() > over_at + kLastWords;
  });
  if (sent) return {};
  shutdown(socket_.get(), SHUT_RDWR);
  if (patience.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  return Clock::now() > patience.until ? timed_out(patience.limit) : gone();
}

// As much as is wanted: who cannot take it says so before its end.
Status ClientChannel::send_tar(std::uint32_t number, const sys::fs::path& tar, const Patience& patience) {
  INGOT_TRY(auto file, sys::open_file(tar, O_RDONLY));
  std::string part(kPart, '\0');
  while (!patience.is_over() && !has_heard(number)) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "cannot read " + tar.string());
    if (got == 0) break;
    INGOT_CHECK(send(LocalFrame::bytes, number, {part.data(), static_cast<std::size_t>(got)}, patience));
  }
  return patience.is_over() ? Status() : send(LocalFrame::end, number, "", patience);
}

Result<proto::LocalOutcome> ClientChannel::run(const Wanted& wanted, const sys::CancelToken& cancel) {
  INGOT_TRY(const auto number, enter());
  Patience patience{cancel, wanted.time_limit};
  if (wanted.time_limit.count() > 0) patience.until = Clock::now() + wanted.time_limit;
  auto outcome = [&]() -> Result<proto::LocalOutcome> {
    INGOT_CHECK(send(LocalFrame::errand, number, proto::dump(proto::to_json(wanted.errand)), patience));
    // Who goes may have said the outcome before.
    auto sent = wanted.tar ? send_tar(number, *wanted.tar, patience) : Status();
    if (!sent && sent.error().kind != ErrorKind::unavailable) return fail(sent.error());
    return wait(wanted, number, patience);
  }();
  leave(number);
  return outcome;
}

Result<std::uint32_t> ClientChannel::enter() {
  std::lock_guard lock(mutex_);
  if (!open_) return gone();
  errands_[++last_];
  return last_;
}

void ClientChannel::leave(std::uint32_t number) {
  std::lock_guard lock(mutex_);
  errands_.erase(number);
  changed_.notify_all();
}

Result<std::unique_ptr<ClientChannel::Talk>> ClientChannel::begin(const proto::LocalErrand& errand,
                                                                  const sys::CancelToken& cancel) {
  INGOT_TRY(const auto number, enter());
  std::unique_ptr<Talk> talk(new Talk(*this, number));
  INGOT_CHECK(send(LocalFrame::errand, number, proto::dump(proto::to_json(errand)), {cancel}));
  return talk;
}

ClientChannel::Talk::~Talk() {
  // Told as after a cancel: a client that takes nothing any more is cut off.
  sys::CancelSource now;
  now.cancel();
  if (!ended_ && channel_.is_open()) (void)channel_.send(LocalFrame::cancel, number_, "", {now.token()});
  channel_.leave(number_);
}

Result<std::string> ClientChannel::Talk::ask(std::string_view what, const sys::CancelToken& cancel) {
  if (ended_) return gone();
  INGOT_CHECK(channel_.send(LocalFrame::bytes, number_, what, {cancel}));
  while (true) {
    auto [frame, was_last] = channel_.next(number_);
    if (frame && static_cast<LocalFrame>(frame->kind) == LocalFrame::bytes) return std::move(frame->payload);
    if (frame && static_cast<LocalFrame>(frame->kind) == LocalFrame::outcome) {
      ended_ = true;
      const auto outcome = proto::parse_json(frame->payload).and_then(proto::local_outcome_from_json);
      if (!outcome) return fail(outcome.error());
      if (outcome->error) return fail(*outcome->error);
      return fail(ErrorKind::unavailable, "the client ended it");
    }
    if (was_last) return gone();
    if (cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  }
}

ClientChannel::Heard ClientChannel::next(std::uint32_t number) {
  std::unique_lock lock(mutex_);
  Errand& errand = errands_.at(number);
  changed_.wait_for(lock, kGlance, [&] { return !errand.inbox.empty() || !open_; });
  if (errand.inbox.empty()) return {std::nullopt, !open_};
  sys::Frame frame = std::move(errand.inbox.front());
  errand.inbox.pop_front();
  errand.bytes -= frame.payload.size();
  changed_.notify_all();
  return {std::move(frame), false};
}

bool ClientChannel::has_heard(std::uint32_t number) const {
  std::lock_guard lock(mutex_);
  return !errands_.at(number).inbox.empty();
}

Result<proto::LocalOutcome> ClientChannel::wait(const Wanted& wanted, std::uint32_t number, const Patience& patience) {
  std::optional<Clock::time_point> last_words;  // until when, since it was told to end
  Status ended;                                 // why
  while (true) {
    const auto [frame, was_last] = next(number);
    if (frame && static_cast<LocalFrame>(frame->kind) == LocalFrame::outcome) {
      if (!ended) return fail(ended.error());
      auto body = proto::parse_json(frame->payload);
      if (!body) return fail(body.error());
      return proto::local_outcome_from_json(*body);
    }
    if (frame && ended && wanted.take) {
      ended = wanted.take(static_cast<LocalFrame>(frame->kind), frame->payload);
    }
    if (was_last) return ended ? gone() : fail(ended.error());
    if (ended && patience.cancel.canceled()) ended = fail(ErrorKind::canceled, "canceled");
    if (ended && Clock::now() > patience.until) {
      ended = timed_out(patience.limit);
    }
    if (ended) continue;
    if (!last_words) {
      last_words = Clock::now() + kLastWords;
      (void)send(LocalFrame::cancel, number, "", patience);
    }
    if (Clock::now() > *last_words) return fail(ended.error());
  }
}

Status ClientChannels::check_room(const std::string& job, bool is_running) {
  std::lock_guard lock(mutex_);
  drop_closed();
  if (channels_.contains(job)) {
    return fail(ErrorKind::unavailable, "another client does what job " + job + " asks of it",
                "it is asked as long as it is there; try again later");
  }
  if (!is_running && channels_.size() >= most_waiting_) {
    return fail(ErrorKind::unavailable, "too many clients wait to do what their jobs ask of them", "try again later");
  }
  return {};
}

void ClientChannels::attach(const std::string& job, sys::UniqueFd socket) {
  fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) & ~O_NONBLOCK);
  std::lock_guard lock(mutex_);
  drop_closed();
  if (!channels_.contains(job)) channels_.emplace(job, std::make_shared<ClientChannel>(std::move(socket)));
  changed_.notify_all();
}

// Under the lock.
void ClientChannels::drop_closed() {
  for (auto one = channels_.begin(); one != channels_.end();) {
    one = one->second->is_open() ? std::next(one) : channels_.erase(one);
  }
}

Result<std::shared_ptr<ClientChannel>> ClientChannels::get(const std::string& job, const sys::CancelToken& cancel) {
  const auto until = Clock::now() + kPatience;
  std::unique_lock lock(mutex_);
  while (Clock::now() < until) {
    if (cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
    if (const auto found = channels_.find(job);
        found != channels_.end() && found->second->is_open() && found->second->is_ready()) {
      return found->second;
    }
    changed_.wait_for(lock, kGlance);
  }
  return gone();
}

void ClientChannels::end(const std::string& job) {
  std::lock_guard lock(mutex_);
  if (const auto found = channels_.find(job); found != channels_.end()) {
    found->second->close();
    channels_.erase(found);
  }
}

}  // namespace ingot::jobs
