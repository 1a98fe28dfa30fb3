#include "client/locally/errands.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "client/fetch/image_load.h"
#include "client/locally/agent.h"
#include "client/locally/known_hosts.h"
#include "client/locally/local_files.h"
#include "daemon/base/strings.h"
#include "daemon/sys/process.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using proto::LocalErrand;
using proto::LocalFrame;

// The client's own, with what the recipe has in the place of what has the same name.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& given) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string text = *one;
    if (!given.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : given) all.push_back(name + "=" + value);
  return all;
}

}  // namespace

Errands::~Errands() {
  for (auto& [number, errand] : errands_) end(*errand);
  for (auto& [number, errand] : errands_) {
    if (errand->thread.joinable()) errand->thread.join();
    if (!errand->tar.empty()) unlink(errand->tar.c_str());
  }
}

Status Errands::send(LocalFrame kind, std::uint32_t number, std::string_view payload) {
  std::lock_guard lock(send_mutex_);
  return sys::send_frame(socket_, static_cast<std::uint8_t>(kind), number, payload);
}

fs::path Errands::directory_of(const LocalErrand& errand) const {
  return project_ / errand.directory;  // an absolute one takes the project's place
}

void Errands::take(const sys::Frame& frame) {
  forget_ended();
  const auto kind = static_cast<LocalFrame>(frame.kind);
  if (kind == LocalFrame::errand) return begin(frame.number, frame.payload);
  const auto found = errands_.find(frame.number);
  if (found == errands_.end()) return;
  Errand& errand = *found->second;
  if (kind == LocalFrame::cancel) end(errand);
  if (kind == LocalFrame::bytes && errand.what.kind == LocalErrand::Kind::agent) return hear(errand, frame.payload);
  if (kind == LocalFrame::bytes && errand.received && errand.tar_file) {
    errand.received = sys::write_all(errand.tar_file.get(), frame.payload);
  }
  const bool waits_for_more = errand.what.kind == LocalErrand::Kind::give && !errand.thread.joinable();
  if (waits_for_more && (kind == LocalFrame::end || kind == LocalFrame::cancel)) start(frame.number, errand);
}

void Errands::begin(std::uint32_t number, const std::string& text) {
  if (errands_.contains(number)) return;  // no daemon of ours gives a number twice
  auto made = std::make_unique<Errand>();
  Errand& errand = *made;
  errands_[number] = std::move(made);
  auto what = proto::parse_json(text).and_then(proto::local_errand_from_json);
  if (!what) {
    errand.received = base::fail(what.error());
    return start(number, errand);
  }
  errand.what = *std::move(what);
  errand.received = check_permission(errand.what.kind);
  if (errand.what.kind == LocalErrand::Kind::give && errand.received) {
    errand.received = open_tar(errand);
    if (errand.received) return;  // what is given is still to come
  }
  start(number, errand);
}

// Beside its destination, so that the disk that is to have it is the one that is filled.
Status Errands::open_tar(Errand& errand) const {
  const fs::path near = directory_near(directory_of(errand.what), errand.what.destination);
  const fs::path tar = near / (".ingot-new-" + base::random_id(8) + ".ingot-tar");
  INGOT_TRY(errand.tar_file, sys::open_file(tar, O_WRONLY | O_CREAT | O_EXCL, 0600));
  errand.tar = tar;
  return {};
}

void Errands::start(std::uint32_t number, Errand& errand) {
  errand.thread = std::thread([this, number, &errand] { work(number, errand); });
}

void Errands::work(std::uint32_t number, Errand& errand) {
  proto::LocalOutcome outcome;
  Status done = errand.received;
  if (done && errand.cancel.token().canceled()) done = base::fail(ErrorKind::canceled, "canceled");
  if (done) {
    switch (errand.what.kind) {
      case LocalErrand::Kind::run:
        outcome = run(number, errand);
        break;
      case LocalErrand::Kind::take:
        done = take_files(number, errand);
        break;
      case LocalErrand::Kind::give:
        errand.tar_file.reset();
        done = place_local(directory_of(errand.what), errand.tar, errand.what.destination, errand.what.dir);
        break;
      case LocalErrand::Kind::load:
        done = load(errand.what, errand.cancel.token());
        break;
      case LocalErrand::Kind::agent:
        done = speak_to_agent(number, errand);
        break;
      case LocalErrand::Kind::known_hosts:
        done = tell_known_hosts(number, errand);
        break;
    }
  }
  if (!done) outcome.error = done.error();
  (void)send(LocalFrame::outcome, number, proto::dump(proto::to_json(outcome)));
  errand.ended = true;
}

