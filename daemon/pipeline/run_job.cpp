#include "daemon/pipeline/run_job.h"

#include "daemon/base/log.h"
#include "daemon/base/url_credentials.h"
#include "daemon/pipeline/early_layers.h"
#include "daemon/pipeline/job_builds.h"
#include "daemon/pipeline/recipe.h"
#include "daemon/pipeline/save_images.h"

namespace ingot::pipeline {

using base::fail;

namespace {

// What cannot be handed out after a failure is told, and hides nothing of why it failed.
void end_failed(jobs::JobRun& run, JobBuilds& builds) {
  builds.record_steps();
  if (run.cancel.canceled()) return;
  if (auto added = run.add_artifacts(builds.saved_all_the_same()); !added) {
    base::log::warning("job {}: what it saves after its failure: {}", run.job.id, added.error().message);
  }
}

Error kept_all_the_same(Error error, const std::string& job) {
  error.hint += (error.hint.empty() ? "" : "; ") + ("what was built is kept: `ingot push " + job + "` pushes it later");
  return error;
}

earthfile::Request::Locally may_work_locally(const Engine& engine, const jobs::JobRun& run) {
  using Locally = earthfile::Request::Locally;
  if (!engine.allow_locally) return Locally::denied_by_host;
  return run.job.spec.locally ? Locally::allowed : Locally::denied_by_client;
}

Status run_passes(const Engine& engine, jobs::JobRun& run) {
  // What this job saves is nobody's until its row says so: until then nothing of it may be swept.
  const auto hold = engine.blobs.ledger().hold();
  auto note = [&](const std::string& line) {
    proto::Event event;
    event.text = line;
    run.log.append(std::move(event));
  };

  // 1. The target as a graph of steps; fetches the images that it starts from, and runs what its course depends on.
  image::JobImages from(engine.images, run.job.spec.pull);
  INGOT_TRY(auto context, load_context(engine, run.job.spec));
  const auto client = std::make_shared<JobClient>(engine.clients, run.job);
  const auto repositories = std::make_shared<git::JobRepositories>(engine.repositories, *run.secrets, run.lost_secrets,
                                                                   client->lends_agent() ? client : nullptr);
  JobBuilds builds(engine, run, context, from, repositories, client);
  const ContextHost::Questions questions{
      [&](const graph::Graph& asked) { return builds.ask(asked); },
      [&](const graph::Graph& state) { return builds.shell_program(state); },
      [&](const graph::Graph& state, const std::string& path) { return builds.step_file(state, path); },
      [&] { return builds.may_begin(); },
      [&](const graph::Graph& known) { builds.begin(known); },
      [&](const graph::Graph& known) { return builds.build_now(known); },
      [&](const graph::Graph& known) { builds.give_up(known); }};
  auto read = read_recipe(engine, run.job.spec, may_work_locally(engine, run), context, from, *repositories, note,
                          builds.cancel_token(), questions);
  INGOT_CHECK(run.record_images(from.used()));
  INGOT_CHECK(run.record_repositories(repositories->used()));
  if (!read) {
    const auto early = builds.early_end();
    end_failed(run, builds);
    INGOT_CHECK(early);
    return fail(read.error());
  }
  const Recipe& recipe = *read;
  const graph::Graph& graph = recipe.plan->graph;
  for (const auto& warning : recipe.plan->warnings) note("warning: " + warning);
  if (auto passed = check_warnings(run.job.spec, recipe.plan->warnings); !passed) {
    builds.give_up(graph);
    (void)builds.early_end();
    end_failed(run, builds);
    return passed;
  }

  INGOT_TRY(const auto form, layer_form(engine, run.job.spec));

  // 2. Every step that the cache does not have, each in its container.
  EarlyLayers early(graph, engine.layers, form);
  const auto built =
      builds.build(graph, [&](graph::StepId step, const store::Lease& result) { early.made(step, result); });
  if (!built) end_failed(run, builds);
  INGOT_CHECK(built);
  builds.record_steps();
  solver::Build& build = **built;

  // 3. What the target hands out: every artifact is found before the first is announced.
  std::vector<proto::Artifact> artifacts;
  for (const auto& save : graph.artifacts) {
    INGOT_TRY(auto saved, build.save(save));
    artifacts.insert(artifacts.end(), saved.begin(), saved.end());
  }
  INGOT_TRY(const auto images, save_images(engine, run, recipe.context->manifest, graph, build, form));
  for (const auto& one : images) {
    note(told(one.image));
    artifacts.push_back(manifest_artifact(one.image));
    artifacts.back().push = one.push;
    artifacts.back().insecure = one.save->insecure;
  }
  auto pushed = push_images(engine, run, images, form, note);
  if (run.cancel.canceled()) return fail(ErrorKind::canceled, "canceled");
  // A registry that refuses takes nothing away from what was built.
  INGOT_CHECK(run.add_artifacts(std::move(artifacts)));
  if (!pushed) return fail(kept_all_the_same(pushed.error(), run.job.id));
  return {};
}

}  // namespace

// What a recipe has of somebody's credentials in a URL stays in the recipe.
Status run_job(const Engine& engine, jobs::JobRun& run) {
  auto done = run_passes(engine, run);
  engine.clients.end(run.job.id);
  return done ? done : fail(base::without_credentials(done.error()));
}

}  // namespace ingot::pipeline
