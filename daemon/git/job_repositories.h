#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/keyed_mutex.h"
#include "daemon/git/repositories.h"
#include "proto/secrets.h"
#include "proto/types.h"

namespace ingot::git {

// The repositories of one job: a name means one commit for as long as the job lives, and the user's credentials go to
// the hosts that they are for. With the user's SSH agent, what is named by ssh is fetched by ssh. Steps may outlive the
// job that began them, so they share it. Thread-safe.
class JobRepositories {
 public:
  // Takes of the secrets what is for git. `lost`: the ids of secrets that the job had and has no more. `user`: who
  // lends an SSH agent; null: nobody does.
  JobRepositories(const Repositories& all, const proto::Secrets& secrets, const std::set<std::string>& lost,
                  std::shared_ptr<SshUser> user = nullptr);

  struct Found {
    Location location;
    Revision revision;
  };
  // `asked_by`: see earthfile::Host. The user's credentials are for the user's own recipes and, of an owner's
  // repositories, for the owner's; who else asks is told only of what everybody may see.
  Result<Found> find(const std::string& reference, const std::string& ref, const sys::CancelToken& cancel,
                     const std::string& asked_by = {});
  Status check_out(const graph::GitOp& op, const std::filesystem::path& directory, const sys::CancelToken& cancel);
  // Equal for jobs that have the same credentials: what is fetched with some is not waited for by who has others. With
  // an agent it is the job's own: what uses it ends with the job's client, whoever else waited.
  std::string fingerprint() const;
  // What the job asked for so far, in that order, each once.
  std::vector<proto::FromRepository> used() const;

 private:
  // Those that stand in its own URL, else the user's for its host, else another URL's of the host: of a submodule.
  const Credentials* credentials_for(const Location& location) const;
  Means means(const sys::CancelToken& cancel) const;
  Means without_agent() const;  // for what other people's recipes ask for
  Error explained(Error error) const;
  Status check_everybody_may_see(const Location& location, const std::string& asked_by, const sys::CancelToken& cancel);

  const Repositories& all_;
  const std::unique_ptr<Ssh> ssh_;  // null: nobody lends an agent
  bool lost_credentials_ = false;
  base::KeyedMutex looking_;                        // a name is looked at by one
  mutable std::mutex mutex_;                        // guards all below
  std::map<std::string, Credentials> credentials_;  // the user's, by host; never changed
  // A recipe's, by the host and the URL without them; only added to.
  std::map<std::pair<std::string, std::string>, Credentials> credentials_in_url_;
  std::map<std::pair<std::string, std::string>, Revision> known_;
  std::vector<proto::FromRepository> used_;
  std::set<std::string> for_everybody_;  // URLs of what their hosts show to anybody
};

}  // namespace ingot::git
