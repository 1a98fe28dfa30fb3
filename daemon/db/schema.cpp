#include "daemon/db/schema.h"

namespace ingot::db {

namespace {

// The CHECKs make states that must not exist impossible to write, whatever the code above does. Times may be
// equal, and are clamped on writing, since a host's clock can be set back.
constexpr std::string_view kJobs = R"sql(
CREATE TABLE jobs (
  seq              INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT NOT NULL UNIQUE CHECK (length(id) >= 8),
  state            TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
  priority         INTEGER NOT NULL,
  spec             TEXT NOT NULL CHECK (json_valid(spec)),
  idempotency_key  TEXT CHECK (idempotency_key <> ''),
  submitter_uid    INTEGER NOT NULL,
  submitter_gid    INTEGER NOT NULL,
  submitter_user   TEXT NOT NULL,
  retry_of         TEXT REFERENCES jobs (id),
  attempts         INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  created_ms       INTEGER NOT NULL CHECK (created_ms > 0),
  started_ms       INTEGER CHECK (started_ms >= created_ms),
  finished_ms      INTEGER CHECK (finished_ms >= coalesce(started_ms, created_ms)),
  cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
  error            TEXT CHECK (error IS NULL OR json_valid(error)),
  CHECK ((state IN ('succeeded', 'failed', 'canceled')) = (finished_ms IS NOT NULL)),
  CHECK (state NOT IN ('running', 'succeeded', 'failed') OR (started_ms IS NOT NULL AND attempts >= 1)),
  CHECK (state <> 'queued' OR started_ms IS NULL),
  CHECK (state NOT IN ('failed', 'canceled') OR error IS NOT NULL),
  CHECK (state IN ('failed', 'canceled') OR error IS NULL),
  CHECK (state <> 'canceled' OR cancel_requested = 1)
) STRICT;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (submitter_uid, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_queue ON jobs (priority DESC, seq) WHERE state = 'queued';
CREATE INDEX jobs_state ON jobs (state, seq);

CREATE TABLE job_labels (
  job   INTEGER NOT NULL REFERENCES jobs (seq),
  key   TEXT NOT NULL CHECK (key <> ''),
  value TEXT NOT NULL,
  PRIMARY KEY (job, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_labels_value ON job_labels (key, value, job);

CREATE TABLE artifacts (
  job        INTEGER NOT NULL REFERENCES jobs (seq),
  number     INTEGER NOT NULL CHECK (number >= 1),
  name       TEXT NOT NULL CHECK (name <> ''),
  local_path TEXT NOT NULL,
  digest     TEXT NOT NULL CHECK (digest GLOB 'sha256:*' AND length(digest) = 71),
  size       INTEGER NOT NULL CHECK (size >= 0),
  media_type TEXT NOT NULL,
  mode       INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 4095),
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  parent     INTEGER REFERENCES snapshots (id) CHECK (parent < id),
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX snapshots_parent ON snapshots (parent);

CREATE TABLE images (
  key        TEXT PRIMARY KEY,
  reference  TEXT NOT NULL,
  source     TEXT NOT NULL,
  snapshot   INTEGER NOT NULL REFERENCES snapshots (id),
  config     TEXT NOT NULL CHECK (json_valid(config)),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// What is known of steps came later. Snapshots are only kept to do nothing twice: the older ones are forgotten, and
// their directories go at the start as all do that have no row.
constexpr std::string_view kSteps = R"sql(
ALTER TABLE artifacts ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
-- When its bytes were given up, by hand or for their age; the row tells what there was.
ALTER TABLE artifacts ADD COLUMN removed_ms INTEGER CHECK (removed_ms > 0);
CREATE INDEX artifacts_kept ON artifacts (job) WHERE removed_ms IS NULL;
CREATE INDEX artifacts_digest ON artifacts (digest);

-- When the log of an ended job was given up.
ALTER TABLE jobs ADD COLUMN log_removed_ms INTEGER CHECK (log_removed_ms > 0);
CREATE INDEX jobs_finished ON jobs (finished_ms) WHERE finished_ms IS NOT NULL;
CREATE INDEX jobs_logs ON jobs (finished_ms) WHERE finished_ms IS NOT NULL AND log_removed_ms IS NULL;
CREATE INDEX jobs_context ON jobs (json_extract(spec, '$.context'));
CREATE INDEX jobs_retry_of ON jobs (retry_of);

-- Blobs that something has stopped to refer to, so that nobody has to look at all of them.
CREATE TABLE loose_blobs (
  digest TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TRIGGER artifact_deleted AFTER DELETE ON artifacts BEGIN
  INSERT OR IGNORE INTO loose_blobs VALUES (old.digest);
END;
CREATE TRIGGER artifact_removed AFTER UPDATE OF removed_ms ON artifacts WHEN new.removed_ms IS NOT NULL BEGIN
  INSERT OR IGNORE INTO loose_blobs VALUES (new.digest);
END;
DROP TABLE images;
DROP TABLE snapshots;

-- layer_digest: of what its own layer has, once somebody asked. unsynced_boot: the boot in which its layer was written,
-- until the disk has all of it.
CREATE TABLE snapshots (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  parent        INTEGER REFERENCES snapshots (id) CHECK (parent < id),
  created_ms    INTEGER NOT NULL,
  used_ms       INTEGER NOT NULL,
  bytes         INTEGER NOT NULL CHECK (bytes >= 0),
  entries       INTEGER NOT NULL CHECK (entries >= 0),
  layer_digest  TEXT,
  unsynced_boot TEXT CHECK (unsynced_boot <> '')
) STRICT;
CREATE INDEX snapshots_parent ON snapshots (parent);
CREATE INDEX snapshots_unsynced ON snapshots (unsynced_boot) WHERE unsynced_boot IS NOT NULL;

-- What was made once: `key` is the step's definition with those of all that it stands on; `operation` the step alone;
-- `inputs` the snapshots that it stood on. cost_ms and memory: what making it took, at most.
CREATE TABLE steps (
  key       TEXT PRIMARY KEY CHECK (key <> ''),
  operation TEXT NOT NULL,
  inputs    TEXT NOT NULL,
  snapshot  INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
  cost_ms   INTEGER NOT NULL CHECK (cost_ms >= 0),
  memory    INTEGER NOT NULL CHECK (memory >= 0),
  made_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_operation ON steps (operation, inputs, made_ms);
CREATE INDEX steps_snapshot ON steps (snapshot);

-- What the keys of steps were made of, by name.
CREATE TABLE step_parts (
  digest TEXT PRIMARY KEY CHECK (digest GLOB 'sha256:*'),
  parts  TEXT NOT NULL CHECK (json_valid(parts))
) STRICT, WITHOUT ROWID;

-- What a job did about each of its steps. bytes: of the layer that it made.
CREATE TABLE job_steps (
  job          INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  number       INTEGER NOT NULL,
  place        INTEGER NOT NULL,
  target       TEXT NOT NULL,
  text         TEXT NOT NULL,
  position     TEXT NOT NULL,
  how          TEXT NOT NULL CHECK (how <> ''),
  milliseconds INTEGER NOT NULL CHECK (milliseconds >= 0),
  asked_to_run INTEGER NOT NULL CHECK (asked_to_run IN (0, 1)),
  bytes        INTEGER NOT NULL CHECK (bytes >= 0),
  parts        TEXT NOT NULL REFERENCES step_parts (digest),
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_steps_target ON job_steps (target, job);
CREATE INDEX job_steps_parts ON job_steps (parts);
CREATE INDEX job_steps_made ON job_steps (target, text, job) WHERE how = 'executed';
CREATE INDEX jobs_target ON jobs (json_extract(spec, '$.target'), seq) WHERE state = 'succeeded';

-- A layer as images carry it, each form of it made once: its compression, the latest time that its files may have if there
-- is one, and "joined" for a run of layers that ends with this one; 'fetched' is the blob that it came as with an image.
-- `digest` is the blob's, diff_id that of the tar in it.
CREATE TABLE layer_blobs (
  snapshot   INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
  form       TEXT NOT NULL,
  digest     TEXT NOT NULL,
  diff_id    TEXT NOT NULL,
  size       INTEGER NOT NULL CHECK (size >= 0),
  media_type TEXT NOT NULL,
  PRIMARY KEY (snapshot, form)
) STRICT, WITHOUT ROWID;
CREATE INDEX layer_blobs_digest ON layer_blobs (digest);
CREATE TRIGGER layer_blob_deleted AFTER DELETE ON layer_blobs BEGIN
  INSERT OR IGNORE INTO loose_blobs VALUES (old.digest);
END;

-- What SAVE ARTIFACT gave, once: `request` is the digest of what was asked for.
CREATE TABLE saved_artifacts (
  snapshot  INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
  request   TEXT NOT NULL,
  artifacts TEXT NOT NULL CHECK (json_valid(artifacts)),
  PRIMARY KEY (snapshot, request)
) STRICT, WITHOUT ROWID;

-- digest: of the manifest that the name meant at its source, or of the files where there are no manifests.
CREATE TABLE images (
  key        TEXT PRIMARY KEY,
  reference  TEXT NOT NULL,
  source     TEXT NOT NULL,
  snapshot   INTEGER NOT NULL REFERENCES snapshots (id),
  config     TEXT NOT NULL CHECK (json_valid(config)),
  created_ms INTEGER NOT NULL,
  digest     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The images that a job started from.
CREATE TABLE job_images (
  job    INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  digest TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;
)sql";

// Layers and blobs have files in common. Their bytes are counted once: snapshots.bytes leaves out what is counted
// elsewhere, at a layer (`source`) or as a blob.
constexpr std::string_view kShares = R"sql(
CREATE TABLE layer_shares (
  layer  INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
  source INTEGER NOT NULL,
  bytes  INTEGER NOT NULL CHECK (bytes >= 0),
  PRIMARY KEY (layer, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX layer_shares_source ON layer_shares (source);

-- Where the copies of a layer's files that have other attributes are counted.
CREATE TABLE twin_owners (
  layer INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL
) STRICT;

-- What goes leaves its bytes to the others that have them. Who has more of it than it counts itself has the most from
-- where it had them; of the rest the first counts them from now on, and the others have them from there.
CREATE TRIGGER snapshot_leaves_shares BEFORE DELETE ON snapshots
WHEN EXISTS (SELECT 1 FROM layer_shares WHERE source = OLD.id) BEGIN
  UPDATE OR REPLACE layer_shares
    SET source = (SELECT source FROM layer_shares WHERE layer = OLD.id ORDER BY bytes DESC LIMIT 1)
    WHERE source = OLD.id AND bytes > 2 * OLD.bytes AND EXISTS (SELECT 1 FROM layer_shares WHERE layer = OLD.id);
  UPDATE snapshots SET bytes = bytes + (SELECT bytes FROM layer_shares WHERE source = OLD.id ORDER BY layer LIMIT 1)
    WHERE id = (SELECT min(layer) FROM layer_shares WHERE source = OLD.id);
  UPDATE twin_owners SET owner = (SELECT min(layer) FROM layer_shares WHERE source = OLD.id)
    WHERE owner = OLD.id AND EXISTS (SELECT 1 FROM layer_shares WHERE source = OLD.id);
  UPDATE OR REPLACE layer_shares SET source = (SELECT min(layer) FROM layer_shares WHERE source = OLD.id)
    WHERE source = OLD.id AND layer > (SELECT min(layer) FROM layer_shares WHERE source = OLD.id);
  DELETE FROM layer_shares WHERE source = OLD.id;
END;
CREATE TRIGGER snapshot_leaves_twins AFTER DELETE ON snapshots BEGIN
  DELETE FROM twin_owners WHERE layer = OLD.id OR owner = OLD.id;
END;

-- Files of layers that are blobs too; they count as blobs.
CREATE TABLE blob_shares (
  digest TEXT NOT NULL,
  layer  INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
  bytes  INTEGER NOT NULL CHECK (bytes >= 0),
  PRIMARY KEY (digest, layer)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_shares_layer ON blob_shares (layer);
)sql";

// Tars of layers that have no file: what they are composed of, and what was packed of them for registries.
constexpr std::string_view kComposed = R"sql(
CREATE TABLE composed_blobs (
  digest TEXT PRIMARY KEY CHECK (digest GLOB 'sha256:*'),
  size   INTEGER NOT NULL CHECK (size >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob_parts (
  composed TEXT NOT NULL REFERENCES composed_blobs (digest) ON DELETE CASCADE,
  number   INTEGER NOT NULL,
  blob     TEXT NOT NULL,
  offset   INTEGER NOT NULL CHECK (offset >= 0),
  size     INTEGER NOT NULL CHECK (size >= 0),
  PRIMARY KEY (composed, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_parts_blob ON blob_parts (blob);
CREATE TRIGGER blob_part_deleted AFTER DELETE ON blob_parts BEGIN
  INSERT OR IGNORE INTO loose_blobs VALUES (old.blob);
END;

CREATE TABLE packed_layers (
  diff_id    TEXT NOT NULL REFERENCES composed_blobs (digest) ON DELETE CASCADE,
  form       TEXT NOT NULL,
  digest     TEXT NOT NULL,
  size       INTEGER NOT NULL CHECK (size >= 0),
  media_type TEXT NOT NULL,
  PRIMARY KEY (diff_id, form)
) STRICT, WITHOUT ROWID;
CREATE INDEX packed_layers_digest ON packed_layers (digest);
CREATE TRIGGER packed_layer_deleted AFTER DELETE ON packed_layers BEGIN
  INSERT OR IGNORE INTO loose_blobs VALUES (old.digest);
END;
)sql";

// The commits that names of other repositories meant to a job, and platforms: of the images that it started from, and
// of those that it made, with commas between. Empty: the host's own.
constexpr std::string_view kRepositories = R"sql(
CREATE TABLE job_repositories (
  job       INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
  number    INTEGER NOT NULL,
  name      TEXT NOT NULL CHECK (name <> ''),
  ref       TEXT NOT NULL,
  commit_id TEXT NOT NULL CHECK (commit_id <> ''),
  url       TEXT NOT NULL,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE job_images ADD COLUMN platform TEXT NOT NULL DEFAULT '';
ALTER TABLE artifacts ADD COLUMN platforms TEXT NOT NULL DEFAULT '';
)sql";

// The file that is both a layer's and a blob: by it the layer's other holders are found. 0: from before it was kept.
constexpr std::string_view kSharedFiles = R"sql(
ALTER TABLE blob_shares ADD COLUMN inode INTEGER NOT NULL DEFAULT 0;
)sql";

// Sweeps, and what came of each cell of one: it outlives its job. A cell's row follows the state of its job in the same
// transaction. number 0 is the base, which the others wait for while the sweep is held.
constexpr std::string_view kSweeps = R"sql(
CREATE TABLE sweeps (
  seq              INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT NOT NULL UNIQUE CHECK (length(id) >= 8),
  name             TEXT NOT NULL CHECK (name <> ''),
  project          TEXT NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('running', 'publishing', 'succeeded', 'failed', 'canceled')),
  reason           TEXT NOT NULL DEFAULT '',
  axes             TEXT NOT NULL CHECK (json_valid(axes)),
  job              TEXT NOT NULL CHECK (json_valid(job)),
  digest           TEXT NOT NULL CHECK (digest <> ''),
  idempotency_key  TEXT CHECK (idempotency_key <> ''),
  submitter_uid    INTEGER NOT NULL,
  submitter_gid    INTEGER NOT NULL,
  submitter_user   TEXT NOT NULL,
  parallel         INTEGER NOT NULL CHECK (parallel >= 0),
  stop_after       INTEGER NOT NULL CHECK (stop_after >= 0),
  disk_bytes       INTEGER NOT NULL CHECK (disk_bytes >= 0),
  publish_whole    INTEGER NOT NULL CHECK (publish_whole IN (0, 1)),
  held             INTEGER NOT NULL CHECK (held IN (0, 1)),
  cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
  turn             INTEGER NOT NULL DEFAULT 0 CHECK (turn >= 0), -- when it had its last one in the queue
  time_seconds     INTEGER NOT NULL CHECK (time_seconds >= 0),
  created_ms       INTEGER NOT NULL CHECK (created_ms > 0),
  deadline_ms      INTEGER CHECK (deadline_ms > 0),
  finished_ms      INTEGER CHECK (finished_ms >= created_ms),
  CHECK ((state IN ('succeeded', 'failed', 'canceled')) = (finished_ms IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX sweeps_idempotency ON sweeps (submitter_uid, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX sweeps_once ON sweeps (submitter_uid, digest) WHERE finished_ms IS NULL;
CREATE INDEX sweeps_active ON sweeps (seq) WHERE finished_ms IS NULL;
CREATE INDEX sweeps_finished ON sweeps (finished_ms) WHERE finished_ms IS NOT NULL;
CREATE INDEX sweeps_name ON sweeps (name, project, seq);

CREATE TABLE sweep_cells (
  sweep        INTEGER NOT NULL REFERENCES sweeps (seq) ON DELETE CASCADE,
  number       INTEGER NOT NULL CHECK (number >= 0),
  name         TEXT NOT NULL,
  target       TEXT NOT NULL,
  cell_values  TEXT NOT NULL CHECK (json_valid(cell_values)),
  digest       TEXT NOT NULL CHECK (digest <> ''),
  job          TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
  error        TEXT CHECK (error IS NULL OR json_valid(error)),
  milliseconds INTEGER NOT NULL DEFAULT 0 CHECK (milliseconds >= 0),
  finished_ms  INTEGER,
  bytes        INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  steps        INTEGER NOT NULL DEFAULT 0 CHECK (steps >= 0),
  executed     INTEGER NOT NULL DEFAULT 0 CHECK (executed BETWEEN 0 AND steps),
  PRIMARY KEY (sweep, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX sweep_cells_job ON sweep_cells (job);
CREATE INDEX sweep_cells_name ON sweep_cells (name, sweep);

-- Of images: whether their recipe says --push, and all bytes of theirs; size is that of the manifest.
ALTER TABLE artifacts ADD COLUMN push INTEGER NOT NULL DEFAULT 0 CHECK (push IN (0, 1));
ALTER TABLE artifacts ADD COLUMN insecure INTEGER NOT NULL DEFAULT 0 CHECK (insecure IN (0, 1));
ALTER TABLE artifacts ADD COLUMN image_size INTEGER NOT NULL DEFAULT 0 CHECK (image_size >= 0);

ALTER TABLE jobs ADD COLUMN sweep INTEGER REFERENCES sweeps (seq) ON DELETE SET NULL;
ALTER TABLE jobs ADD COLUMN cell INTEGER NOT NULL DEFAULT 0;
-- Counts the jobs that were begun, so that sweeps and single jobs of one priority take turns.
ALTER TABLE jobs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_turn ON jobs (turn);
CREATE INDEX jobs_single_turn ON jobs (turn) WHERE sweep IS NULL;
CREATE INDEX jobs_sweep ON jobs (sweep, state, priority DESC, seq) WHERE sweep IS NOT NULL;
CREATE INDEX jobs_single_queue ON jobs (priority DESC, seq) WHERE state = 'queued' AND sweep IS NULL;
CREATE TRIGGER job_tells_its_cell AFTER UPDATE OF state ON jobs WHEN new.sweep IS NOT NULL BEGIN
  UPDATE sweep_cells SET
      state = new.state,
      error = new.error,
      milliseconds = coalesce(new.finished_ms - new.started_ms, 0),
      finished_ms = new.finished_ms,
      bytes = (SELECT coalesce(sum(max(size, image_size)), 0) FROM artifacts WHERE job = new.seq),
      steps = (SELECT count(*) FROM job_steps WHERE job = new.seq),
      executed = (SELECT count(*) FROM job_steps WHERE job = new.seq AND how IN ('executed', 'failed'))
    WHERE sweep = new.sweep AND number = new.cell AND job = new.id;
END;
)sql";

// Schedules of the configuration, as far as they have to be remembered, and who is to be told of sweeps that ended:
// each of these is noted in the transaction that ends it. What a sweep itself says of how long its jobs are kept; 0:
// nothing.
constexpr std::string_view kSchedules = R"sql(
CREATE TABLE schedules (
  name       TEXT PRIMARY KEY CHECK (name <> ''),
  occurs     TEXT NOT NULL,
  paused     INTEGER NOT NULL CHECK (paused IN (0, 1)),
  handled_ms INTEGER NOT NULL,
  ran_ms     INTEGER NOT NULL,
  sweep      TEXT NOT NULL,
  problem    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep_endings (
  sweep INTEGER PRIMARY KEY REFERENCES sweeps (seq) ON DELETE CASCADE
) STRICT;
CREATE TRIGGER sweep_ended AFTER UPDATE OF finished_ms ON sweeps
    WHEN new.finished_ms IS NOT NULL AND old.finished_ms IS NULL BEGIN
  INSERT OR IGNORE INTO sweep_endings VALUES (new.seq);
END;
CREATE TABLE webhook_deliveries (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  url      TEXT NOT NULL CHECK (url <> ''),
  body     TEXT NOT NULL CHECK (json_valid(body)),
  since_ms INTEGER NOT NULL,
  next_ms  INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0)
) STRICT;
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_ms);

ALTER TABLE sweeps ADD COLUMN keep_jobs_ms INTEGER NOT NULL DEFAULT 0 CHECK (keep_jobs_ms >= 0);
ALTER TABLE sweeps ADD COLUMN keep_artifacts_ms INTEGER NOT NULL DEFAULT 0 CHECK (keep_artifacts_ms >= 0);
)sql";

}  // namespace

const std::vector<std::string_view>& migrations() {
  static const std::vector<std::string_view> kMigrations = {kJobs,         kSteps,       kShares, kComposed,
                                                            kRepositories, kSharedFiles, kSweeps, kSchedules};
  return kMigrations;
}

}  // namespace ingot::db
