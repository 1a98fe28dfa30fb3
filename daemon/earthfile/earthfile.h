#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"
#include "daemon/graph/graph.h"

// From the text of an Earthfile to a build graph. Pure: files, images and the clock come through `Host`.
namespace ingot::earthfile {

// What interpretation asks of the world around it.
class Host {
 public:
  virtual ~Host() = default;
  // The text of a file of the context; kind `not_found` when it is not there.
  virtual Result<std::string> read_file(const std::string& path) = 0;
  // The configuration of an image; may take as long as fetching it does.
  virtual Result<graph::ImageConfig> image_config(const std::string& reference) = 0;
  // What the last step of the graph, which asks something, was told; none when nothing may run for it. May take as long
  // as all that it stands on.
  virtual Result<std::optional<graph::Answer>> ask(const graph::Graph& graph) = 0;
  // What /bin/sh is in the file system that the graph's last step leaves: the program's path, "" when there is none or
  // when more than its name decides on what it does. None as above.
  virtual Result<std::optional<std::string>> shell_program(const graph::Graph& graph) = 0;
  // The text of a file of the file system that the graph's last step leaves; kind `not_found` when it is not there.
  // None as above.
  virtual Result<std::optional<std::string>> step_file(const graph::Graph& graph, const std::string& path) = 0;
};

// All syntax errors of the file at once; never empty on failure.
tl::expected<File, std::vector<Error>> parse(std::string_view text, const std::string& file_name);

// The names of the targets, in order, "base" excluded.
std::vector<std::string> target_names(const File& file);

struct Request {
  std::string target;                            // "+name"
  std::map<std::string, std::string> overrides;  // --K=v, then .arg
  std::vector<std::string> anew{};               // targets, such as "+name", whose steps are run again
  bool push = false;                             // RUN --push is run
};

struct Interpretation {
  graph::Graph graph;
  std::vector<std::string> warnings;  // rendered, with positions
  // The command that nothing may run for; the graph is what is known without it.
  std::optional<proto::Position> open_question = {};
};

Result<Interpretation> interpret(const File& file, const Request& request, Host& host);

// A dotenv file as users of .arg know it.
Result<std::map<std::string, std::string>> parse_dotenv(std::string_view text, const std::string& file_name);

}  // namespace ingot::earthfile
