#include "daemon/git/job_repositories.h"

#include <algorithm>

#include "daemon/base/digest.h"
#include "daemon/base/strings.h"

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
    if (!ssh_) {
      return base::fail(ErrorKind::denied,
                        "the repository " + base::printable(location.name) +
                            " is fetched by ssh, as the daemon's configuration says, and the client has no SSH agent "
                            "with keys",
                        "start one with `eval $(ssh-agent)`, give it keys with `ssh-add`, and let `ingot build` run "
                        "until the job has ended");
    }
    INGOT_TRY(auto files, ssh_->files_for(location, cancel));
    return Access{nullptr, std::move(files)};
  };
  return {ssh_ != nullptr, access_to};
}

Error JobRepositories::explained(Error error) const {
  if (error.kind == ErrorKind::denied && lost_credentials_) {
    error.hint =
        "the job had credentials, which are lost: they were in memory only, until its job ended or the host was "
        "restarted; submit it again";
  }
  return error;
}

Result<JobRepositories::Found> JobRepositories::find(const std::string& reference, const std::string& ref,
                                                     const sys::CancelToken& cancel) {
  const Means mine = means(cancel);
  INGOT_TRY(auto location, all_.locate(reference, mine.has_agent));
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
  auto done = all_.check_out(op, directory, means(cancel), cancel);
  if (done) return done;
  return base::fail(explained(done.error()));
}

std::vector<proto::FromRepository> JobRepositories::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace ingot::git
