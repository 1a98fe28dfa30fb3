#include "daemon/app/metrics.h"

#include <algorithm>

#include "daemon/base/metrics.h"
#include "proto/version.h"

namespace ingot::app {

namespace {

using base::MetricsText;
constexpr auto kCounter = MetricsText::Type::counter;
constexpr auto kGauge = MetricsText::Type::gauge;

void write_jobs(const jobs::JobQueue& queue, MetricsText& text) {
  const auto now = queue.counts();
  const auto& counters = queue.counters();
  text.family(kGauge, "ingot_jobs", "Jobs that have not ended, by state.")
      .sample(now.queued, {{"state", "queued"}})
      .sample(now.running, {{"state", "running"}});
  text.family(kCounter, "ingot_jobs_finished_total", "Jobs that ended, by outcome.")
      .sample(counters.succeeded, {{"outcome", "succeeded"}})
      .sample(counters.failed, {{"outcome", "failed"}})
      .sample(counters.canceled, {{"outcome", "canceled"}});
  text.histogram("ingot_job_duration_seconds", "How long jobs ran.", counters.run_seconds);
  text.histogram("ingot_job_queue_seconds", "How long jobs waited for their first start.", counters.wait_seconds);
  text.family(kCounter, "ingot_artifacts_saved_bytes_total", "Bytes of the artifacts that jobs made.")
      .sample(counters.saved_bytes);
}

void write_steps(const solver::Solver& solver, unsigned slots, MetricsText& text) {
  const auto& counters = solver.counters();
  const auto used = solver.slots();
  text.family(kGauge, "ingot_slots", "Steps that may run at the same time.").sample(slots);
  text.family(kGauge, "ingot_slots_used", "Steps that run.").sample(used.running);
  text.family(kGauge, "ingot_slots_waiting", "Steps that wait for a slot.").sample(used.waiting);
  text.family(kCounter, "ingot_steps_executed_total", "Steps that were run.").sample(counters.executed);
  text.family(kCounter, "ingot_steps_failed_total", "Steps that were run and failed.").sample(counters.failed);
  text.family(kCounter, "ingot_step_cache_hits_total",
              "Steps that did not have to run: found by their definition (key), by what they stand on (inputs), or by "
              "its content.")
      .sample(counters.hit_key, {{"kind", "key"}})
      .sample(counters.hit_inputs, {{"kind", "inputs"}})
      .sample(counters.hit_content, {{"kind", "content"}});
  text.family(kCounter, "ingot_steps_merged_total", "Steps that were wanted while an equal one ran.")
      .sample(counters.merged);
  text.histogram("ingot_step_duration_seconds", "How long steps ran.", counters.step_seconds);
  text.histogram("ingot_step_slot_wait_seconds", "How long steps waited for a slot.", counters.slot_wait_seconds);
}

void write_recipes(const pipeline::KeptRecipes& recipes, MetricsText& text) {
  text.family(kCounter, "ingot_recipes_total",
              "Targets of jobs and plans that were read: interpreted, or taken as an equal one had come out (kept).")
      .sample(recipes.interpreted(), {{"how", "interpreted"}})
      .sample(recipes.taken(), {{"how", "kept"}});
}

void write_disk(const Measured& daemon, MetricsText& text) {
  const auto blobs = daemon.blobs.ledger().totals();
  text.family(kCounter, "ingot_images_fetched_bytes_total", "Bytes that fetched images took on the disk.")
      .sample(daemon.images.fetched_bytes());
  text.family(kCounter, "ingot_blobs_written_bytes_total", "Bytes of new artifacts, files of contexts, image layers.")
      .sample(blobs.written_bytes);
  if (auto usage = daemon.collector.usage()) {
    text.family(kGauge, "ingot_disk_bytes", "What is kept on the disk, by kind.")
        .sample(usage->layer_bytes, {{"kind", "layers"}})
        .sample(usage->others.blob_bytes, {{"kind", "blobs"}})
        .sample(usage->others.context_bytes, {{"kind", "contexts"}})
        .sample(usage->others.log_bytes, {{"kind", "logs"}})
        .sample(usage->others.cache_mount_bytes, {{"kind", "cache mounts"}});
    text.family(kGauge, "ingot_disk_in_use_bytes", "Layers that builds hold at this moment.")
        .sample(usage->in_use_bytes);
    text.family(kGauge, "ingot_disk_limit_bytes", "What may be kept (cache.max_size); 0: no limit.")
        .sample(usage->max_bytes);
  }
  text.family(kGauge, "ingot_jobs_waiting_for_disk", "Running jobs that wait for room on the disk.")
      .sample(daemon.admission.waiting());
  if (auto free = daemon.collector.free_bytes()) {
    text.family(kGauge, "ingot_disk_free_bytes", "What is free on the file system of the state directory.")
        .sample(*free);
  }
  const auto pruned = daemon.collector.total_pruned();
  const auto swept = daemon.sweeper.total();
  text.family(kCounter, "ingot_collected_total", "What was removed to make room or since nobody needed it, by kind.")
      .sample(pruned.layers, {{"kind", "layers"}})
      .sample(pruned.cache_mounts, {{"kind", "cache mounts"}})
      .sample(swept.blobs, {{"kind", "blobs"}})
      .sample(swept.contexts, {{"kind", "contexts"}});
  text.family(kCounter, "ingot_collected_bytes_total", "The bytes of it.").sample(pruned.all_bytes() + swept.bytes);
}

}  // namespace

std::string metrics_text(const Measured& daemon) {
  MetricsText text;
  text.family(kGauge, "ingot_build_info", "The daemon's version.").sample(1, {{"version", proto::kVersion}});
  text.family(kGauge, "process_start_time_seconds", "When the daemon started, in seconds since the epoch.")
      .sample(static_cast<std::uint64_t>(daemon.started_ms / 1000));
  write_jobs(daemon.queue, text);
  write_steps(daemon.solver, daemon.slots, text);
  write_recipes(daemon.recipes, text);
  write_disk(daemon, text);
  const auto schedules = daemon.schedules.list().value_or(std::vector<proto::Schedule>());
  text.family(kGauge, "ingot_schedules_failing", "Schedules whose last turn came to nothing.")
      .sample(static_cast<std::uint64_t>(
          std::count_if(schedules.begin(), schedules.end(), [](const auto& each) { return !each.problem.empty(); })));
  text.family(kGauge, "ingot_webhook_deliveries_waiting", "Messages that no webhook has taken so far.")
      .sample(daemon.webhooks.waiting().value_or(0));
  return text.text();
}

}  // namespace ingot::app
