#include "client/sweep/prepare.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "client/commands/ask.h"
#include "client/commands/common.h"
#include "client/commands/edge_checks.h"
#include "client/commands/git.h"
#include "client/commands/project_names.h"
#include "client/commands/secrets.h"
#include "client/commands/submission.h"
#include "client/context/upload.h"
#include "client/render/text.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/earthfile.h"
#include "daemon/sweep/expand.h"
#include "daemon/sys/files.h"
#include "daemon/sys/in_memory.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using Values = std::map<std::string, std::string>;

constexpr std::uint64_t kLargest = 16U << 20U;

// Findings of cells, each told once however many cells have it.
class Told {
 public:
  explicit Told(const Invocation& invocation) : invocation_(invocation) {}

  void add(const edge::Findings& findings, const std::string& cell) {
    for (const auto& error : findings.errors) errors_[key(error)].note(error, cell);
    for (const auto& warning : findings.warnings) warnings_[key(warning)].note(warning, cell);
  }
  // Kind `invalid` where there is an error, and with --strict for a warning too.
  Status tell(std::size_t cells) const {
    const bool is_strict = invocation_.has("--strict");
    for (const auto& [text, one] : warnings_) {
      if (is_strict || !is_quiet(invocation_)) report_warning(one.with_cells(cells));
    }
    for (const auto& [text, one] : errors_) report(one.with_cells(cells));
    const std::size_t wrong = errors_.size() + (is_strict ? warnings_.size() : 0);
    if (wrong == 0) return {};
    return fail(ErrorKind::invalid,
                fmt::format("this sweep would not come out as it is meant: there {}",
                            wrong == 1 ? "is a mistake" : fmt::format("are {} mistakes", wrong)),
                "correct what is named above; nothing was sent");
  }

 private:
  struct One {
    Error error;
    std::string first_cell;
    std::size_t cells = 0;

    void note(const Error& given, const std::string& cell) {
      if (cells++ == 0) {
        error = given;
        first_cell = cell;
      }
    }
    Error with_cells(std::size_t all) const {
      Error told = error;
      if (first_cell.empty() || cells == all) return told;
      told.message += fmt::format(" (cell {}{})", base::printable(first_cell),
                                  cells > 1 ? fmt::format(" and {} more", cells - 1) : "");
      return told;
    }
  };
  static std::string key(const Error& error) {
    const auto line = error.position ? fmt::format("{:09}:{:05} ", error.position->line, error.position->column) : "";
    return line + error.message;
  }

  const Invocation& invocation_;
  std::map<std::string, One> errors_;
  std::map<std::string, One> warnings_;
};

Result<Values> read_arg_file(const fs::path& project) {
  auto text = sys::read_file(project / ".arg", kLargest);
  if (!text && text.error().kind == ErrorKind::not_found) return Values{};
  if (!text) return fail(text.error());
  return earthfile::parse_dotenv(*text, ".arg");
}

Result<sweep::Project> look_at(const fs::path& project) {
  sweep::Project known;
  INGOT_TRY(const auto text, sys::read_file(project / "Earthfile", kLargest));
  const auto parsed = earthfile::parse(text, "Earthfile");
  if (!parsed) return fail(parsed.error().front());
  for (const auto& target : parsed->targets) known.targets.insert("+" + target.name);
  known.declared = args_in_project(project);
  INGOT_TRY(known.args, read_arg_file(project));
  if (const auto versions = sys::read_file(project / "k8s_version.json", kLargest)) {
    INGOT_TRY(known.versions, edge::parse_kubernetes_versions(*versions, "k8s_version.json"));
  }
  return known;
}

// What the file names is given as `--secret NAME` of a build is.
Result<proto::Secrets> secrets_of(const Invocation& invocation, const std::vector<std::string>& names,
                                  const fs::path& project) {
  Invocation as_build = invocation;
  for (const auto& name : names) as_build.flags["--secret"].push_back(name);
  const Ask ask = can_ask() ? Ask(ask_unseen) : Ask();
  INGOT_TRY(auto given, collect_secrets(as_build, project, ask));
  for (const auto& warning : given.warnings) std::fprintf(stderr, "ingot: warning: %s\n", warning.c_str());
  return std::move(given.values);
}

