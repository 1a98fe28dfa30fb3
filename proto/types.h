#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/error.h"

// What travels between client and daemon. Codecs are in codec.h; every one ignores fields that it does not
// know, so that either end may be newer.
namespace ingot::proto {

// ---- the daemon itself ----

// Raised only when an old client could no longer work; features are added without it.
inline constexpr int kApiVersion = 1;

struct VersionInfo {
  std::string version;                // of the daemon: 0.1.0
  int api = kApiVersion;              // the API it speaks
  int api_oldest = kApiVersion;       // the oldest client API it still serves
  std::vector<std::string> features;  // names such as "jobs", "artifact-ranges"
};

// One line of `ingot doctor`.
struct HostCheck {
  std::string name;  // "runtime", "overlayfs", "disk"
  bool ok = false;
  bool required = true;  // a missing optional thing is a warning
  std::string detail;    // what was found
  std::string cure;      // what to do when it is not ok
};

// ---- the context: a project directory as sent ----

enum class EntryType { file, directory, symlink };

struct ManifestEntry {
  std::string path;  // relative, '/'-separated, no "." or ".." parts
  EntryType type = EntryType::file;
  std::uint32_t mode = 0644;  // permission bits
  std::uint64_t size = 0;     // files only
  std::int64_t mtime_ns = 0;  // since the epoch; only COPY --keep-ts looks at it
  std::string digest;         // files only: sha256:<hex>
  std::string link_target;    // symlinks only
};

struct ContextManifest {
  std::vector<ManifestEntry> entries;
};

struct ContextStatus {
  std::string digest;                // the context's id: the digest of its canonical manifest
  std::vector<std::string> missing;  // blobs to send; empty: the context is complete and kept
  bool takes_descriptors = false;    // of the files to send, in place of their bytes
};

// ---- jobs ----

enum class JobState { queued, running, succeeded, failed, canceled };
const char* name_of(JobState state);
std::optional<JobState> job_state_from_name(const std::string& name);
inline bool is_final(JobState state) {
  return state != JobState::queued && state != JobState::running;
}

// When a FROM's image is asked of its source: when it is not kept here, at every job, or never.
enum class PullPolicy { missing, always, never };
const char* name_of(PullPolicy policy);
std::optional<PullPolicy> pull_policy_from_name(const std::string& name);

// Of the layers that SAVE IMAGE makes.
enum class Compression { gzip, zstd, none };
const char* name_of(Compression compression);
std::optional<Compression> compression_from_name(const std::string& name);

// Whether a target is one of another repository: "github.com/org/repo:tag+name".
bool names_repository(const std::string& target);

struct JobSpec {
  std::string context;                      // digest of a complete context
  std::string target;                       // "+name", or one of another repository
  std::map<std::string, std::string> args;  // --K=v overrides
  std::map<std::string, std::string> labels;
  int priority = 0;                   // higher runs first
  std::uint64_t timeout_seconds = 0;  // 0: the daemon's default
  std::string idempotency_key;        // a second submission with the same key is answered with the first one's job
  bool no_cache = false;              // every step is run anew
  std::vector<std::string> no_cache_targets;  // "+name": steps of these are, too
  bool push = false;                          // what says SAVE IMAGE --push is pushed in the end
  bool strict = false;                        // a warning about its recipe fails it
  bool repeatable = false;                    // nothing of its recipe may depend on who builds it where: no LOCALLY
  PullPolicy pull = PullPolicy::missing;
  std::optional<Compression> compression;  // not set: none for what is kept, the daemon's own for what is pushed
  std::string project;                     // what the client calls the project directory; for people only
  std::vector<std::string> secret_names;   // sorted; their values are in no JobSpec
  // Builtin arguments of Earthfiles that only the client knows, such as EARTHLY_GIT_HASH; those that it does not send
  // are empty.
  std::map<std::string, std::string> builtins;
  // The client allows LOCALLY, and stays to do it: POST /v1/jobs/{id}/local.
  bool locally = false;
  bool ssh = false;  // the client passes on to its user's SSH agent what steps say, on the same connection
  std::vector<std::string> platforms;  // that the target is built for, such as "linux/arm64"; empty: the daemon's own
};

struct Submitter {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;
};

// An image that a job started from.
struct FromImage {
  std::string name;           // as people write it
  std::string digest;         // what the name meant: of its manifest, or of its files where the source has no manifests
  std::string source;         // where it came from
  std::string platform = {};  // empty: the daemon's own
};

// Another repository that a job's recipes come from, or that they clone.
struct FromRepository {
  std::string name;    // "github.com/org/repo"
  std::string ref;     // as the recipe has it; empty: the default branch
  std::string commit;  // what that meant
  std::string url;     // without credentials
};

inline constexpr const char* kWaitingForDisk = "waiting-for-disk";

struct Job {
  std::string id;
  JobSpec spec;
  JobState state = JobState::queued;
  Submitter submitter;
  std::string retry_of;  // the job that this one repeats; may be empty
  int attempts = 0;      // times it was started; above 1 after a daemon that died under it
  // Milliseconds since the epoch; 0 is "not yet".
  std::int64_t created_ms = 0;
  std::int64_t started_ms = 0;
  std::int64_t finished_ms = 0;
  bool cancel_requested = false;
  std::optional<Error> error;  // failed or canceled: why
  int queue_position = 0;      // queued jobs: 1 is next of those by themselves, or of its sweep
  std::vector<FromImage> from_images;
  std::vector<FromRepository> from_repositories;
  std::string sweep;  // that it is a cell of; empty: none
  std::string cell;   // its name there
  std::string phase;  // of a running job, when it is worth telling: kWaitingForDisk
};

// The media type of a directory: a tar of its contents, unpacked again where the artifact lands.
inline constexpr const char* kDirectoryMediaType = "application/vnd.ingot.directory+tar";

struct Artifact {
  std::string id;          // unique in its job: "1", "2", ...
  std::string name;        // the path under which the target saved it
  std::string local_path;  // AS LOCAL, relative to the project directory; may be empty
  std::string digest;      // sha256:<hex> of the bytes that a download gives
  std::string checksum;    // xxh128:<hex> of the same bytes, or empty: tells damage on the way, faster than the digest
  std::uint64_t size = 0;
  std::string media_type;  // kDirectoryMediaType for a directory
  std::uint32_t mode = 0644;
  std::vector<std::string> platforms = {};  // of an image; empty: the daemon's own
  bool push = false;                        // an image whose recipe says --push
  bool insecure = false;                    // and --insecure
  std::uint64_t image_size = 0;             // of an image with all its layers
  std::int64_t removed_ms = 0;  // since when its bytes are gone, by hand or for their age; 0: they are there
};

// ---- events: the lines of a job's log ----

enum class EventType {
  state,       // the job's state changed: `state`, and `error` when it failed
  step_start,  // `step`, `target`, `text` (its command as written), `position` as file:line, `cached`
  output,      // `step`, `stream`, `text` or `base64`
  step_end,    // `step`, `exit_code`, `seconds`, `cached`
  note,        // something worth telling: `text`
  tail,        // the last output of a failed step, once more, after the log was cut: `step`, `text`
  cut,         // output beyond the cap is dropped from here on: `text`
  artifact,    // `artifact`
};
const char* name_of(EventType type);
std::optional<EventType> event_type_from_name(const std::string& name);

struct Event {
  std::uint64_t seq = 0;  // counts from 0 within the job, without gaps
  std::int64_t time_ms = 0;
  EventType type = EventType::note;
  std::string step;      // "1", "2", ...; empty: the job itself
  std::string target;    // "+name"
  std::string stream;    // "stdout" or "stderr"
  std::string text;      // valid UTF-8
  std::string bytes;     // output that is no UTF-8; base64 on the wire
  bool partial = false;  // output: the line goes on in the step's next event of this stream
  std::string position;  // "Earthfile:12"
  int exit_code = 0;
  double seconds = 0;
  bool cached = false;
  std::optional<JobState> state;
  std::optional<Error> error;
  std::optional<Artifact> artifact;
};

}  // namespace ingot::proto
