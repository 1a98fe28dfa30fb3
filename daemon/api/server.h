#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/jobs/client_channel.h"
#include "daemon/jobs/job_queue.h"
#include "daemon/schedule/scheduler.h"
#include "daemon/store/collector.h"
#include "daemon/store/composed_blobs.h"
#include "daemon/store/contexts.h"
#include "daemon/store/sweeper.h"
#include "proto/image.h"
#include "proto/step.h"
#include "proto/types.h"

namespace ingot::api {

namespace fs = std::filesystem;

struct ServerSettings {
  fs::path socket_path;
  int inherited_socket = -1;  // from socket activation; then socket_path is only for messages
  std::string group;          // owner group of the socket; empty: unchanged
  unsigned mode = 0660;
  std::size_t max_connections = 4096;
  std::size_t max_body_bytes = 1U << 20;       // JSON bodies
  std::size_t max_manifest_bytes = 64U << 20;  // POST /v1/contexts
};

// A push that is found to make sense, ready to be done.
using PushWork = std::function<Result<proto::ImagePushed>(const std::function<void(const std::string& line)>& tell,
                                                          const sys::CancelToken& cancel)>;

// What the routes speak to.
struct Services {
  jobs::JobQueue& jobs;
  store::BlobStore& blobs;
  const store::ComposedBlobs& composed;
  store::ContextStore& contexts;
  store::Collector& cache;
  proto::VersionInfo version;
  std::function<std::vector<proto::HostCheck>()> doctor;
  std::function<Result<proto::Plan>(const proto::JobSpec&, const proto::Secrets&)> plan;
  std::function<Result<PushWork>(const proto::ImagePush&)> push;
  jobs::ClientChannels* clients = nullptr;  // that do what LOCALLY says
  std::function<std::string()> metrics = {};
  // Removes what nobody refers to: now, or soon in the background.
  std::function<Result<store::Swept>(bool dry_run)> sweep = {};
  std::function<void()> sweep_soon = {};
  schedule::Scheduler* schedules = nullptr;
};

struct RouteInfo {
  std::string method;
  std::string path;  // as api.yaml writes it: /v1/jobs/{id}
};
const std::vector<RouteInfo>& routes();

// HTTP/1.1 over a Unix socket. One thread runs the connections; handlers that touch the disk run on a small
// pool.
class Server {
 public:
  // A live daemon behind the socket path is kind `conflict`; a stale file is replaced.
  static Result<std::unique_ptr<Server>> listen(ServerSettings settings, Services services);
  virtual ~Server() = default;
  virtual void start() = 0;
  virtual void stop() = 0;  // closes the listener and every connection; joins its threads
};

}  // namespace ingot::api
