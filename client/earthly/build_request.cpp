#include "client/earthly/build_request.h"

#include <fmt/format.h>

#include <filesystem>

#include "client/commands/earthfiles.h"
#include "daemon/base/strings.h"

namespace ingot::client::earthly {

namespace {

namespace fs = std::filesystem;
using base::fail;

bool is_argument(const std::string& word) {
  return word.starts_with("--") && word.size() > 2;
}

// "(+t/x --K=v)" is one word or several, as the shell's quotes had it: without its parentheses, and in words.
std::vector<std::string> without_parentheses(const std::vector<std::string>& words) {
  if (words.empty() || !words.front().starts_with('(')) return words;
  std::vector<std::string> out;
  bool inside = true;
  for (const auto& word : words) {
    if (!inside) {
      out.push_back(word);
      continue;
    }
    for (auto part : base::split(word, ' ')) {
      if (out.empty() && part.starts_with('(')) part.erase(0, 1);
      if (part.ends_with(')')) {
        part.pop_back();
        inside = false;
      }
      if (!part.empty()) out.push_back(part);
    }
  }
  return out;
}

// Where Earthly says it looks: in the directory that it is called in, whatever the Earthfile's is.
std::string file_of_caller(const std::string& named, const char* fallback) {
  if (!named.empty()) return named;
  std::error_code ignored;
  return fs::exists(fallback, ignored) ? fallback : "/dev/null";
}

Status take_reference(const std::string& word, BuildRequest& request) {
  const auto reference = split_reference(word);
  const std::string& directory = reference.directory;
  const bool local = directory.empty() || directory == "." || directory == ".." || directory.starts_with("./") ||
                     directory.starts_with("../") || directory.starts_with('/');
  request.target = (local ? "" : directory) + "+" + reference.target;
  if (!local && !proto::names_repository(request.target)) {
    return fail(ErrorKind::usage,
                "\"" + base::printable(word) + "\" is neither a directory's target nor a repository's",
                "./directory+target, or host/organisation/repository:tag+target");
  }
  if (request.form == BuildRequest::Form::artifact) {
    const std::size_t slash = request.target.find('/', request.target.find('+'));
    if (slash == std::string::npos) {
      return fail(ErrorKind::usage, "\"" + base::printable(word) + "\" names a target, and no artifact of it",
                  "--artifact " + base::printable(word) + "/path, or .../* for all");
    }
    request.artifact = request.target.substr(slash + 1);
    request.target.resize(slash);
    if (request.artifact.empty()) request.artifact = "*";
  }
  if (local && !directory.empty()) request.invocation.flags["--directory"] = {directory};
  return {};
}

Status take_words(const CommandLine& line, BuildRequest& request) {
  const auto words = without_parentheses(line.words);
  if (words.empty()) return fail(ErrorKind::usage, "a target is missing", "earthly +target");
  INGOT_CHECK(take_reference(words.front(), request));
  request.invocation.words = {request.target};
  std::vector<std::string> others;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!is_argument(words[i])) {
      others.push_back(words[i]);
    } else if (words[i].find('=') != std::string::npos) {
      request.invocation.words.push_back(words[i]);
    } else if (i + 1 < words.size() && !is_argument(words[i + 1])) {
      request.invocation.words.push_back(words[i] + "=" + words[i + 1]);
      ++i;
    } else {
      return fail(ErrorKind::usage, base::printable(words[i]) + " has no value", words[i] + "=value");
    }
  }
  const bool one_more = request.form == BuildRequest::Form::artifact;
  if (others.size() > (one_more ? 1U : 0U)) {
    return fail(ErrorKind::usage, "\"" + base::printable(others.back()) + "\" is one word too many",
                "flags stand before the target, and --NAME=value arguments behind it");
  }
  request.destination = others.empty() ? "./" : others.front();
  return {};
}

}  // namespace

Result<BuildRequest> build_request(const CommandLine& line) {
  BuildRequest request;
  if (line.has("artifact") && line.has("image")) {
    return fail(ErrorKind::usage, "--artifact and --image are two forms of which only one can be meant");
  }
  if (line.has("artifact")) request.form = BuildRequest::Form::artifact;
  if (line.has("image")) request.form = BuildRequest::Form::image;
  if (line.has("no-output") && (line.has("output") || request.form != BuildRequest::Form::target)) {
    return fail(ErrorKind::usage, "--no-output contradicts --output, --artifact and --image", "leave one out");
  }
  Invocation& build = request.invocation;
  build.command = "build";
  INGOT_CHECK(take_words(line, request));
  request.writes_output = !line.has("no-output") && (!line.has("ci") || line.has("output"));
  if (line.has("ci")) build.flags["--ci"] = {"true"};
  // There LOCALLY is what people have, and --strict, which --ci implies, forbids it.
  if (!line.has("strict") && !line.has("ci")) build.flags["--allow-locally"] = {"if-named"};
  // Earthly's --strict knows no warnings: what it builds is to build here, too.
  if (line.has("strict") || line.has("ci")) build.flags["--repeatable"] = {"true"};
  if (line.has("push")) build.flags["--push"] = {"true"};
  if (line.has("no-cache")) build.flags["--no-cache"] = {""};
  if (line.has("pull")) build.flags["--pull"] = {"always"};
  if (line.has("verbose") || line.has("debug")) build.flags["--verbose"] = {"true"};
  for (const char* name : {"build-arg", "secret", "secret-file", "platform"}) {
    if (line.has(name)) build.flags["--" + std::string(name)] = line.values(name);
  }
  const bool elsewhere = build.has("--directory");
  if (elsewhere || line.has("arg-file-path")) {
    build.flags["--arg-file-path"] = {file_of_caller(line.value("arg-file-path"), ".arg")};
  }
  if (elsewhere || line.has("secret-file-path")) {
    build.flags["--secret-file-path"] = {file_of_caller(line.value("secret-file-path"), ".secret")};
  }
  return request;
}

}  // namespace ingot::client::earthly
