#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/earthfile/earthfile.h"

// How long the parser takes: for one file, for much of the same, and for four times as much of what might grow faster
// than its length. Called by tests/bench/earthfile.
namespace {

using ingot::earthfile::parse;

constexpr int kRuns = 11;
constexpr std::size_t kLarge = 7U << 20;

// The median of some runs, in milliseconds of the processor, so that others' work does not count; the tree is destroyed
// too.
double milliseconds(const std::string& text) {
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const std::clock_t begin = std::clock();
    { const auto file = parse(text, "Earthfile"); }
    times.push_back(static_cast<double>(std::clock() - begin) * 1000 / CLOCKS_PER_SEC);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void row(const std::string& what, double value, const char* unit, const std::string& aim) {
  std::printf("%-52s %8.2f %-5s %s\n", what.c_str(), value, unit, aim.c_str());
}

// The targets of a file over and over, under new names.
std::string enlarged(const std::string& text, std::size_t size) {
  const std::size_t first_target = text.find("\nall:\n");
  std::string large = text.substr(0, first_target);
  for (int round = 0; large.size() < size; ++round) {
    std::istringstream lines(text.substr(first_target));
    for (std::string line; std::getline(lines, line);) {
      const bool is_header = !line.empty() && line.back() == ':' && line[0] >= 'A' && line[0] <= 'z';
      if (is_header) line.insert(line.size() - 1, std::string(line[0] >= 'a' ? "-r" : "_R") + std::to_string(round));
      large += line + "\n";
    }
  }
  return large;
}

std::string repeated(const std::string& part, std::size_t times) {
  std::string text;
  text.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

struct Shape {
  const char* name;
  std::string before;
  std::string part;
  std::string after;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: earthfile_bench EARTHFILE\n");
    return 2;
  }
  std::ifstream file(argv[1]);
  std::stringstream read;
  read << file.rdbuf();
  const std::string text = read.str();
  if (!parse(text, "Earthfile")) {
    std::fprintf(stderr, "earthfile_bench: %s does not parse\n", argv[1]);
    return 1;
  }
  row("parse of the project's Earthfile", milliseconds(text), "ms", "aim: under 5");
  const std::string large = enlarged(text, kLarge);
  if (!parse(large, "Earthfile")) return 1;
  row("parser, the same over and over, 7 MiB", static_cast<double>(large.size()) / 1e3 / milliseconds(large), "MB/s",
      "aim: at least 50");
  const std::string head = "VERSION 0.8\nt:\n    RUN ";
  const Shape shapes[] = {{"continued lines", head, "x \\\n", "x\n"},
                          {"quotes", head, "\"a\" 'b' ", "\n"},
                          {"$( in $(", head, "$(", "\n"},
                          {"parentheses that close", head, "$(a) ", "\n"},
                          {"one long word", head, "x", "\n"},
                          {"comments between", head, "x \\\n  # comment\n", "x\n"},
                          {"blocks side by side", "VERSION 0.8\nt:\n", "    IF true\n    END\n", ""},
                          {"blocks without END", "VERSION 0.8\nt:\n", "    IF true\n", ""},
                          {"targets", "VERSION 0.8\n", "t:\n    RUN true\n", ""},
                          {"unknown commands", "VERSION 0.8\nt:\n", "    RUM true\n", ""}};
  constexpr std::size_t kBytes = 400'000;
  for (const Shape& shape : shapes) {
    const std::size_t times = kBytes / shape.part.size();
    const double one = milliseconds(shape.before + repeated(shape.part, times) + shape.after);
    const double four = milliseconds(shape.before + repeated(shape.part, 4 * times) + shape.after);
    row("four times as much: " + std::string(shape.name), four / one, "times", "aim: about 4");
  }
  return 0;
}
