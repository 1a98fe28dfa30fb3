#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/base/digest.h"
#include "daemon/earthfile/earthfile.h"

// What an interpretation asked of the world, with what it was told. It depends on nothing else: where the same is told
// once more, the same comes of it, and it need not be done again.
namespace ingot::earthfile {

struct FileQuestion {
  std::string path;
  std::optional<base::Digest> text;  // none: it was not there
};
struct EarthfilesQuestion {
  std::vector<std::string> directories;
};
struct ImageQuestion {
  std::string reference;
  base::Platform platform;
  graph::ImageConfig config;
};
struct CommandQuestion {
  graph::Graph graph;
  graph::Answer answer;
};
struct ShellQuestion {
  graph::Graph graph;
  std::string program;
};
struct StepFileQuestion {
  graph::Graph graph;
  std::string path;
  std::optional<base::Digest> text;  // as above
};
using Question =
    std::variant<FileQuestion, EarthfilesQuestion, ImageQuestion, CommandQuestion, ShellQuestion, StepFileQuestion>;

// About as many bytes of memory as it takes.
std::size_t weight(const graph::Graph& graph);
std::size_t weight(const Question& question);

// Whether `host` says the same to all of it; not where it has no answer. Stops at the first that it says otherwise to.
bool is_told_again(const std::vector<Question>& questions, Host& host);

// Has `host` answer, and notes the questions.
class NotingHost : public Host {
 public:
  explicit NotingHost(Host& host) : host_(host) {}

  // None: something was done or told on the way that another time has to have for itself, as what a repository's branch
  // is; or it was too much to keep.
  std::optional<std::vector<Question>> take();

  Result<std::string> read_file(const std::string& path) override;
  std::vector<std::string> earthfiles() override;
  Result<graph::ImageConfig> image_config(const std::string& reference, const base::Platform& platform) override;
  Result<Repository> repository(const std::string& reference, const std::string& ref,
                                const std::string& asked_by) override;
  Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) override;
  Result<std::optional<std::string>> shell_program(const graph::Graph& graph) override;
  Result<std::optional<std::string>> step_file(const graph::Graph& graph, const std::string& path) override;
  bool may_begin() override { return host_.may_begin(); }
  void begin(const graph::Graph& graph) override { host_.begin(graph); }
  Status build(const graph::Graph& graph) override;
  void give_up(const graph::Graph& known) override { host_.give_up(known); }

 private:
  void note(Question question);
  void note_what_does_not_come_again();
  void forget();

  Host& host_;
  std::mutex mutex_;
  std::vector<Question> questions_;
  std::size_t weight_ = 0;
  bool comes_again_ = true;
};

}  // namespace ingot::earthfile