proto::SweepSpec to_submission(const sweep::Specification& specification, const std::vector<sweep::Cell>& cells,
                               const Values& arg_file) {
  proto::SweepSpec spec;
  spec.name = specification.name;
  for (const auto& axis : specification.axes) spec.axes.push_back(axis.name);
  spec.job.target = specification.base.text;
  spec.job.args = arg_file;
  for (const auto& [name, value] : specification.args) spec.job.args[name] = value;
  spec.job.priority = specification.priority;
  spec.job.timeout_seconds = specification.timeout_seconds;
  spec.publish_whole = specification.push && specification.publish == sweep::Publish::all_or_nothing;
  spec.job.push = specification.push && !spec.publish_whole;
  spec.job.repeatable = true;  // nobody stays to do what LOCALLY says
  spec.parallel = specification.limits.parallel;
  spec.time_seconds = specification.limits.time_seconds;
  spec.disk_bytes = specification.limits.disk_bytes;
  spec.keep_jobs_seconds = specification.retention.jobs_seconds;
  spec.keep_artifacts_seconds = specification.retention.artifacts_seconds;
  spec.stop_after = specification.stop_after;
  for (const auto& cell : cells) {
    Values args = arg_file;
    for (const auto& [name, value] : cell.args) args[name] = value;
    spec.cells.push_back({cell.name, cell.target, cell.values, std::move(args), cell.timeout_seconds, cell.priority});
  }
  return spec;
}

}  // namespace

Result<PreparedSweep> prepare_sweep(const Invocation& invocation, Daemon& daemon, const std::string& file,
                                    For purpose) {
  const fs::path path = project_directory(invocation) / file;
  INGOT_TRY(const auto text, sys::read_file(path, kLargest));
  const auto read = sweep::read_specification(text, file, path.stem().string());
  {
    Told told(invocation);
    told.add(read.findings, "");
    INGOT_CHECK(told.tell(0));
  }
  std::error_code error;
  const fs::path project = fs::canonical(path.parent_path() / read.specification.project, error);
  if (error) return base::fail_errno(error.value(), "cannot use the project directory " + read.specification.project);
  INGOT_TRY(const auto known, look_at(project));
  const auto expansion = sweep::expand(read.specification, known);
  Told told(invocation);
  told.add(expansion.findings, "");
  PreparedSweep prepared{to_submission(read.specification, expansion.cells, known.args), {}};
  EdgeProject checks(project, project / ".arg", known.declared);
  for (const auto& cell : prepared.spec.cells) {
    INGOT_TRY(const auto findings, checks.check(cell.args, cell.target));
    told.add(findings, cell.name);
  }
  INGOT_CHECK(told.tell(prepared.spec.cells.size()));

  // A person who is asked does not wait for the project to be sent.
  sys::refuse_core_dumps();
  const auto names = look_at_project(project);
  if (purpose == For::running) {
    INGOT_TRY(prepared.secrets, secrets_of(invocation, read.specification.secrets, project));
    INGOT_CHECK(add_git_credentials(project, names.hosts, prepared.secrets));
  }
  if (names.asks_builtins) prepared.spec.job.builtins = git_builtins(project, sys::system_processes()).values;
  prepared.spec.job.project = project.string();
  prepared.spec.job.strict = invocation.has("--strict");
  prepared.spec.job.labels["sweep"] = prepared.spec.name;
  prepared.spec.idempotency_key = invocation.value("--idempotency-key", "ingot-" + base::random_id(20));
  INGOT_TRY(prepared.spec.job.context,
            upload_project(
                daemon, project, [](const UploadProgress&) {}, secret_files(invocation, project)));
  return prepared;
}

}  // namespace ingot::client
