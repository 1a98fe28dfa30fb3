#include "daemon/pipeline/recipe.h"

#include "daemon/base/digest.h"
#include "daemon/text/fail_at.h"

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
  return fail(text::joined(std::move(file.error())));
}

}  // namespace

Result<std::shared_ptr<const solver::Context>> load_context(const Engine& engine, const proto::JobSpec& spec) {
  INGOT_TRY(auto digest, base::Digest::parse(spec.context));
  INGOT_TRY(auto manifest, engine.contexts.load(digest));
  return std::make_shared<const solver::Context>(std::move(manifest));
}

Result<Recipe> read_recipe(const Engine& engine, const proto::JobSpec& spec,
                           std::shared_ptr<const solver::Context> context, image::JobImages& images,
                           const image::Progress& progress, const sys::CancelToken& cancel,
                           const ContextHost::Questions& questions) {
  Recipe recipe;
  recipe.context = std::move(context);
  ContextHost host(recipe.context->manifest, engine.blobs, images, progress, cancel, questions);
  INGOT_TRY(auto file, parse_earthfile(host));
  INGOT_TRY(recipe.plan, earthfile::interpret(file, {spec.target, spec.args, spec.no_cache_targets, spec.push}, host));
  return recipe;
}

}  // namespace ingot::pipeline
