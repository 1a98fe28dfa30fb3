#include "daemon/pipeline/recipe.h"

#include <fmt/format.h>

#include "daemon/base/digest.h"
#include "daemon/pipeline/known_answers.h"
#include "daemon/text/fail_at.h"

namespace ingot::pipeline {

namespace {

using base::fail;

// The project's own; a target of another repository needs none.
Result<std::string> text_of_earthfile(earthfile::Host& host, const std::string& target) {
  auto text = proto::names_repository(target) ? Result<std::string>("VERSION 0.8\n") : host.read_file("Earthfile");
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "the project directory has no Earthfile",
                "run ingot in the directory of your Earthfile, or name it with -C");
  }
  return text;
}

Result<earthfile::Interpretation> interpret(const std::string& text, const earthfile::Request& request,
                                            earthfile::Host& host) {
  const auto file = earthfile::parse(text, "Earthfile");
  if (!file) return fail(text::joined(file.error()));
  return earthfile::interpret(*file, request, host);
}

}  // namespace

Status check_warnings(const proto::JobSpec& spec, const std::vector<std::string>& warnings) {
  if (!spec.strict || warnings.empty()) return {};
  Error error{ErrorKind::invalid, "", "correct what it names, or build without --strict", {}, {}};
  error.message = warnings.size() == 1
                      ? "there is a warning, and --strict lets none pass"
                      : fmt::format("there are {} warnings, and --strict lets none pass", warnings.size());
  for (const auto& warning : warnings) error.context.push_back("warning: " + warning.substr(0, warning.find('\n')));
  return fail(std::move(error));
}

Result<std::shared_ptr<const solver::Context>> load_context(const Engine& engine, const proto::JobSpec& spec) {
  INGOT_TRY(auto digest, base::Digest::parse(spec.context));
  INGOT_TRY(auto manifest, engine.contexts.load(digest));
  return std::make_shared<const solver::Context>(std::move(manifest));
}

Result<Recipe> read_recipe(const Engine& engine, const proto::JobSpec& spec, earthfile::Request::Locally locally,
                           std::shared_ptr<const solver::Context> context, image::JobImages& images,
                           git::JobRepositories& repositories, const image::Progress& progress,
                           const sys::CancelToken& cancel, const ContextHost::Questions& questions) {
  Recipe recipe;
  recipe.context = std::move(context);
  earthfile::Request request{spec.target, spec.args, spec.no_cache_targets, spec.push, spec.builtins};
  request.locally = locally;
  for (const auto& text : spec.platforms) {
    INGOT_TRY(auto platform, base::parse_platform(text));
    request.platforms.push_back(std::move(platform));
  }
  request.repeatable = spec.repeatable;
  const auto host_with = [&](image::JobImages& with_images, const ContextHost::Questions& with) {
    return ContextHost(recipe.context->manifest, engine.blobs, with_images, repositories, progress, cancel, with);
  };
  ContextHost host = host_with(images, questions);
  earthfile::NotingHost noting(host);
  INGOT_TRY(const auto text, text_of_earthfile(noting, spec.target));

  const KeptRecipes::Key key{request, base::Digest::of(text)};
  // Whether a name means another image by now is asked of registries, best by an interpretation: it goes on meanwhile.
  const auto kept = spec.pull == proto::PullPolicy::always ? nullptr : engine.recipes.find(key);
  if (kept) {
    // First only what is known here is asked: where something must run or be fetched, it is interpretation that knows
    // what may go on beside it. After that the job has its answers as if it had asked, whatever became of the cache
    // meanwhile.
    image::JobImages known_images(engine.images, proto::PullPolicy::never);
    KnownAnswers known(engine, spec, recipe.context, known_images, cancel);
    ContextHost knowing = host_with(known_images, known.questions());
    if (earthfile::is_told_again(kept->questions, knowing)) {
      if (!questions.only_known) (void)earthfile::is_told_again(kept->questions, host);
      engine.recipes.count(true);
      recipe.plan = kept->plan;
      return recipe;
    }
  }
  INGOT_TRY(auto plan, interpret(text, request, noting));
  engine.recipes.count(false);
  recipe.plan = std::make_shared<const earthfile::Interpretation>(std::move(plan));
  if (auto asked = noting.take()) engine.recipes.keep({key, std::move(*asked), recipe.plan});
  return recipe;
}

}  // namespace ingot::pipeline
