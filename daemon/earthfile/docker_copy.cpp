#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/base/strings.h"
#include "daemon/earthfile/docker_stages.h"
#include "daemon/earthfile/mount_option.h"
#include "daemon/earthfile/paths.h"
#include "daemon/earthfile/shell_quote.h"

// COPY and ADD of a Dockerfile.
namespace ingot::earthfile {

namespace {

using dockerfile::Heredoc;
using dockerfile::Instruction;
using dockerfile::Kind;

const Heredoc* heredoc_at(const Instruction& one, const dockerfile::Word& word) {
  auto found = std::find_if(one.heredocs.begin(), one.heredocs.end(), [&](const Heredoc& heredoc) {
    return word.text.starts_with("<<") && heredoc.place.offset == word.place.offset;
  });
  return found == one.heredocs.end() ? nullptr : &*found;
}

std::vector<dockerfile::Word> words_of(const Instruction& one) {
  if (!one.exec) return one.words;
  std::vector<dockerfile::Word> words;
  for (const auto& text : *one.exec) words.push_back({text, one.arguments.place});
  return words;
}

bool is_archive(const std::string& name) {
  constexpr std::array<const char*, 9> kEndings = {".tar",    ".tar.gz", ".tgz",     ".tar.bz2", ".tbz2",
                                                   ".tar.xz", ".txz",    ".tar.zst", ".tzst"};
  return std::any_of(kEndings.begin(), kEndings.end(), [&](const char* ending) { return name.ends_with(ending); });
}

bool unpacks(const Instruction& one, const std::string& source) {
  if (one.kind != Kind::add || one.find("from") != nullptr) return false;
  const dockerfile::Flag* unpack = one.find("unpack");
  return unpack == nullptr ? is_archive(source) : unpack->value != "false";
}

// ADD does more than COPY with some sources. What reaches out is a step of the recipe's own here.
Status check_added(const Instruction& one, const std::string& source, const Place& place) {
  if (one.kind != Kind::add) return {};
  const auto begins = [&](const char* with) { return base::starts_with_ci(source, with); };
  if (begins("git@") || begins("git://") || begins("ssh://") || (begins("http") && source.ends_with(".git"))) {
    return fail_at(place, ErrorKind::unsupported, "ADD does not clone repositories",
                   "clone it beside the Earthfile and COPY it, or RUN git clone");
  }
  if (begins("http://") || begins("https://") || begins("ftp://")) {
    return fail_at(place, ErrorKind::unsupported, "ADD fetches nothing", "RUN curl -fLo file URL, or wget, does");
  }
  return {};
}

}  // namespace

// Seen from the project's own directory, or in the file system that the context is in.
Result<std::string> DockerStages::context_path(const std::string& source, const Instruction& one,
                                               const Place& place) const {
  if (leaves_project(source)) {
    return fail_at(place, ErrorKind::invalid,
                   one.name + " cannot take \"" + base::printable(source) + "\": it is outside of the context",
                   "the context is what stands last in FROM DOCKERFILE");
  }
  std::string path = source.substr(std::min(source.find_first_not_of('/'), source.size()));
  const DockerPath& context = request_.context;
  if (context.step) return absolute(context.path, path);
  if (path.empty()) path = ".";
  return context.path.empty() ? path : context.path + "/" + path;
}

Status DockerStages::set_copy_flags(DockerStage& stage, const Instruction& one, graph::CopyOp& op) {
  for (const auto& flag : one.flags) {
    const bool takes_text = flag.name == "chown" || flag.name == "chmod";
    if (takes_text) {
      INGOT_TRY(auto text, value_of(stage, {flag.value, flag.place}));
      if (flag.name == "chown") op.chown = text;
      if (flag.name != "chmod") continue;
      INGOT_TRY(op.chmod, parse_mode(text, flag.place, "--chmod"));
      continue;
    }
    if (flag.name == "from" || flag.name == "link" || flag.name == "unpack" || flag.value == "false") continue;
    return fail_at(flag.place, ErrorKind::unsupported,
                   one.name + " --" + flag.name + " is not understood by this version of Ingot",
                   flag.name == "exclude" ? "list it in the .dockerignore" : "leave it out");
  }
  return {};
}

Status DockerStages::copy(DockerStage& stage, const Instruction& one) {
  const auto words = words_of(one);
  graph::CopyOp op;
  INGOT_CHECK(set_copy_flags(stage, one, op));
  const Flag* from = one.find("from");
  if (from != nullptr) {
    INGOT_TRY(op.from, source_step(from->value, one, from->place));
  }
  INGOT_TRY(auto destination, value_of(stage, words.back()));
  op.destination_is_directory = means_directory(destination) || words.size() > 2;
  op.destination = absolute(stage.working_dir, destination);
  std::vector<std::string> archives;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const dockerfile::Word& word = words[i];
    if (heredoc_at(one, word) != nullptr) continue;
    INGOT_TRY(auto source, value_of(stage, word));
    if (source.empty()) {
      return fail_at(word.place, ErrorKind::invalid, one.name + " " + word.text + ": this source is empty here",
                     "give the variable a value, or write \".\" for the whole context");
    }
    INGOT_CHECK(check_added(one, source, word.place));
    if (from == nullptr) {
      INGOT_TRY(source, context_path(source, one, word.place));
    } else {
      source = absolute("/", source);
    }
    (unpacks(one, source) ? archives : op.sources).push_back(std::move(source));
  }
  if (from == nullptr && request_.context.step) op.from = request_.context.step;
  if (!op.from) op.excluded = request_.excluded;
  if (!op.sources.empty()) INGOT_CHECK(add_step(stage, one, op));
  if (!archives.empty()) INGOT_CHECK(unpack(stage, one, op, std::move(archives)));
  for (const dockerfile::Word& word : words) {
    if (const Heredoc* heredoc = heredoc_at(one, word)) INGOT_CHECK(write_heredoc(stage, one, *heredoc, op));
  }
  return {};
}

