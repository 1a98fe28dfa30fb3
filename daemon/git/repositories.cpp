#include "daemon/git/repositories.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "daemon/base/strings.h"
#include "daemon/git/checkout.h"
#include "daemon/git/failure.h"
#include "daemon/git/reach.h"

namespace ingot::git {

namespace {

using base::fail;

constexpr std::size_t kShortestCommit = 7;
constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";

// What `ls-remote` prints: commits by the full names of their refs; of an annotated tag the commit that it means.
struct Listing {
  std::map<std::string, std::string> commits;
  std::string head;  // what HEAD stands for
};

Listing read_listing(const std::string& text) {
  Listing listing;
  for (const auto& line : base::split(text, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string first = line.substr(0, tab);
    std::string name = line.substr(tab + 1);
    if (first.starts_with("ref: ")) {
      if (name == "HEAD") listing.head = first.substr(5);
      continue;
    }
    if (!is_whole_commit(first)) continue;
    constexpr std::string_view kPeeled = "^{}";
    const bool peeled = name.ends_with(kPeeled);
    if (peeled) name.resize(name.size() - kPeeled.size());
    if (peeled)
      listing.commits[name] = first;
    else
      listing.commits.try_emplace(name, first);
  }
  return listing;
}

Revision revision_of(const std::string& full_ref, const std::string& commit) {
  Revision revision{commit, "", "", full_ref};
  if (full_ref.starts_with(kHeads)) revision.branch = full_ref.substr(kHeads.size());
  if (full_ref.starts_with(kTags)) revision.tag = full_ref.substr(kTags.size());
  return revision;
}

// As git does: a tag before a branch of the same name.
std::optional<Revision> find(const Listing& listing, const std::string& ref) {
  for (const std::string& full : {ref, std::string(kTags) + ref, std::string(kHeads) + ref}) {
    auto found = listing.commits.find(full);
    if (found != listing.commits.end()) return revision_of(found->first, found->second);
  }
  return std::nullopt;
}

// The beginning of a commit that something points to.
Result<std::optional<Revision>> find_commit(const Listing& listing, const std::string& ref) {
  std::optional<Revision> found;
  if (ref.size() < kShortestCommit || ref.find_first_not_of("0123456789abcdef") != std::string::npos) return found;
  for (const auto& [name, commit] : listing.commits) {
    if (!commit.starts_with(ref)) continue;
    if (found && found->commit != commit) {
      return fail(ErrorKind::invalid, "several commits begin with " + ref, "write all of it");
    }
    found = Revision{commit, "", "", name};
  }
  return found;
}

std::string nearest_hint(const Listing& listing, const std::string& ref) {
  std::vector<std::string> names;
  for (const auto& [full, commit] : listing.commits) {
    const Revision revision = revision_of(full, commit);
    const std::string& name = revision.branch.empty() ? revision.tag : revision.branch;
    if (!name.empty()) names.push_back(name);
  }
  std::string hint = base::did_you_mean(ref, names);
  if (!hint.empty()) return hint;
  constexpr std::size_t kMostListed = 8;
  if (names.empty()) return "it has no branches and no tags";
  const bool all = names.size() <= kMostListed;
  if (!all) names.resize(kMostListed);
  return std::string(all ? "it has " : "it has, among others, ") + base::printable(base::join(names, ", ")) +
         "; a commit is written with all of its 40 digits";
}

}  // namespace

void Repositories::set_rules(std::vector<Rule> rules) {
  std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
}

Result<Location> Repositories::locate(const std::string& reference, bool has_agent) const {
  std::lock_guard lock(mutex_);
  return git::locate(rules_, reference, has_agent);
}

Result<Revision> Repositories::look(const Location& location, const std::string& ref, const Means& means,
                                    const sys::CancelToken& cancel) const {
  if (!ref.empty()) INGOT_CHECK(check_ref(ref));
  if (is_whole_commit(ref)) return Revision{ref, "", "", ""};
  INGOT_TRY(const auto access, means.access_to(location));
  const bool has_credentials = access.credentials != nullptr;
  Program::Setting setting{
      &location, access.credentials, access.ssh ? &*access.ssh : nullptr, {}, std::chrono::minutes(2)};
  std::vector<std::string> arguments = {"ls-remote", "--quiet"};
  if (ref.empty())
    arguments.insert(arguments.end(), {"--symref", "--", location.fetched, "HEAD"});
  else
    arguments.insert(arguments.end(), {"--heads", "--tags", "--", location.fetched});
  INGOT_TRY(const auto said, program_.run(setting, arguments, cancel));
  if (said.status.timed_out) return fail(failure("cannot look at", location, "Connection timed out", has_credentials));
  if (!said.status.ok()) return fail(failure("cannot look at", location, said.err, has_credentials));
  const Listing listing = read_listing(said.out);
  if (ref.empty()) {
    auto head = listing.commits.find("HEAD");
    if (head != listing.commits.end()) {
      Revision revision = revision_of(listing.head, head->second);
      if (revision.full_ref.empty()) revision.full_ref = "HEAD";
      return revision;
    }
    return fail(ErrorKind::not_found,
                fmt::format("the repository {} has no default branch", base::printable(location.name)),
                "name a branch or a tag behind a colon");
  }
  if (auto found = find(listing, ref)) return *found;
  INGOT_TRY(auto commit, find_commit(listing, ref));
  if (commit) return *commit;
  return fail(ErrorKind::not_found,
              fmt::format("the repository {} has no branch or tag \"{}\"", base::printable(location.name),
                          base::printable(ref)),
              nearest_hint(listing, ref));
}

Status Repositories::check_out(const graph::GitOp& op, const std::filesystem::path& directory, const Means& means,
                               const sys::CancelToken& cancel) const {
  const auto find = [&](const std::string& url) -> Result<Location> {
    INGOT_TRY(auto location, locate(url));
    if (means.has_agent_for(location)) {
      INGOT_TRY(location, locate(url, true));
    }
    INGOT_CHECK(check_reach(location));
    return location;
  };
  return Checkout(program_, limits_, find, means, cancel).make(op, directory);
}

}  // namespace ingot::git
