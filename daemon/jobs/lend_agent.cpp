#include "daemon/jobs/lend_agent.h"

#include "daemon/sys/agent_messages.h"

namespace ingot::jobs {

Status lend_agent(ClientChannel& channel, int connection, const sys::CancelToken& cancel) {
  proto::LocalErrand errand;
  errand.kind = proto::LocalErrand::Kind::agent;
  INGOT_TRY(const auto talk, channel.begin(errand, cancel));
  while (true) {
    INGOT_TRY(const auto said, sys::receive_agent_message(connection, cancel));
    if (!said) return {};
    INGOT_TRY(const auto answer, talk->ask(*said, cancel));
    if (!sys::is_agent_message(answer)) {
      return base::fail(ErrorKind::invalid, "what the client answers is no message of an SSH agent");
    }
    if (!sys::send_agent_message(connection, answer, cancel)) return {};  // who asked has gone
  }
}

}  // namespace ingot::jobs
