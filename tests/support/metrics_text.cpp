#include "tests/support/metrics_text.h"

#include <regex>
#include <sstream>
#include <stdexcept>

namespace ingot::test {

namespace {

struct Family {
  std::string type;
  bool sampled = false;
};

void require(bool fine, const std::string& what, const std::string& line) {
  if (!fine) throw std::runtime_error(what + ": " + line);
}

// The family of a sample's name: a histogram's samples have an ending more.
std::string family_of(const std::string& name, const std::map<std::string, Family>& families) {
  if (families.contains(name)) return name;
  for (const std::string ending : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(ending)) continue;
    const std::string family = name.substr(0, name.size() - ending.size());
    if (families.contains(family) && families.at(family).type == "histogram") return family;
  }
  return "";
}

}  // namespace

std::map<std::string, double> parse_metrics(const std::string& text) {
  static const std::regex kHelp("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) .+");
  static const std::regex kType("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)");
  static const std::regex kSample(
      "([a-zA-Z_:][a-zA-Z0-9_:]*)"
      "(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[\\\\n\"])*\"(,[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[\\\\n\"])*"
      "\")*\\})?"
      " ([-+0-9.e]+|\\+Inf|NaN)");
  std::map<std::string, Family> families;
  std::map<std::string, double> samples;
  std::map<std::string, double> last_bucket;  // of each histogram
  std::map<std::string, bool> has_infinity;
  require(text.ends_with('\n'), "the text ends within a line", "");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (std::regex_match(line, parts, kHelp)) {
      require(!families.contains(parts[1]), "a second HELP", line);
      families[parts[1]];
    } else if (std::regex_match(line, parts, kType)) {
      require(families.contains(parts[1]) && families[parts[1]].type.empty(), "TYPE without HELP, or twice", line);
      families[parts[1]].type = parts[2];
    } else {
      require(std::regex_match(line, parts, kSample), "no sample", line);
      const std::string family = family_of(parts[1], families);
      require(!family.empty() && !families[family].type.empty(), "a sample without its family", line);
      const double value = std::stod(parts[6]);
      require(samples.emplace(parts[1].str() + parts[2].str(), value).second, "a second sample", line);
      if (families[family].type == "counter")
        require(value >= 0 && parts[1].str().ends_with("_total"), "a counter", line);
      if (parts[1].str() == family + "_bucket") {
        require(value >= last_bucket[family], "a bucket with less than the one before", line);
        last_bucket[family] = value;
        has_infinity[family] = parts[2].str().find("le=\"+Inf\"") != std::string::npos;
      }
    }
  }
  for (const auto& [name, family] : families) {
    if (family.type != "histogram") continue;
    require(has_infinity[name], "the last bucket is not for all", name);
    require(samples.contains(name + "_sum") && samples[name + "_count"] == last_bucket[name], "count or sum", name);
  }
  return samples;
}

}  // namespace ingot::test
