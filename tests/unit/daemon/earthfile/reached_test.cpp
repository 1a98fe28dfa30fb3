#include "daemon/earthfile/reached.h"

#include <gmock/gmock.h>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Reached : public ::testing::Test {
 protected:
  // "+t", "./lib+x": what is reached, without base recipes.
  std::vector<std::string> from(const std::string& target) {
    std::vector<std::string> names;
    for (const auto& one : all(target)) {
      for (const Recipe* recipe : one.recipes) {
        names.push_back((one.directory.empty() ? "+" : "./" + one.directory + "+") + recipe->name);
      }
    }
    return names;
  }
  std::vector<ReachedFile> all(const std::string& target) {
    return reached(target, [&](const std::string& directory) -> const File* {
      auto found = files.find(directory);
      return found == files.end() ? nullptr : &found->second;
    });
  }
  std::map<std::string, File> files;
};

TEST_F(Reached, references_of_every_kind_lead_on) {
  files[""] = testing::parsed(
      "VERSION 0.8\nIMPORT ./lib AS l\nFROM +tools\n"
      "t:\n  COPY (+a/x --A=1) +b/y ./\n  IF true\n    BUILD +c\n  END\n  DO +F\n  FROM l+x\n  FROM ./lib/sub+s\n"
      "  RUN --mount=type=bind,from=+m,target=/m echo +no\n  WITH DOCKER --load=i=(+d --A=1) --load +e\n    RUN x\n  "
      "END\n"
      "  FROM DOCKERFILE +f/context\n  BUILD +$NAME\n  FROM github.com/x/y+no\n"
      "tools:\n  FROM x\na:\n  FROM x\nb:\n  FROM x\nc:\n  FROM x\nm:\n  FROM x\nd:\n  FROM x\ne:\n  FROM x\nf:\n"
      "  FROM x\nno:\n  FROM +never\nnever:\n  FROM x\nF:\n  FUNCTION\n  COPY +g/x /\ng:\n  FROM +t\n");
  files["lib"] = testing::parsed("VERSION 0.8\nx:\n  FROM ..+h\nno:\n  FROM x\n");
  files["lib/sub"] = testing::parsed("VERSION 0.8\ns:\n  FROM ../../../out+x\n");
  EXPECT_THAT(from("+t"), UnorderedElementsAre("+t", "+tools", "+a", "+b", "+c", "+m", "+d", "+e", "+f", "+F", "+g",
                                               "./lib+x", "./lib/sub+s"));
  EXPECT_THAT(from("+c"), UnorderedElementsAre("+c", "+tools"));
  EXPECT_THAT(from("+nowhere"), UnorderedElementsAre("+tools"));
}

TEST_F(Reached, without_an_Earthfile_there_is_nothing) {
  EXPECT_THAT(all("+t"), IsEmpty());
}

TEST_F(Reached, findings_are_those_of_what_is_reached) {
  files[""] = testing::parsed(
      "VERSION 0.8\nARG unused\nt:\n  FROM x\n  ARG mine\nu:\n  FROM x\n  ARG other\nF:\n  FUNCTION\n  ARG more\n");
  const auto reached = all("+t");
  std::vector<int> lines;
  for (const auto& finding : within(reached.at(0), lint(*reached.at(0).file))) {
    lines.push_back(finding.error.position->line);
  }
  EXPECT_THAT(lines, ::testing::ElementsAre(2, 5));
}

}  // namespace
}  // namespace ingot::earthfile
