#pragma once

#include <string>
#include <utility>

#include "daemon/jobs/client_channel.h"
#include "daemon/solver/client_side.h"

namespace ingot::pipeline {

// The client of a job, as its steps see it. They may outlive the job for a moment.
class JobClient : public solver::ClientSide {
 public:
  JobClient(jobs::ClientChannels& channels, std::string job) : channels_(channels), job_(std::move(job)) {}

  Result<int> run(const Command& command, const sys::OutputSink& output, const sys::CancelToken& cancel) override;
  Status take(const graph::TakeOp& op, const std::filesystem::path& tar, const sys::CancelToken& cancel) override;
  Status give(const graph::GiveOp& op, const std::filesystem::path& tar, const sys::CancelToken& cancel) override;

 private:
  Result<proto::LocalOutcome> send(const jobs::ClientChannel::Wanted& wanted, const sys::CancelToken& cancel);

  jobs::ClientChannels& channels_;
  const std::string job_;
};

}  // namespace ingot::pipeline
