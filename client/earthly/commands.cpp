#include "client/earthly/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "client/commands/commands.h"
#include "client/commands/common.h"
#include "client/commands/earthfiles.h"
#include "client/earthly/flag_table.h"
#include "client/render/recipe_text.h"
#include "daemon/base/strings.h"
#include "daemon/sys/files.h"

namespace ingot::client::earthly {

namespace {

namespace fs = std::filesystem;
using base::fail;

// All errors of its syntax in one.
Result<earthfile::File> parsed(const std::string& directory) {
  auto file = parse_earthfile(earthfile_path({}, directory));
  if (file) return *std::move(file);
  Error error = file.error().front();
  for (std::size_t i = 1; i < file.error().size(); ++i) {
    const Error& more = file.error()[i];
    error.context.push_back((more.position ? proto::place_of(*more.position) + ": " : "") + more.message);
  }
  return fail(std::move(error));
}

Result<std::string> at_most_one(const CommandLine& line) {
  if (line.words.size() > 1) return fail(ErrorKind::usage, "earthly " + line.command + " takes one argument");
  return line.words.empty() ? "" : line.words.front();
}

// A comment is documentation when it begins with the name of what it documents.
bool documents(const std::string& doc, const std::string& name) {
  return doc.starts_with(name + " ");
}

}  // namespace

Status list_targets(const CommandLine& line) {
  INGOT_TRY(std::string directory, at_most_one(line));
  if (directory.find('+') != std::string::npos) {
    return fail(ErrorKind::usage, "earthly ls takes a directory, and no target", "`earthly doc` tells of a target");
  }
  INGOT_TRY(const auto file, parsed(directory));
  auto targets = file.targets;
  targets.push_back({"base", "", {}, {}});
  std::sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& target : targets) {
    fmt::print("{}+{}\n", line.has("long") ? visible(directory) : "", visible(target.name));
    if (!line.has("args")) continue;
    for (const auto& arg : earthfile::describe(file, target.commands).args) fmt::print("  --{}\n", visible(arg.name));
  }
  return {};
}

Status document(const CommandLine& line) {
  INGOT_TRY(const std::string word, at_most_one(line));
  const auto reference = split_reference(word);
  INGOT_TRY(const auto file, parsed(reference.directory));
  if (!reference.target.empty()) {
    const auto found = std::find_if(file.targets.begin(), file.targets.end(),
                                    [&](const auto& target) { return target.name == reference.target; });
    if (found == file.targets.end()) {
      return fail(ErrorKind::not_found,
                  fmt::format("{} has no target {}", file.name, base::printable(reference.target)),
                  base::did_you_mean(reference.target, earthfile::target_names(file)));
    }
    if (!documents(found->doc, found->name)) {
      return fail(ErrorKind::not_found, "+" + found->name + " has no documentation",
                  fmt::format("write a comment right above it that begins with \"{} \"", found->name));
    }
    fmt::print("{}", recipe_text(file, *found, true, ""));
    return {};
  }
  fmt::print("TARGETS:\n");
  for (const auto& target : file.targets) {
    if (documents(target.doc, target.name)) fmt::print("{}", recipe_text(file, target, line.has("long"), "  "));
  }
  return {};
}

// Of all that nobody uses at this moment nothing is kept, so that the three forms differ only in what bounds them.
Status prune(const CommandLine& line) {
  if (!line.words.empty()) return fail(ErrorKind::usage, "earthly prune takes flags only");
  proto::CachePrune wanted;
  if (line.has("size")) {
    INGOT_TRY(wanted.keep_bytes, base::parse_bytes(line.value("size")));
  }
  if (line.has("age")) {
    INGOT_TRY(auto seconds, base::parse_duration(line.value("age")));
    wanted.older_than_seconds = static_cast<std::uint64_t>(seconds);
  }
  INGOT_TRY(auto pruned, open_daemon({}).prune_cache(wanted));
  fmt::print("Freed {}\n", base::human_bytes(pruned.bytes + pruned.blob_bytes + pruned.cache_mount_bytes));
  return {};
}

Status init() {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status("Earthfile", ignored))) {
    return fail(ErrorKind::conflict, "there is an Earthfile in this directory already");
  }
  INGOT_CHECK(sys::write_file_durably("Earthfile",
                                      "VERSION 0.8\nFROM debian:bookworm\nWORKDIR /work\n\n"
                                      "# build makes what this project is for.\nbuild:\n    COPY . .\n"
                                      "    RUN echo \"put the build's commands here\"\n"));
  fmt::print("wrote Earthfile; `earthly +build` builds it\n");
  return {};
}

Status debug(const CommandLine& line) {
  Invocation invocation;
  invocation.command = "debug";
  invocation.words = line.words;
  // The tree as `ingot debug ast` has it; its errors are told by it.
  INGOT_TRY(const int code, run_debug(invocation));
  if (code == 0) return {};
  return fail(ErrorKind::syntax, "the Earthfile does not parse");
}

void help() {
  fmt::print(
      "This is Ingot, which takes Earthly's command line.\n\n"
      "Usage: earthly [flags] +target [--NAME=value ...]\n"
      "       earthly [flags] --artifact +target/path [DEST]\n"
      "       earthly [flags] --image +target\n"
      "       earthly ls [--args] [--long] [DIR] | doc [--long] [DIR][+target] | prune [--reset] | init | debug ast\n\n"
      "Flags:\n");
  for (const Flag& flag : build_flags()) {
    if (flag.use != FlagUse::taken && flag.use != FlagUse::idle) continue;
    std::string left = "--" + flag.name + (flag.value == Flag::Value::none ? "" : " VALUE");
    for (const auto& other : flag.others) left += ", " + std::string(other.size() == 1 ? "-" : "--") + other;
    fmt::print("  {:<34} {}\n", left, flag.variables.empty() ? "" : flag.variables.front());
  }
  fmt::print("\n`ingot help` lists what Ingot has beside that, and man ingot(1) tells what differs.\n");
}

}  // namespace ingot::client::earthly
