#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/base/log.h"
#include "daemon/base/result.h"
#include "daemon/git/rules.h"
#include "daemon/image/images.h"
#include "daemon/jobs/retention.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/schedule/scheduler.h"
#include "daemon/webhook/hook.h"

namespace ingot::app {

// So many bytes, or a share of a file system; neither: no limit.
struct DiskShare {
  std::uint64_t bytes = 0;
  unsigned percent = 0;
  Result<std::uint64_t> bytes_of(const std::filesystem::path& place) const;
};

struct Config {
  std::string state_dir;
  std::string socket_path;
  std::string socket_group;
  unsigned socket_mode = 0;
  std::uint64_t max_connections = 0;
  base::log::Level log_level = base::log::Level::info;
  unsigned parallel_jobs = 0;
  unsigned parallel_steps = 0;
  DiskShare cache_max;
  jobs::RetentionPolicy retention;
  std::int64_t context_age_ms = 0;  // of contexts that no job needs
  std::uint64_t max_queued = 0;
  std::string secrets_directory;
  double job_timeout_seconds = 0;
  double drain_seconds = 0;
  sandbox::Limits limits;
  double step_timeout_seconds = 0;
  std::uint64_t max_log_bytes = 0;
  std::uint64_t max_context_file = 0;
  std::uint64_t max_context_total = 0;
  std::uint64_t max_context_entries = 0;
  std::string runtime;
  sandbox::Network network = sandbox::Network::egress;
  bool allow_host_network = false;
  bool allow_privileged = false;
  bool allow_locally = false;
  std::vector<std::string> dns;
  proto::Compression image_compression = proto::Compression::gzip;
  std::vector<image::SourceRule> images;
  std::vector<git::Rule> repositories;
  std::vector<schedule::Plan> schedules;
  std::vector<webhook::Hook> webhooks;
  std::map<std::string, std::string> texts;  // every key's value as it was written: what a reload compares
};

// One key of the configuration: how it is called in the file, in the environment and on the command line.
struct ConfigKey {
  std::string name;         // "jobs.parallel"
  std::string flag;         // "--jobs-parallel"
  std::string environment;  // "INGOT_JOBS_PARALLEL"
  std::string value;        // what the help calls its value: "N", "SIZE"
  std::string default_text;
  bool reloadable = false;  // by SIGHUP
  std::string help;
  std::function<Status(Config&, const std::string&)> set;  // from its text

  Status assign(Config& config, const std::string& text) const {
    config.texts[name] = text;
    return set(config, text);
  }
};

// The one table from which the file, the environment, the flags, --help and the documentation's test are made. Lists
// are in config_lists().
const std::vector<ConfigKey>& config_keys();

struct ConfigSources {
  std::string file;                                // its path; "": none
  bool file_must_exist = false;                    // it was named, not the default
  std::map<std::string, std::string> environment;  // INGOT_*
  std::map<std::string, std::string> flags;        // by flag name
};

// Defaults, then the file, then the environment, then the flags. All mistakes at once; never empty on failure.
tl::expected<Config, std::vector<Error>> load_config(const ConfigSources& sources);

}  // namespace ingot::app
