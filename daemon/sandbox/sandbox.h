#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/graph/graph.h"
#include "daemon/sys/cancel.h"
#include "daemon/sys/cgroups.h"
#include "daemon/sys/files.h"
#include "daemon/sys/process.h"
#include "daemon/sys/socket_server.h"
#include "proto/types.h"

// One step in an OCI runtime: its root file system, limits, network, life and end.
namespace ingot::sandbox {

namespace fs = std::filesystem;

enum class Network {
  none,    // loopback only
  egress,  // out to the world, not to the host's own services
  host,    // the host's; only where the configuration allows it
};
std::optional<Network> network_from_name(std::string_view name);
const char* name_of(Network network);

struct Limits {
  std::uint64_t memory_bytes = 0;  // 0: none
  double cpus = 0;                 // 0: none
  std::uint64_t pids = 4096;
};

struct Settings {
  fs::path run_directory;       // bundles, runtime state; emptied at start
  fs::path snapshot_directory;  // the common base of all layers
  std::string runtime;          // "auto", or the path of an OCI runtime
  // Unique among the daemons of a host; names its cgroups and network devices. Up to nine lower-case letters and
  // digits, as long as every other daemon's.
  std::string instance;
  std::vector<std::string> dns;  // empty: the host's, without loopback servers
  bool allow_host_network = false;
  bool allow_privileged = false;
};

// What a step sees besides its layers, and what is not in the one that it writes.
struct StepMount {
  std::string target;  // absolute
  fs::path source;     // a directory of the host; empty: memory
  bool read_only = false;
  bool is_file = false;  // the source is one
};

// A secret that a step reads from a file, which nobody else sees.
struct SecretFile {
  std::string target;  // absolute
  std::string value;
  unsigned mode = 0400;
  std::optional<std::uint32_t> uid;  // none: the step's user
  std::optional<std::uint32_t> gid;
};

// A socket that a step finds, by which it speaks to somebody outside.
struct StepSocket {
  std::string target;  // absolute
  sys::SocketServer::Serve serve;
  unsigned mode = 0600;
  std::optional<std::uint32_t> uid;  // none: the step's user
  std::optional<std::uint32_t> gid;
};

struct StepSpec {
  std::string name;              // for the log
  std::vector<fs::path> layers;  // bottom first, all below Settings::snapshot_directory
  fs::path upper;                // receives what the step writes
  fs::path work;                 // overlayfs' own, beside upper
  std::vector<std::string> argv;
  graph::Variables env;
  std::string working_dir = "/";
  std::string user;  // "", name, uid, each with :group
  std::vector<StepMount> mounts;
  std::vector<SecretFile> secret_files;
  std::vector<StepSocket> sockets;
  graph::Variables secret_env;                             // what the step alone sees of the environment
  std::vector<std::pair<std::string, std::string>> hosts;  // names with their addresses, besides its own
  Network network = Network::egress;
  bool privileged = false;  // all that root of the host may; only where the configuration allows it
  Limits limits;
  std::optional<std::chrono::milliseconds> timeout;

  bool has_secrets() const { return !secret_files.empty() || !secret_env.empty(); }
};

struct StepOutcome {
  sys::ExitStatus status;
  bool out_of_memory = false;
  std::uint64_t peak_memory_bytes = 0;
};

class Sandbox {
 public:
  // Probes the runtimes, logs which one and why, and ends whatever containers of this state directory an
  // earlier daemon left. Fails only when the directories cannot be made: a host without a runtime is one
  // whose steps fail with a cure.
  static Result<std::unique_ptr<Sandbox>> create(Settings settings, sys::ProcessRunner& processes);
  virtual ~Sandbox() = default;

  // Blocks until the step has ended and no process, mount, cgroup or directory of it is left but what it
  // wrote into `upper`. A non-zero status is no error of run(). Many threads at once.
  virtual Result<StepOutcome> run(const StepSpec& step, const sys::OutputSink& sink,
                                  const sys::CancelToken& cancel) = 0;

  // What `ingot doctor` says of runtime, overlayfs, cgroups and network.
  virtual std::vector<proto::HostCheck> checks() = 0;
};

}  // namespace ingot::sandbox
