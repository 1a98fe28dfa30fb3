#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/transport/http.h"
#include "proto/cache.h"
#include "proto/image.h"
#include "proto/results.h"
#include "proto/schedule.h"
#include "proto/secrets.h"
#include "proto/step.h"
#include "proto/sweep.h"
#include "proto/types.h"

namespace ingot::client {

// What the daemon can do, as calls. Each opens its connection when it needs one, so that a daemon that was restarted is
// found again; a submission can be repeated, since it carries its idempotency key.
class Daemon {
 public:
  explicit Daemon(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  const std::string& socket_path() const { return socket_path_; }

  Result<proto::VersionInfo> version();
  Result<std::vector<proto::HostCheck>> doctor();
  Result<proto::CacheUsage> cache();
  Result<proto::CachePruned> prune_cache(const proto::CachePrune& wanted);
  Result<proto::ContextStatus> offer(const proto::ContextManifest& manifest);
  Status put_blob(const std::string& digest, int file, std::uint64_t size);
  // The same, but the daemon reads the file itself, from its beginning. Kind `unsupported` when the descriptor did not
  // arrive: what lies between the two ends passes bytes only.
  Status pass_blob(const std::string& digest, int file, std::uint64_t size);
  // The secrets are in the request and nowhere else.
  Result<proto::Job> submit(const proto::JobSpec& spec, const proto::Secrets& secrets = {});
  Result<proto::Plan> plan(const proto::JobSpec& spec, const proto::Secrets& secrets = {});

  Result<proto::Sweep> submit_sweep(const proto::SweepSpec& spec, const proto::Secrets& secrets);
  Result<std::vector<proto::CellForecast>> forecast(const proto::SweepSpec& spec);
  Result<proto::Sweep> sweep(const std::string& id);
  Result<std::vector<proto::Sweep>> sweeps(std::uint64_t most);
  Result<proto::Sweep> cancel_sweep(const std::string& id);
  Result<proto::Sweep> retry_sweep(const std::string& id, bool failed_only, const proto::Secrets& secrets);

  Result<std::vector<proto::Schedule>> schedules();
  Result<proto::Schedule> change_schedule(const std::string& name, const std::string& how);  // run, pause, resume

  Result<std::vector<proto::StepReport>> steps(const std::string& job);
  Result<proto::Job> job(const std::string& id);
  Result<std::vector<proto::Job>> jobs(const std::string& query);
  Result<proto::Job> cancel(const std::string& id);
  Result<proto::Job> retry(const std::string& id);
  Result<std::vector<proto::Artifact>> artifacts(const std::string& id);
  // Of one that has not ended: what there is already.
  Result<proto::JobResults> results(const std::string& id);
  Result<proto::Artifact> remove_artifact(const std::string& job, const std::string& artifact);

  // Hands every event from `from` on to `sink`, which stops it by returning false. Ends when the log ends (with
  // `follow`: when the job has).
  using EventSink = std::function<bool(const proto::Event&)>;
  Status events(const std::string& id, std::uint64_t from, bool follow, const EventSink& sink);

  // A connection of its own, on which this client does what the job's recipes say under LOCALLY: see proto/locally.h.
  Result<sys::UniqueFd> attach(const std::string& job);

  Result<std::vector<proto::ImageInfo>> images();
  // Until it is done; `tell` gets every line about how it goes.
  Result<proto::ImagePushed> push(const proto::ImagePush& wanted, const std::function<void(const std::string&)>& tell);

  // The bytes of an artifact from `offset` on. The head tells whether the offset was honoured (206) or not (200).
  // A daemon that is asked for a descriptor may hand over the file itself instead of its bytes.
  struct Download {
    HttpConnection connection;
    HttpHead head;
    sys::UniqueFd file;
  };
  Result<Download> download(const std::string& job, const proto::Artifact& artifact, std::uint64_t offset,
                            bool as_descriptor);
  Result<Download> blob(const std::string& digest);  // as a descriptor if the daemon can

 private:
  // The answer's body as JSON; an error answer as its error.
  Result<std::string> call(const HttpRequest& request);
  Result<HttpHead> exchange(HttpConnection& connection, const HttpRequest& request);

  std::string socket_path_;
  std::optional<HttpConnection> kept_;  // open between two calls
};

}  // namespace ingot::client
