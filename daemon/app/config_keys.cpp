#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "daemon/app/config.h"
#include "daemon/base/strings.h"

namespace ingot::app {

namespace {

using base::fail;
using Setter = std::function<Status(Config&, const std::string&)>;

tl::unexpected<Error> not_a(const std::string& text, const std::string& expected, std::string hint = {}) {
  return fail(ErrorKind::invalid, "\"" + text + "\" is not " + expected, std::move(hint));
}

template <typename Number>
Setter number(Number Config::*field, Number least, Number most) {
  return [=](Config& config, const std::string& text) -> Status {
    Number value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
      return not_a(text, fmt::format("a whole number from {} to {}", least, most));
    }
    config.*field = value;
    return {};
  };
}

Setter path(std::string Config::*field) {
  return [=](Config& config, const std::string& text) -> Status {
    if (text.empty()) return not_a(text, "a path");
    config.*field = text;
    return {};
  };
}

Setter any_text(std::string Config::*field) {
  return [=](Config& config, const std::string& text) -> Status {
    config.*field = text;
    return {};
  };
}

Setter size(std::uint64_t Config::*field) {
  return [=](Config& config, const std::string& text) -> Status {
    INGOT_TRY(config.*field, base::parse_bytes(text));
    return {};
  };
}

Setter duration(double Config::*field) {
  return [=](Config& config, const std::string& text) -> Status {
    INGOT_TRY(config.*field, base::parse_duration(text));
    return {};
  };
}

// The name of one of `names`; `take` gets its index.
Status choose(const std::string& text, const std::vector<std::string>& names,
              const std::function<void(std::size_t)>& take) {
  auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    return not_a(text, "one of " + base::join(names, ", "), base::did_you_mean(text, names));
  }
  take(static_cast<std::size_t>(found - names.begin()));
  return {};
}

Status set_bool(bool& field, const std::string& text) {
  return choose(text, {"false", "true"}, [&](std::size_t index) { field = index == 1; });
}

Status set_log_level(Config& config, const std::string& text) {
  return choose(text, base::log::level_names(),
                [&](std::size_t index) { config.log_level = static_cast<base::log::Level>(index); });
}

Status set_network(Config& config, const std::string& text) {
  return choose(text, {"none", "egress", "host"},
                [&](std::size_t index) { config.network = static_cast<sandbox::Network>(index); });
}

Status set_compression(Config& config, const std::string& text) {
  using enum proto::Compression;
  constexpr proto::Compression kKnown[] = {gzip, zstd, none};
  return choose(text, {proto::name_of(gzip), proto::name_of(zstd), proto::name_of(none)},
                [&](std::size_t index) { config.image_compression = kKnown[index]; });
}

Status set_mode(Config& config, const std::string& text) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc() || end != text.data() + text.size() || value > 0777) {
    return not_a(text, "a file mode in octal", "such as 0660");
  }
  config.socket_mode = value;
  return {};
}

// So many, or "auto": one for each CPU.
Setter one_a_cpu(unsigned Config::*member) {
  return [member](Config& config, const std::string& text) -> Status {
    if (text != "auto") return number<unsigned>(member, 1, 1024)(config, text);
    config.*member = std::max(1U, std::thread::hardware_concurrency());
    return {};
  };
}

// How long something is kept. What would be gone as soon as it is there is taken for a slip.
Status set_age(std::int64_t& milliseconds, const std::string& text, bool may_be_for_ever) {
  if (text == "none" && may_be_for_ever) {
    milliseconds = 0;
    return {};
  }
  INGOT_TRY(auto seconds, base::parse_duration(text));
  constexpr double kLongest = 1e9;
  if (seconds < 1 || seconds > kLongest) {
    return not_a(text, "a time from 1s on", may_be_for_ever ? "`none` keeps for ever" : "such as 24h");
  }
  milliseconds = static_cast<std::int64_t>(seconds * 1000);
  return {};
}

Setter age(std::int64_t jobs::RetentionPolicy::*member) {
  return [member](Config& config, const std::string& text) { return set_age(config.retention.*member, text, true); };
}

Status set_max_jobs(Config& config, const std::string& text) {
  std::uint64_t value = 0;
  if (text == "none") {
    config.retention.max_jobs = 0;
    return {};
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) {
    return not_a(text, "a number of jobs from 1 on", "`none` is no limit");
  }
  config.retention.max_jobs = value;
  return {};
}

// "40%" as 40; nothing for a text that is no share.
std::optional<unsigned> percent_of(const std::string& text) {
  if (!text.ends_with('%')) return std::nullopt;
  unsigned percent = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, percent);
  if (error != std::errc() || end != text.data() + text.size() - 1 || percent < 1 || percent > 100) return std::nullopt;
  return percent;
}

