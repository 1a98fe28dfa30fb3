#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What people write in cases/*.cases; README.md beside this file tells how.
namespace ingot::conformance {

struct CaseFile {
  std::string path;
  std::string text;
  bool is_executable = false;
};

// One Earthfile, what is done with it, and what must come of it.
struct Case {
  std::string name;
  std::size_t line = 0;  // where it begins in its file
  std::string earthfile;
  std::vector<std::string> versions;  // the Earthfile's VERSION is each of these in turn; empty: it stays as it is
  std::vector<CaseFile> files;
  std::string before;         // shell commands
  std::string command;        // a shell's
  std::string target = "t";   // that gets the failing step
  bool is_cached = false;     // it says by itself what comes from the cache
  std::string twin_commands;  // appended to the target for the twin
  std::string twin_text;      // which its failure shows
  bool fails = false;
  bool succeeds = false;                            // said so in words
  std::vector<std::vector<std::string>> shown;      // lines that the output has, each list in its order
  std::optional<std::vector<std::string>> printed;  // all that its RUNs print
  bool in_any_order = false;
  std::vector<CaseFile> saved;                                           // in the project
  std::vector<std::pair<std::string, std::vector<std::string>>> images;  // by name: what `ingot image save` has
  std::string check;                                                     // shell commands, afterwards

  bool expects_something() const {
    return fails || succeeds || !shown.empty() || printed || !saved.empty() || !images.empty() || !check.empty();
  }
};

struct Topic {
  std::vector<std::string> daemon_flags;
  std::vector<Case> cases;
  std::vector<std::string> mistakes;  // "line 12: ..."
};

Topic read_topic(std::string_view text);

// The Earthfile with these commands at the end of a target's recipe; "base" is the one above the first target.
std::string with_commands(const std::string& earthfile, const std::string& target, const std::string& commands);

}  // namespace ingot::conformance