proto::LocalOutcome Errands::run(std::uint32_t number, Errand& errand) {
  constexpr std::chrono::milliseconds kGrace{500};
  proto::LocalOutcome outcome;
  sys::Command command;
  command.argv = {"/bin/sh", "-c", errand.what.command};
  command.environment = environment_with(errand.what.env);
  command.directory = directory_of(errand.what).lexically_normal().string();
  command.grace = kGrace;
  const auto sink = [&](sys::Stream stream, std::string_view bytes) {
    (void)send(stream == sys::Stream::out ? LocalFrame::out : LocalFrame::err, number, bytes);
  };
  const auto ended = sys::system_processes().run(command, sink, errand.cancel.token());
  if (ended) outcome.exit_code = ended->code;
  if (!ended) outcome.error = ended.error();
  return outcome;
}

Status Errands::take_files(std::uint32_t number, Errand& errand) {
  const auto sink = [&](std::string_view bytes) { return send(LocalFrame::bytes, number, bytes); };
  INGOT_CHECK(
      pack_local(directory_of(errand.what), errand.what.source, errand.what.if_exists, sink, errand.cancel.token()));
  return send(LocalFrame::end, number, "");
}

// Into the engine whose program recipes call, where it is here.
Status Errands::load(const LocalErrand& errand, const sys::CancelToken& cancel) const {
  const auto program = image_loader({"docker", "podman"});
  if (!program) {
    return base::fail(ErrorKind::unsupported,
                      "neither docker nor podman is on your side, which WITH DOCKER needs there",
                      "install one of them");
  }
  Daemon daemon(daemon_);
  proto::ImageInfo image;
  image.name = errand.destination;
  image.digest = errand.source;
  return load_image(daemon, image, *program, true, cancel);
}

// No daemon of ours asks for what the job's specification does not say; this side does not take its word for it.
Status Errands::check_permission(LocalErrand::Kind kind) const {
  const bool about_ssh = kind == LocalErrand::Kind::agent || kind == LocalErrand::Kind::known_hosts;
  if (about_ssh ? !permission_.agent.empty() : permission_.locally) return {};
  return base::fail(ErrorKind::denied, about_ssh ? "the user lends no SSH agent to this job"
                                                 : "the user does not let this job run anything on the own side");
}

void Errands::end(Errand& errand) {
  std::lock_guard lock(said_mutex_);  // who waits for more shall not miss it
  errand.cancel.cancel();
  something_said_.notify_all();
}

// Whoever speaks waits for an answer before he goes on, so that more than a few are a mistake, or no good will.
void Errands::hear(Errand& errand, std::string message) {
  constexpr std::size_t kMostUnanswered = 4;
  std::lock_guard lock(said_mutex_);
  if (errand.said.size() >= kMostUnanswered)
    errand.cancel.cancel();
  else
    errand.said.push_back(std::move(message));
  something_said_.notify_all();
}

Status Errands::speak_to_agent(std::uint32_t number, Errand& errand) {
  const auto cancel = errand.cancel.token();
  INGOT_TRY(auto agent, Agent::open(permission_.agent));
  while (true) {
    std::string message;
    {
      std::unique_lock lock(said_mutex_);
      something_said_.wait(lock, [&] { return !errand.said.empty() || cancel.canceled(); });
      if (cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
      message = std::move(errand.said.front());
      errand.said.pop_front();
    }
    INGOT_TRY(const auto answer, agent.ask(message, cancel));
    INGOT_CHECK(send(LocalFrame::bytes, number, answer));
  }
}

Status Errands::tell_known_hosts(std::uint32_t number, Errand& errand) {
  INGOT_TRY(const auto lines,
            known_hosts_of(errand.what.source, known_hosts_files(), sys::system_processes(), errand.cancel.token()));
  return send(LocalFrame::bytes, number, lines);
}

void Errands::forget_ended() {
  for (auto one = errands_.begin(); one != errands_.end();) {
    Errand& errand = *one->second;
    if (!errand.ended) {
      ++one;
      continue;
    }
    errand.thread.join();
    if (!errand.tar.empty()) unlink(errand.tar.c_str());
    one = errands_.erase(one);
  }
}

}  // namespace ingot::client