Status set_cache_max(Config& config, const std::string& text) {
  config.cache_max = {};
  if (text == "none") return {};
  if (text.ends_with('%')) {
    const auto percent = percent_of(text);
    if (!percent) return not_a(text, "a share of the disk from 1% to 100%");
    config.cache_max.percent = *percent;
    return {};
  }
  INGOT_TRY(config.cache_max.bytes, base::parse_bytes(text));
  if (config.cache_max.bytes == 0) return not_a(text, "a size that anything fits in", "`none` is no limit");
  return {};
}

Status set_memory(Config& config, const std::string& text) {
  if (text == "none") {
    config.limits.memory_bytes = 0;
    return {};
  }
  if (text.ends_with('%')) {
    const auto percent = percent_of(text);
    if (!percent) return not_a(text, "a share of the host's memory from 1% to 100%");
    const auto host =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    config.limits.memory_bytes = host / 100 * *percent;
    return {};
  }
  constexpr std::uint64_t kLeast = 8U << 20;  // an OCI runtime needs some of it before the step begins
  INGOT_TRY(auto bytes, base::parse_bytes(text));
  if (bytes < kLeast) return not_a(text, "enough memory for a step", "give it 8M or more, or `none`");
  config.limits.memory_bytes = bytes;
  return {};
}

Status set_cpus(Config& config, const std::string& text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 4096) {
    return not_a(text, "a number of CPUs", "such as 2 or 1.5; 0 is no limit");
  }
  config.limits.cpus = value;
  return {};
}

Status set_pids(Config& config, const std::string& text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || (value != 0 && value < 16)) {
    return not_a(text, "a number of processes", "16 or more; 0 is no limit");
  }
  config.limits.pids = value;
  return {};
}

Status set_dns(Config& config, const std::string& text) {
  config.dns.clear();
  for (const auto& part : base::split(text, ',')) {
    if (auto server = base::trim(part); !server.empty()) config.dns.emplace_back(server);
  }
  return {};
}

}  // namespace

Result<std::uint64_t> DiskShare::bytes_of(const std::filesystem::path& place) const {
  if (percent == 0) return bytes;
  INGOT_TRY(auto disk, sys::disk_size(place));
  return disk / 100 * percent;
}

