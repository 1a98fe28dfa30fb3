#include "daemon/earthfile/questions.h"

#include <algorithm>
#include <utility>

namespace ingot::earthfile {

namespace {

// None: the host cannot tell. A file that is not there is an answer, too.
std::optional<std::optional<base::Digest>> text_of(const Result<std::string>& told) {
  if (told) return std::optional(base::Digest::of(*told));
  if (told.error().kind == ErrorKind::not_found) return std::optional<base::Digest>();
  return std::nullopt;
}

std::optional<std::optional<base::Digest>> text_of(const Result<std::optional<std::string>>& told) {
  if (!told) return text_of(Result<std::string>(base::fail(told.error())));
  if (!*told) return std::nullopt;
  return text_of(Result<std::string>(**told));
}

class Asking {
 public:
  explicit Asking(Host& host) : host_(host) {}

  bool operator()(const FileQuestion& question) const {
    const auto text = text_of(host_.read_file(question.path));
    return text && *text == question.text;
  }
  bool operator()(const EarthfilesQuestion& question) const { return host_.earthfiles() == question.directories; }
  bool operator()(const ImageQuestion& question) const {
    const auto config = host_.image_config(question.reference, question.platform);
    return config && *config == question.config;
  }
  bool operator()(const CommandQuestion& question) const {
    const auto answer = host_.ask(question.graph);
    return answer && *answer && **answer == question.answer;
  }
  bool operator()(const ShellQuestion& question) const {
    const auto program = host_.shell_program(question.graph);
    return program && *program && **program == question.program;
  }
  bool operator()(const StepFileQuestion& question) const {
    const auto text = text_of(host_.step_file(question.graph, question.path));
    return text && *text == question.text;
  }

 private:
  Host& host_;
};

bool is_done_by_the_client(const graph::Graph& graph) {
  return std::any_of(graph.steps.begin(), graph.steps.end(),
                     [](const graph::Step& step) { return graph::is_local(step.operation); });
}

// What it says may be a secret, and secrets are not kept for others.
bool has_secrets(const graph::Graph& graph) {
  const auto* exec = std::get_if<graph::ExecOp>(&graph.steps.back().operation);
  if (exec == nullptr) return false;
  const auto is_secret = [](const graph::Mount& mount) { return mount.kind == graph::Mount::Kind::secret; };
  return !exec->secrets.empty() || std::any_of(exec->mounts.begin(), exec->mounts.end(), is_secret);
}

// Of a question without what it is about.
constexpr std::size_t kOne = 128;

std::size_t weight_of(const FileQuestion& question) {
  return question.path.size();
}
std::size_t weight_of(const EarthfilesQuestion& question) {
  std::size_t all = 0;
  for (const auto& directory : question.directories) all += kOne + directory.size();
  return all;
}
std::size_t weight_of(const ImageQuestion& question) {
  return question.reference.size() + 1024;
}
std::size_t weight_of(const CommandQuestion& question) {
  return weight(question.graph) + question.answer.output.size();
}
std::size_t weight_of(const ShellQuestion& question) {
  return weight(question.graph);
}
std::size_t weight_of(const StepFileQuestion& question) {
  return weight(question.graph);
}

}  // namespace

// Steps share their variables, which are told apart by where they are.
std::size_t weight(const graph::Graph& graph) {
  std::size_t all = 0;
  const std::string* seen = nullptr;
  for (const auto& step : graph.steps) {
    all += sizeof(step) + step.text.size() + step.target.size() + step.position.source_line.size();
    const auto* exec = std::get_if<graph::ExecOp>(&step.operation);
    if (const auto* written = std::get_if<graph::WriteFileOp>(&step.operation)) all += written->content.size();
    if (exec == nullptr) continue;
    all += exec->command.size();
    if (exec->env.empty() || &exec->env.front().first == seen) continue;
    seen = &exec->env.front().first;
    for (const auto& [name, value] : exec->env)
      all += sizeof(graph::Variables::value_type) + name.size() + value.size();
  }
  return all;
}

std::size_t weight(const Question& question) {
  return kOne + std::visit([](const auto& one) { return weight_of(one); }, question);
}

bool is_told_again(const std::vector<Question>& questions, Host& host) {
  return std::all_of(questions.begin(), questions.end(),
                     [&](const Question& question) { return std::visit(Asking(host), question); });
}

std::optional<std::vector<Question>> NotingHost::take() {
  const std::lock_guard lock(mutex_);
  if (!comes_again_) return std::nullopt;
  return std::exchange(questions_, {});
}

Result<std::string> NotingHost::read_file(const std::string& path) {
  auto told = host_.read_file(path);
  if (const auto text = text_of(told)) {
    note(FileQuestion{path, *text});
  } else {
    note_what_does_not_come_again();
  }
  return told;
}

std::vector<std::string> NotingHost::earthfiles() {
  auto told = host_.earthfiles();
  note(EarthfilesQuestion{told});
  return told;
}

Result<graph::ImageConfig> NotingHost::image_config(const std::string& reference, const base::Platform& platform) {
  auto told = host_.image_config(reference, platform);
  if (told) note(ImageQuestion{reference, platform, *told});
  if (!told) note_what_does_not_come_again();
  return told;
}

Result<Repository> NotingHost::repository(const std::string& reference, const std::string& ref,
                                          const std::string& asked_by) {
  note_what_does_not_come_again();
  return host_.repository(reference, ref, asked_by);
}

Result<std::optional<graph::Answer>> NotingHost::ask(const graph::Graph& graph) {
  auto told = host_.ask(graph);
  if (told && *told && !is_done_by_the_client(graph) && !has_secrets(graph)) {
    note(CommandQuestion{graph, **told});
  } else {
    note_what_does_not_come_again();
  }
  return told;
}

Result<std::optional<std::string>> NotingHost::shell_program(const graph::Graph& graph) {
  auto told = host_.shell_program(graph);
  if (told && *told) {
    note(ShellQuestion{graph, **told});
  } else {
    note_what_does_not_come_again();
  }
  return told;
}

Result<std::optional<std::string>> NotingHost::step_file(const graph::Graph& graph, const std::string& path) {
  auto told = host_.step_file(graph, path);
  if (const auto text = text_of(told)) {
    note(StepFileQuestion{graph, path, *text});
  } else {
    note_what_does_not_come_again();
  }
  return told;
}

Status NotingHost::build(const graph::Graph& graph) {
  note_what_does_not_come_again();
  return host_.build(graph);
}

void NotingHost::note(Question question) {
  constexpr std::size_t kMost = 8U << 20U;
  const std::lock_guard lock(mutex_);
  if (!comes_again_) return;
  weight_ += weight(question);
  questions_.push_back(std::move(question));
  if (weight_ > kMost) forget();
}

void NotingHost::note_what_does_not_come_again() {
  const std::lock_guard lock(mutex_);
  forget();
}

void NotingHost::forget() {
  comes_again_ = false;
  questions_.clear();
}

}  // namespace ingot::earthfile
