#include "daemon/pipeline/recipe.h"

#include <fmt/format.h>

#include "daemon/base/digest.h"
#include "daemon/text/fail_at.h"

namespace ingot::pipeline {

namespace {

using base::fail;

// The project's own; a target of another repository needs none.
Result<earthfile::File> parse_earthfile(ContextHost& host, const std::string& target) {
  auto text = proto::names_repository(target) ? Result<std::string>("VERSION 0.8\n") : host.read_file("Earthfile");
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
  ContextHost host(recipe.context->manifest, engine.blobs, images, repositories, progress, cancel, questions);
  INGOT_TRY(auto file, parse_earthfile(host, spec.target));
  earthfile::Request request{spec.target, spec.args, spec.no_cache_targets, spec.push, spec.builtins};
  request.locally = locally;
  for (const auto& text : spec.platforms) {
    INGOT_TRY(auto platform, base::parse_platform(text));
    request.platforms.push_back(std::move(platform));
  }
  request.repeatable = spec.repeatable;
  INGOT_TRY(recipe.plan, earthfile::interpret(file, request, host));
  return recipe;
}

}  // namespace ingot::pipeline