const std::vector<ConfigKey>& config_keys() {
  constexpr std::uint64_t kMany = 1'000'000'000;
  static const std::vector<ConfigKey> kKeys = {
      {"state_dir", "--state-dir", "INGOT_STATE_DIR", "DIR", "/var/lib/ingot", false,
       "everything that the daemon keeps: its database, logs, artifacts, snapshots", path(&Config::state_dir)},
      {"socket.path", "--socket", "INGOT_SOCKET", "PATH", "/run/ingot/ingotd.sock", false,
       "the Unix socket on which clients are served", path(&Config::socket_path)},
      {"socket.group", "--socket-group", "INGOT_SOCKET_GROUP", "GROUP", "ingot", false,
       "the group whose members may use the socket; empty: the daemon's own", any_text(&Config::socket_group)},
      {"socket.mode", "--socket-mode", "INGOT_SOCKET_MODE", "MODE", "0660", false, "the mode of the socket", set_mode},
      {"socket.max_connections", "--socket-max-connections", "INGOT_SOCKET_MAX_CONNECTIONS", "N", "4096", false,
       "connections that are served at the same time; further ones are told to come back",
       number<std::uint64_t>(&Config::max_connections, 1, 1'000'000)},
      {"log.level", "--log-level", "INGOT_LOG_LEVEL", "LEVEL", "info", true,
       "least level of the daemon's own log: trace, debug, info, warning, error", set_log_level},
      {"jobs.parallel", "--jobs-parallel", "INGOT_JOBS_PARALLEL", "N", "auto", true,
       "jobs that run at the same time; auto: one for each CPU", one_a_cpu(&Config::parallel_jobs)},
      {"steps.parallel", "--steps-parallel", "INGOT_STEPS_PARALLEL", "N", "auto", false,
       "steps of all jobs together that run at the same time; auto: one for each CPU",
       one_a_cpu(&Config::parallel_steps)},
      {"cache.max_size", "--cache-max-size", "INGOT_CACHE_MAX_SIZE", "SIZE", "50%", false,
       "all that is kept, layers, artifacts, contexts, logs, cache mounts: a size, a share of the state directory's "
       "disk, or none",
       set_cache_max},
      {"retention.jobs", "--retention-jobs", "INGOT_RETENTION_JOBS", "TIME", "365d", true,
       "how long a job is known after its end, with its log and artifacts; none: for ever",
       age(&jobs::RetentionPolicy::jobs_ms)},
      {"retention.max_jobs", "--retention-max-jobs", "INGOT_RETENTION_MAX_JOBS", "N", "100000", true,
       "ended jobs that are known at the same time, the oldest are forgotten first; none: all", set_max_jobs},
      {"retention.logs", "--retention-logs", "INGOT_RETENTION_LOGS", "TIME", "90d", true,
       "how long the log of an ended job is kept; none: as long as the job", age(&jobs::RetentionPolicy::logs_ms)},
      {"retention.artifacts", "--retention-artifacts", "INGOT_RETENTION_ARTIFACTS", "TIME", "90d", true,
       "how long the artifacts of an ended job are kept; none: as long as the job",
       age(&jobs::RetentionPolicy::artifacts_ms)},
      {"retention.contexts", "--retention-contexts", "INGOT_RETENTION_CONTEXTS", "TIME", "24h", true,
       "how long a project directory that was sent is kept without a job",
       [](Config& config, const std::string& text) { return set_age(config.context_age_ms, text, false); }},
      {"jobs.max_queued", "--jobs-max-queued", "INGOT_JOBS_MAX_QUEUED", "N", "100000", false,
       "jobs that may wait; further ones are refused", number<std::uint64_t>(&Config::max_queued, 1, kMany)},
      {"jobs.timeout", "--jobs-timeout", "INGOT_JOBS_TIMEOUT", "TIME", "0s", false,
       "time limit of a job that asks for none itself; 0s: none", duration(&Config::job_timeout_seconds)},
      {"jobs.drain", "--jobs-drain", "INGOT_JOBS_DRAIN", "TIME", "20s", true,
       "how long running jobs may go on after SIGTERM before they are put back into the queue",
       duration(&Config::drain_seconds)},
      {"secrets.directory", "--secrets-directory", "INGOT_SECRETS_DIRECTORY", "DIR", "auto", false,
       "where the secrets of jobs are kept while these live: in memory, and not the daemon's alone; auto: "
       "/run/ingot/secrets, else /dev/shm/ingot-secrets",
       path(&Config::secrets_directory)},
      {"limits.memory", "--limits-memory", "INGOT_LIMITS_MEMORY", "SIZE", "75%", true,
       "memory of one step, swap included: a size, a share of the host's, or none", set_memory},
      {"limits.cpus", "--limits-cpus", "INGOT_LIMITS_CPUS", "N", "0", true, "CPUs of one step; 0: no limit", set_cpus},
      {"limits.pids", "--limits-pids", "INGOT_LIMITS_PIDS", "N", "4096", true,
       "processes and threads of one step; 0: no limit", set_pids},
      {"limits.step_timeout", "--limits-step-timeout", "INGOT_LIMITS_STEP_TIMEOUT", "TIME", "0s", true,
       "time limit of one step; 0s: none", duration(&Config::step_timeout_seconds)},
      {"limits.log", "--limits-log", "INGOT_LIMITS_LOG", "SIZE", "64M", false,
       "output that a job's log keeps; the rest is dropped, with a mark", size(&Config::max_log_bytes)},
      {"limits.context_file", "--limits-context-file", "INGOT_LIMITS_CONTEXT_FILE", "SIZE", "16G", false,
       "largest file of a project directory", size(&Config::max_context_file)},
      {"limits.context_total", "--limits-context-total", "INGOT_LIMITS_CONTEXT_TOTAL", "SIZE", "64G", false,
       "all files of a project directory together", size(&Config::max_context_total)},
      {"limits.context_entries", "--limits-context-entries", "INGOT_LIMITS_CONTEXT_ENTRIES", "N", "200000", false,
       "files, directories and links of a project directory",
       number<std::uint64_t>(&Config::max_context_entries, 1, kMany)},
      {"sandbox.runtime", "--sandbox-runtime", "INGOT_SANDBOX_RUNTIME", "PROGRAM", "auto", false,
       "the OCI runtime; auto: whichever of runc and crun works here", path(&Config::runtime)},
      {"sandbox.allow_privileged", "--sandbox-allow-privileged", "INGOT_SANDBOX_ALLOW_PRIVILEGED", "BOOL", "false",
       false, "whether RUN --privileged may do all that root of the host may",
       [](Config& config, const std::string& text) { return set_bool(config.allow_privileged, text); }},
      {"network.policy", "--network-policy", "INGOT_NETWORK_POLICY", "POLICY", "egress", true,
       "what steps reach: none; egress: the world but not the host's own services; host: all that the host does",
       set_network},
      {"network.allow_host", "--network-allow-host", "INGOT_NETWORK_ALLOW_HOST", "BOOL", "false", false,
       "whether steps may run on the host's own network at all",
       [](Config& config, const std::string& text) { return set_bool(config.allow_host_network, text); }},
      {"network.dns", "--network-dns", "INGOT_NETWORK_DNS", "LIST", "", false,
       "name servers of steps, with commas between; empty: the host's", set_dns},
      {"allow_locally", "--allow-locally", "INGOT_ALLOW_LOCALLY", "BOOL", "false", false,
       "whether recipes may say LOCALLY, by which clients run commands on their own side, if their users allow it",
       [](Config& config, const std::string& text) { return set_bool(config.allow_locally, text); }},
      {"image_compression", "--image-compression", "INGOT_IMAGE_COMPRESSION", "HOW", "gzip", true,
       "of layers that are pushed, when a job does not say: gzip, zstd or none", set_compression},
  };
  return kKeys;
}

}  // namespace ingot::app
