#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/platform.h"
#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"
#include "daemon/graph/graph.h"

// From the text of an Earthfile to a build graph. Pure: files, images and the clock come through `Host`.
namespace ingot::earthfile {

// Another repository, and what was meant by the way in which a recipe names it.
struct Repository {
  std::string name;       // "github.com/org/repo"
  std::string directory;  // behind it in the reference, in the repository; "" for its own
  std::string url;        // without credentials
  std::string ref;        // as the recipe has it; "" for the default branch
  std::string commit;
  std::string branch;        // by which it was asked for, or the default one
  std::string tag;           // by which it was asked for
  std::string full_ref;      // "refs/heads/main"; empty for a commit
  std::string details_file;  // of its files, which has what git knows of the commit: see git_facts.h
};

// What interpretation asks of the world around it; all but read_file() by several threads at once.
class Host {
 public:
  virtual ~Host() = default;
  // The text of a file of the context; kind `not_found` when it is not there.
  virtual Result<std::string> read_file(const std::string& path) = 0;
  // The directories of the context that have an Earthfile, in order; "" for its own.
  virtual std::vector<std::string> earthfiles() = 0;
  // The configuration of an image for a platform; may take as long as fetching it does.
  virtual Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform) = 0;
  // What a reference such as "github.com/org/repo/directory" or "https://host/org/repo.git" means; errors have no
  // position. `asked_by`: whose recipes want it, as "github.com/org", see asked_by_too(); empty: the user's own alone,
  // and what the user may see they may, too.
  virtual Result<Repository> repository(const std::string& reference, const std::string& ref,
                                        const std::string& asked_by) = 0;
  // What the last step of the graph, which asks something, was told; none when nothing may run for it. May take as long
  // as all that it stands on.
  virtual Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) = 0;
  // What /bin/sh is in the file system that the graph's last step leaves: the program's path, "" when there is none or
  // when more than its name decides on what it does. None as above.
  virtual Result<std::optional<std::string>> shell_program(const graph::Graph& graph) = 0;
  // The text of a file of the file system that the graph's last step leaves; kind `not_found` when it is not there.
  // None as above.
  virtual Result<std::optional<std::string>> step_file(const graph::Graph& graph, const std::string& path) = 0;
  // Whether begin() would begin anything now: the graph for it costs something to make.
  virtual bool may_begin() { return false; }
  // What will be wanted whatever comes: it may be begun with while interpretation waits. Does not wait itself.
  virtual void begin(const graph::Graph& graph) { (void)graph; }
  // Makes all that the graph has, and waits for it; nothing when nothing may run.
  virtual Status build(const graph::Graph& graph) {
    (void)graph;
    return {};
  }
  // Interpretation has failed, and `known` is all that it came to: who waits for an answer need not any more.
  virtual void give_up(const graph::Graph& known) { (void)known; }
};

// All syntax errors of the file at once; never empty on failure.
tl::expected<File, std::vector<Error>> parse(std::string_view text, const std::string& file_name);

// The names of the targets, in order, "base" excluded.
std::vector<std::string> target_names(const File& file);

struct Request {
  std::string target;                             // "+name"
  std::map<std::string, std::string> overrides;   // --K=v, then .arg
  std::vector<std::string> anew{};                // targets, such as "+name", whose steps are run again
  bool push = false;                              // RUN --push is run
  std::map<std::string, std::string> builtins{};  // builtin arguments that only the client knows
  std::size_t most_commands = 50'000;             // that are interpreted before it is given up
  enum class Locally { allowed, denied_by_host, denied_by_client };
  Locally locally = Locally::denied_by_client;
  std::vector<base::Platform> platforms{};  // that the target is built for; none: the host's own
  bool repeatable = false;                  // what depends on who builds it where is refused

  bool operator==(const Request&) const = default;
};

struct Interpretation {
  graph::Graph graph;
  std::vector<std::string> warnings;  // rendered, with positions
  // The command that nothing may run for; the graph is what is known without it.
  std::optional<proto::Position> open_question = {};
};

Result<Interpretation> interpret(const File& file, const Request& request, Host& host);

// A dotenv file as users of .arg know it. Of a name that is there twice the later one counts.
struct DotenvEntry {
  std::string name;
  std::string value;
  proto::Position position;
};
Result<std::vector<DotenvEntry>> parse_dotenv_entries(std::string_view text, const std::string& file_name);
Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text, const std::string& file_name);

}  // namespace ingot::earthfile
