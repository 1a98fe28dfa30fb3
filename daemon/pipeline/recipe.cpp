#include "daemon/pipeline/recipe.h"

#include "daemon/base/digest.h"
#include "daemon/pipeline/context_host.h"

namespace ingot::pipeline {

namespace {

using base::fail;

Result<earthfile::File> parse_earthfile(ContextHost& host) {
  auto text = host.read_file("Earthfile");
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "the project directory has no Earthfile",
                "run ingot in the directory of your Earthfile, or name it with -C");
  }
  if (!text) return fail(text.error());
  auto file = earthfile::parse(*text, "Earthfile");
  if (file) return *file;
  // The first error is the job's; the others are told with it.
  Error error = file.error().front();
  for (std::size_t i = 1; i < file.error().size(); ++i) error.context.push_back(proto::render(file.error()[i]));
  return fail(std::move(error));
}

}  // namespace

Result<Recipe> read_recipe(const Engine& engine, const proto::JobSpec& spec, image::JobImages& images,
                           const image::Progress& progress, const sys::CancelToken& cancel) {
  INGOT_TRY(auto digest, base::Digest::parse(spec.context));
  INGOT_TRY(auto manifest, engine.contexts.load(digest));
  Recipe recipe;
  recipe.context = std::make_shared<const solver::Context>(std::move(manifest));
  ContextHost host(recipe.context->manifest, engine.blobs, images, progress, cancel);
  INGOT_TRY(auto file, parse_earthfile(host));
  INGOT_TRY(recipe.plan, earthfile::interpret(file, {spec.target, spec.args, spec.no_cache_targets}, host));
  return recipe;
}

}  // namespace ingot::pipeline
