#include "daemon/pipeline/job_client.h"

#include <fcntl.h>

#include "daemon/jobs/lend_agent.h"
#include "daemon/sys/files.h"

namespace ingot::pipeline {

using proto::LocalErrand;
using proto::LocalFrame;

// What the client could not do at all is told in its own words.
Result<proto::LocalOutcome> JobClient::send(const jobs::ClientChannel::Wanted& wanted, const sys::CancelToken& cancel) {
  INGOT_TRY(const auto channel, channels_.get(job_, cancel));
  INGOT_TRY(auto outcome, channel->run(wanted, cancel));
  if (!outcome.error) return outcome;
  outcome.error->position.reset();  // it knows no recipe
  return base::fail(*std::move(outcome.error));
}

Result<int> JobClient::run(const Command& command, const sys::OutputSink& output, const sys::CancelToken& cancel) {
  constexpr std::chrono::milliseconds kGlance{50};
  while (!commands_.try_acquire_for(kGlance)) {
    if (cancel.canceled()) return base::fail(ErrorKind::canceled, "canceled");
  }
  const auto free_the_place = std::shared_ptr<void>(nullptr, [this](void*) { commands_.release(); });
  jobs::ClientChannel::Wanted wanted;
  wanted.errand.kind = LocalErrand::Kind::run;
  wanted.errand.directory = command.directory;
  wanted.errand.command = command.text;
  for (const auto& [name, value] : command.env) wanted.errand.env[name] = value;
  wanted.time_limit = command.limit;
  wanted.take = [&](LocalFrame kind, std::string_view bytes) -> Status {
    if (kind == LocalFrame::out) output(sys::Stream::out, bytes);
    if (kind == LocalFrame::err) output(sys::Stream::err, bytes);
    return {};
  };
  INGOT_TRY(const auto outcome, send(wanted, cancel));
  return outcome.exit_code;
}

Status JobClient::take(const graph::TakeOp& op, const Transfer& into, const sys::CancelToken& cancel) {
  INGOT_TRY(const auto file, sys::open_file(into.tar, O_WRONLY | O_CREAT | O_EXCL, 0600));
  jobs::ClientChannel::Wanted wanted;
  wanted.errand.kind = LocalErrand::Kind::take;
  wanted.errand.directory = op.place.directory;
  wanted.errand.source = op.source;
  wanted.errand.if_exists = op.if_exists;
  wanted.time_limit = into.limit;
  bool whole = false;
  wanted.take = [&](LocalFrame kind, std::string_view bytes) -> Status {
    whole = whole || kind == LocalFrame::end;
    return kind == LocalFrame::bytes ? sys::write_all(file.get(), bytes) : Status();
  };
  INGOT_CHECK(send(wanted, cancel));
  if (whole) return {};
  return base::fail(ErrorKind::unavailable, "the client sent only a part of " + op.source);
}

Status JobClient::give(const graph::GiveOp& op, const Transfer& from, const sys::CancelToken& cancel) {
  jobs::ClientChannel::Wanted wanted;
  wanted.errand.kind = LocalErrand::Kind::give;
  wanted.errand.directory = op.place.directory;
  wanted.errand.destination = op.destination;
  wanted.errand.dir = op.dir;
  wanted.tar = from.tar;
  wanted.time_limit = from.limit;
  INGOT_CHECK(send(wanted, cancel));
  return {};
}

Status JobClient::load(const Image& image, const sys::CancelToken& cancel) {
  jobs::ClientChannel::Wanted wanted;
  wanted.errand.kind = LocalErrand::Kind::load;
  wanted.errand.source = image.digest.str();
  wanted.errand.destination = image.name;
  wanted.time_limit = image.limit;
  INGOT_CHECK(send(wanted, cancel));
  return {};
}

Status JobClient::serve_agent(int connection, const sys::CancelToken& cancel) {
  INGOT_TRY(const auto channel, channels_.get(job_, cancel));
  return jobs::lend_agent(*channel, connection, cancel);
}

Result<std::string> JobClient::known_hosts(const std::string& host, const sys::CancelToken& cancel) {
  constexpr std::size_t kMost = 1U << 20;
  jobs::ClientChannel::Wanted wanted;
  wanted.errand.kind = LocalErrand::Kind::known_hosts;
  wanted.errand.source = host;
  std::string lines;
  wanted.take = [&](LocalFrame kind, std::string_view bytes) -> Status {
    if (kind == LocalFrame::bytes) lines += bytes;
    if (lines.size() <= kMost) return {};
    return base::fail(ErrorKind::too_large, "the client knows too many keys of one host");
  };
  INGOT_CHECK(send(wanted, cancel));
  return lines;
}

}  // namespace ingot::pipeline
