#include "client/commands/earthfiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "client/cli/parse.h"
#include "client/commands/commands.h"
#include "tests/support/temp.h"

namespace ingot::client {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// Commands in a directory of their own. There is no daemon.
class EarthfileCommands : public testing::Test {
 protected:
  test::TempDirectory directory;

  Outcome run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-C", directory.path(), "--socket", directory / "none"});
    auto invocation = parse_arguments(arguments);
    EXPECT_TRUE(invocation) << proto::render(invocation.error());
    if (!invocation) return {-1, "", ""};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto code = find_command(invocation->command)->run(*invocation);
    std::fflush(stdout);
    Outcome outcome{code.value_or(-1), testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
    if (!code) outcome.err += proto::render(code.error());
    return outcome;
  }
  std::string file(const std::string& name) { return test::slurp(directory / name); }
  void project() {
    directory.file("Earthfile",
                   "VERSION 0.8\nARG --global ARCH=amd64\n# iso makes the installer.\n# At length.\niso:\n    FROM a\n"
                   "    # where it goes\n    ARG OUT=x y\n    ARG --required KEY\n    RUN $OUT $KEY $ARCH\n"
                   "    IF true\n        ARG LATE\n        RUN $LATE\n    ELSE\n        ARG LATE=2\n    END\n    SAVE "
                   "ARTIFACT /iso AS LOCAL out/\n"
                   "    SAVE ARTIFACT /sums /sub/\n    SAVE IMAGE --push edge:1 edge:2\nbare:\n    FROM +iso\n");
    directory.file("lib/Earthfile", "VERSION 0.8\nlib:\n    FROM a\n");
  }
};

TEST_F(EarthfileCommands, ls_lists_targets) {
  project();
  EXPECT_EQ(run({"ls"}).out, "+iso   iso makes the installer.\n+bare\n");
  EXPECT_EQ(run({"ls", "--long"}).out,
            "+iso   iso makes the installer.\n    --OUT=x y  where it goes\n    --KEY (required)\n    --LATE\n+bare\n");
  EXPECT_EQ(run({"ls", "lib"}).out, "+lib\n");
  EXPECT_EQ(run({"ls", "./lib/Earthfile"}).out, "+lib\n");
  EXPECT_THAT(run({"ls", "nowhere"}).err, HasSubstr("there is no"));
  EXPECT_EQ(run({"ls", "nowhere"}).code, 3);
  EXPECT_THAT(run({"ls", "+iso"}).err, HasSubstr("`ingot doc +iso`"));
}

TEST_F(EarthfileCommands, ls_as_json) {
  project();
  const auto body = json::parse(run({"ls", "--json"}).out);
  EXPECT_EQ(body["args"][0]["name"], "ARCH");
  const auto& iso = body["targets"][0];
  EXPECT_EQ(iso["name"], "+iso");
  EXPECT_EQ(iso["line"], 5);
  EXPECT_EQ(iso["args"][0],
            json({{"name", "OUT"}, {"default", "x y"}, {"required", false}, {"doc", "where it goes\n"}}));
  EXPECT_EQ(iso["args"][1]["default"], nullptr);
  EXPECT_EQ(iso["artifacts"][0]["local"], "out/");
  EXPECT_EQ(iso["images"][0]["names"], json({"edge:1", "edge:2"}));
}

TEST_F(EarthfileCommands, doc_tells_what_a_target_takes_and_gives) {
  project();
  EXPECT_EQ(run({"doc", "+iso"}).out,
            "+iso --KEY [--OUT=x y] [--LATE]\n    iso makes the installer.\n    At length.\n"
            "  REQUIRED ARGS:\n    --KEY\n  OPTIONAL ARGS:\n    --OUT=x y\n      where it goes\n    --LATE\n"
            "  GLOBAL ARGS:\n    --ARCH=amd64\n"
            "  ARTIFACTS:\n    sub/sums\n  LOCAL ARTIFACTS:\n    iso -> out/\n  IMAGES:\n    edge:1, edge:2\n");
  EXPECT_EQ(run({"doc"}).out, "+iso --KEY [--OUT=x y] [--LATE]\n    iso makes the installer.\n    At length.\n");
  EXPECT_THAT(run({"doc", "--long"}).out, HasSubstr("+bare\n  GLOBAL ARGS:\n    --ARCH=amd64\n"));
  EXPECT_EQ(run({"doc", "lib+lib"}).out, "+lib\n");
  EXPECT_THAT(run({"doc", "+isu"}).err, HasSubstr("did you mean \"iso\"?"));
}

TEST_F(EarthfileCommands, fmt_writes_back_in_place) {
  directory.file("Earthfile", "VERSION 0.8\nt:\n  FROM a\n");
  directory.file("real", "VERSION 0.8\nt:\n\tRUN b\n");
  chmod((directory / "real").c_str(), 0640);
  std::filesystem::create_symlink("real", directory / "link");
  const auto outcome = run({"fmt", "Earthfile", "link"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Earthfile\n"));
  EXPECT_EQ(file("Earthfile"), "VERSION 0.8\nt:\n    FROM a\n");
  EXPECT_EQ(file("real"), "VERSION 0.8\nt:\n    RUN b\n");
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
  struct stat status {};
  ASSERT_EQ(stat((directory / "real").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  EXPECT_EQ(run({"fmt", "Earthfile", "link"}).out, "") << "what is in its form is not named";
}

TEST_F(EarthfileCommands, fmt_only_looks_when_it_is_told_to) {
  const std::string before = "VERSION 0.8\nt:\n  FROM a\n";
  directory.file("Earthfile", before);
  EXPECT_EQ(run({"fmt", "--check"}).code, 1);
  const auto diff = run({"fmt", "--diff"});
  EXPECT_EQ(diff.code, 0);
  EXPECT_THAT(diff.out, HasSubstr("@@ -1,3 +1,3 @@\n VERSION 0.8\n t:\n-  FROM a\n+    FROM a\n"));
  EXPECT_EQ(file("Earthfile"), before);
  EXPECT_EQ(run({"fmt", "-q"}).out, "");
  EXPECT_EQ(run({"fmt", "--check"}).code, 0);
}

TEST_F(EarthfileCommands, fmt_leaves_a_file_with_errors_and_goes_on_with_others) {
  directory.file("bad", "VERSION 0.8\nt:\n  FORM a\n  RUNN b\n");
  directory.file("good", "VERSION 0.8\nt:\n  FROM a\n");
  const auto outcome = run({"fmt", "bad", "good"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("bad:3:3: there is no command \"FORM\""));
  EXPECT_THAT(outcome.err, HasSubstr("bad:4:3: there is no command \"RUNN\""));
  EXPECT_EQ(file("bad"), "VERSION 0.8\nt:\n  FORM a\n  RUNN b\n");
  EXPECT_EQ(file("good"), "VERSION 0.8\nt:\n    FROM a\n");
}

TEST_F(EarthfileCommands, lint_warns_and_fails_only_when_it_is_strict) {
  directory.file("Earthfile",
                 "VERSION 0.8\nt:\n    FROM a\n    ARG X\n    COPY dist/x keep keep/y /\n    FROM ./lib+nix\n");
  directory.file(".earthlyignore", "dist\nkeep\n!keep/y\n");
  directory.file("lib/Earthfile", "VERSION 0.8\nlib:\n    FROM a\n");
  const auto outcome = run({"lint"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Earthfile:4:9: warning: nothing in t uses ARG X [unused-arg]"));
  EXPECT_THAT(outcome.out, HasSubstr(":5:10: warning: COPY takes dist/x"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("COPY takes keep"))) << "of it something is brought back";
  EXPECT_THAT(outcome.out, HasSubstr("has no target nix"));
  EXPECT_EQ(run({"lint", "--strict"}).code, 1);
  EXPECT_EQ(run({"lint", "--strict", "lib"}).code, 0);
  const auto body = json::parse(run({"lint", "--json"}).out);
  ASSERT_EQ(body["findings"].size(), 3U);
  EXPECT_EQ(body["findings"][0]["rule"], "unused-arg");
  EXPECT_EQ(body["findings"][0]["severity"], "warning");
  EXPECT_EQ(body["findings"][0]["position"]["line"], 4);
}

TEST_F(EarthfileCommands, lint_tells_all_syntax_errors) {
  directory.file("Earthfile", "VERSION 0.8\nt:\n  FORM a\n  RUNN b\n");
  const auto outcome = run({"lint"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(":3:3: "));
  EXPECT_THAT(outcome.err, HasSubstr(":4:3: "));
  EXPECT_EQ(json::parse(run({"lint", "--json"}).out)["findings"][1]["severity"], "error");
}

TEST_F(EarthfileCommands, debug_ast_prints_the_tree_with_places) {
  directory.file("Earthfile", "VERSION --try 0.8\nt:\n    IF a\n        RUN b  c\n    ELSE\n        RUN d\n    END\n");
  const auto body = json::parse(run({"debug", "ast"}).out);
  EXPECT_EQ(body["features"], json({"try"}));
  const auto& branch = body["targets"][0]["commands"][0];
  EXPECT_EQ(branch["name"], "IF");
  EXPECT_EQ(branch["body"][0]["arguments"], "b  c");
  EXPECT_EQ(branch["body"][0]["words"][1]["at"], json({{"line", 4}, {"column", 16}}));
  EXPECT_EQ(branch["alternatives"][0]["body"][0]["arguments"], "d");
  EXPECT_THAT(run({"debug"}).err, HasSubstr("ingot debug ast [FILE]"));
}

}  // namespace
}  // namespace ingot::client
