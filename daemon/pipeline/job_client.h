#pragma once

#include <semaphore>
#include <string>
#include <utility>

#include "daemon/git/ssh.h"
#include "daemon/jobs/client_channel.h"
#include "daemon/solver/client_side.h"
#include "proto/types.h"

namespace ingot::pipeline {

// The client of a job, as its steps and its git see it. They may outlive the job for a moment.
class JobClient : public solver::ClientSide, public git::SshUser {
 public:
  JobClient(jobs::ClientChannels& channels, const proto::Job& job)
      : channels_(channels), job_(job.id), lends_agent_(job.spec.ssh) {}

  Result<int> run(const Command& command, const sys::OutputSink& output, const sys::CancelToken& cancel) override;
  Status take(const graph::TakeOp& op, const Transfer& into, const sys::CancelToken& cancel) override;
  Status give(const graph::GiveOp& op, const Transfer& from, const sys::CancelToken& cancel) override;
  Status load(const Image& image, const sys::CancelToken& cancel) override;
  bool lends_agent() const override { return lends_agent_; }
  Status serve_agent(int connection, const sys::CancelToken& cancel) override;
  Result<std::string> known_hosts(const std::string& host, const sys::CancelToken& cancel) override;

 private:
  Result<proto::LocalOutcome> send(const jobs::ClientChannel::Wanted& wanted, const sys::CancelToken& cancel);

  jobs::ClientChannels& channels_;
  const std::string job_;
  const bool lends_agent_;
  std::counting_semaphore<> commands_{16};  // at once, on the machine of a person
};

}  // namespace ingot::pipeline