// Archives are copied to a file system of their own, and from there unpacked by the image's tar: they are in no layer.
Status DockerStages::unpack(DockerStage& stage, const Instruction& one, graph::CopyOp like,
                            std::vector<std::string> archives) {
  constexpr const char* kPlace = "/dev/archives";
  INGOT_TRY(const auto nothing, add(std::nullopt, graph::ImageOp{"scratch"}, one.text, one.place));
  graph::ExecOp exec;
  exec.env = stage.env.entries();
  exec.platform = base::foreign_platform(stage.platform);
  exec.command = fmt::format(
      "mkdir -p {0} && for archive in {1}/*; do "
      "case \"$archive\" in *gz) how=z ;; *bz2) how=j ;; *xz) how=J ;; *) how= ;; esac; "
      "tar -x${{how}}f \"$archive\" -C {0} || {{ "
      "echo 'ADD unpacks by the tar of the image: it must have one, and what it takes to decompress' >&2; "
      "exit 1; }}; done",
      shell_quoted({like.destination}), kPlace);
  like.sources = std::move(archives);
  like.destination = "/";
  like.destination_is_directory = true;
  like.chown.clear();
  like.chmod.reset();
  INGOT_TRY(const auto copied, add(nothing, std::move(like), one.text, one.place));
  graph::Mount mount;
  mount.kind = graph::Mount::Kind::bind;
  mount.from = copied;
  mount.target = kPlace;
  exec.mounts.push_back(std::move(mount));
  return add_step(stage, one, std::move(exec));
}

Status DockerStages::write_heredoc(DockerStage& stage, const Instruction& one, const Heredoc& heredoc,
                                   const graph::CopyOp& like) {
  graph::WriteFileOp op;
  op.name = heredoc.name;
  if (op.name.find('/') != std::string::npos) {
    return fail_at(heredoc.place, ErrorKind::invalid, "the heredoc's name is the file's, and has no slash",
                   "such as <<EOF");
  }
  op.destination = like.destination;
  op.destination_is_directory = like.destination_is_directory;
  op.chown = like.chown;
  op.mode = like.chmod.value_or(0644);
  INGOT_TRY(op.content, dockerfile::expand_lines(heredoc, file_.escape, lookup(stage)));
  return add_step(stage, one, std::move(op));
}

}  // namespace ingot::earthfile
