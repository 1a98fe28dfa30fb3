#include "daemon/git/job_repositories.h"

#include <algorithm>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"
#include "daemon/earthfile/repository_owner.h"
#include "daemon/git/reach.h"

namespace ingot::git {

namespace {

// "user:password" in front of a URL's host, as it stands there.
std::string percent_decoded(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return at < text.size() ? std::string_view("0123456789abcdef").find(static_cast<char>(std::tolower(text[at])))
                              : std::string_view::npos;
    };
    const std::size_t high = digit(i + 1);
    const std::size_t low = digit(i + 2);
    if (text[i] == '%' && high != std::string_view::npos && low != std::string_view::npos) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

Credentials credentials_in_url(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  return {percent_decoded(text.substr(0, colon)),
          colon < text.size() ? percent_decoded(text.substr(colon + 1)) : std::string()};
}

// The host did not show it, and somebody's credentials might have helped.
Error refused(Error error, const Location& location, const std::string& asked_by) {
  const bool several = asked_by == earthfile::kSeveralOwners;
  error.hint =
      "it is asked for by recipes of " + base::printable(asked_by) + ", and your credentials are for your own" +
      (several ? "" : " and, of a repository, for those of its owner") + "; if it is yours to give: GIT CLONE " +
      base::printable(location.named.text()) + " in an Earthfile of your own";
  return error;
}

Error no_agent_for(const Location& location) {
  return {
      ErrorKind::denied,
      "the repository " + base::printable(location.name) +
          " is fetched by ssh, as the daemon's configuration says, and the client has no SSH agent with keys for it",
      "start one with `eval $(ssh-agent)`, give it keys with `ssh-add`, and let `ingot build` run until the job has "
      "ended",
      {},
      {}};
}

}  // namespace

JobRepositories::JobRepositories(const Repositories& all, const proto::Secrets& secrets,
                                 const std::set<std::string>& lost, std::shared_ptr<SshUser> user)
    : all_(all), ssh_(user ? std::make_unique<Ssh>(std::move(user)) : nullptr) {
  for (const auto& [id, value] : secrets) {
    if (!proto::is_git_credentials(id)) continue;
    const auto given = proto::git_credentials_of(value);
    credentials_[id.substr(std::string_view(proto::kGitCredentials).size())] = {given.username, given.password};
  }
  lost_credentials_ = std::any_of(lost.begin(), lost.end(), proto::is_git_credentials);
}

const Credentials* JobRepositories::credentials_for(const Location& location) const {
  if (!location.takes_credentials) return nullptr;
  std::lock_guard lock(mutex_);
  const std::string& host = location.named.host;
  const auto of_url = credentials_in_url_.find({host, location.named.text()});
  if (of_url != credentials_in_url_.end()) return &of_url->second;
  if (const auto of_host = credentials_.find(host); of_host != credentials_.end()) return &of_host->second;
  const auto of_another = credentials_in_url_.lower_bound({host, ""});
  return of_another != credentials_in_url_.end() && of_another->first.first == host ? &of_another->second : nullptr;
}

Means JobRepositories::means(const sys::CancelToken& cancel) const {
  const auto access_to = [this, cancel](const Location& location) -> Result<Access> {
    if (protocol_of(location) != "ssh") return Access{credentials_for(location)};
    if (!ssh_) return base::fail(no_agent_for(location));
    INGOT_TRY(auto files, ssh_->files_for(location, cancel));
    return Access{nullptr, std::move(files)};
  };
  return {[this](const Location&) { return ssh_ != nullptr; }, access_to};
}

Means JobRepositories::without_agent() const {
  return {[](const Location&) { return false; },
          [this](const Location& location) -> Result<Access> {
            if (protocol_of(location) == "ssh") return base::fail(no_agent_for(location));
            return Access{credentials_for(location)};
          }};
}

Error JobRepositories::explained(Error error) const {
  if (error.kind == ErrorKind::denied && lost_credentials_) {
    error.hint =
        "the job had credentials, which are lost: they were in memory only, until its job ended or the host was "
        "restarted; submit it again";
  }
  return error;
}

// Asked without the user's credentials and agent, or with those in the URL. Not where there are none that would be
// used: then what is looked for later is looked for without.
Status JobRepositories::check_everybody_may_see(const Location& location, const std::string& asked_by,
                                                const sys::CancelToken& cancel) {
  if (credentials_for(location) == nullptr && !ssh_) return {};
  const std::string url = location.named.text();
  const base::KeyedMutex::Hold alone(looking_, url);
  {
    std::lock_guard lock(mutex_);
    if (for_everybody_.contains(url)) return {};
  }
  const Credentials own = credentials_in_url(location.named.credentials);
  const bool has_own = location.takes_credentials && !location.named.credentials.empty();
  const Means nobodys = {[](const Location&) { return false; },
                         [&](const Location& one) -> Result<Access> {
                           if (protocol_of(one) == "ssh") return base::fail(no_agent_for(one));
                           return Access{has_own ? &own : nullptr};
                         }};
  auto seen = all_.look(location, "", nobodys, cancel);
  if (!seen && (seen.error().kind == ErrorKind::denied || seen.error().kind == ErrorKind::not_found)) {
    return base::fail(refused(seen.error(), location, asked_by));
  }
  if (!seen) return base::fail(seen.error());
  std::lock_guard lock(mutex_);
  if (!has_own) for_everybody_.insert(url);
  return {};
}

Result<JobRepositories::Found> JobRepositories::find(const std::string& reference, const std::string& ref,
                                                     const sys::CancelToken& cancel, const std::string& asked_by) {
  INGOT_TRY(auto location, all_.locate(reference));
  const bool is_theirs = !asked_by.empty() && asked_by != earthfile::owner_of(location.name);
  const Means mine = is_theirs ? without_agent() : means(cancel);
  if (mine.has_agent_for(location)) {
    INGOT_TRY(location, all_.locate(reference, true));
  }
  INGOT_CHECK(check_reach(location));
  if (is_theirs) INGOT_CHECK(check_everybody_may_see(location, asked_by, cancel));
  const std::pair key(location.named.text(), ref);
  const base::KeyedMutex::Hold alone(looking_, key.first + "\n" + ref);
  {
    std::lock_guard lock(mutex_);
    if (auto known = known_.find(key); known != known_.end()) return Found{location, known->second};
    // What a recipe has in its URL is used, and nobody sees it again.
    if (location.named.protocol == "https" && !location.named.credentials.empty()) {
      credentials_in_url_.try_emplace({location.named.host, location.named.text()},
                                      credentials_in_url(location.named.credentials));
    }
  }
  auto revision = all_.look(location, ref, mine, cancel);
  if (!revision && is_theirs && revision.error().kind == ErrorKind::denied) {
    return base::fail(refused(revision.error(), location, asked_by));
  }
  if (!revision) return base::fail(explained(revision.error()));
  std::lock_guard lock(mutex_);
  const auto [known, is_new] = known_.emplace(key, std::move(*revision));
  if (is_new) used_.push_back({location.name, ref, known->second.commit, location.named.text()});
  return Found{location, known->second};
}

std::string JobRepositories::fingerprint() const {
  std::lock_guard lock(mutex_);
  std::string text;
  const auto add = [&](const std::string& where, const Credentials& one) {
    text += where + '\n' + one.username + '\n' + one.password + '\n';
  };
  if (ssh_) text += "agent " + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + '\n';
  for (const auto& [host, one] : credentials_) add(host, one);
  for (const auto& [place, one] : credentials_in_url_) add(place.second, one);
  return base::Digest::of(text).hex();
}

Status JobRepositories::check_out(const graph::GitOp& op, const std::filesystem::path& directory,
                                  const sys::CancelToken& cancel) {
  // What a submodule is, the repository says that has it.
  INGOT_TRY(const auto whole, all_.locate(op.url));
  const auto is_same_owners = [owner = earthfile::owner_of(whole.name)](const Location& location) {
    return earthfile::owner_of(location.name) == owner;
  };
  const Means all = means(cancel);
  const Means some = {[&](const Location& location) { return is_same_owners(location) && all.has_agent_for(location); },
                      [&](const Location& location) -> Result<Access> {
                        if (is_same_owners(location)) return all.access_to(location);
                        if (protocol_of(location) == "ssh") return base::fail(no_agent_for(location));
                        return Access{};
                      }};
  auto done = all_.check_out(op, directory, some, cancel);
  if (done) return done;
  return base::fail(explained(done.error()));
}

std::vector<proto::FromRepository> JobRepositories::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace ingot::git
