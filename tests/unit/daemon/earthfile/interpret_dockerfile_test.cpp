#include <gmock/gmock.h>

#include <random>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of this folder's tests
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Built {
  std::string error;  // rendered; "" when there is none
  graph::Graph graph;
  std::vector<std::string> warnings;
  std::vector<std::string> images;  // that were asked for
};

// Target +t of an Earthfile that has FROM DOCKERFILE with these words and then `lines`.
class FromDockerfile : public ::testing::Test {
 protected:
  Built built(const std::string& dockerfile, const std::string& words = ".", const std::string& lines = "") {
    host.files["Dockerfile"] = dockerfile;
    return interpreted_with("VERSION 0.8\nt:\n  ARG X=earth\n  FROM DOCKERFILE " + words + "\n" + lines);
  }
  Built interpreted_with(const std::string& earthfile) {
    const File file = parsed(earthfile);
    auto result = interpret(file, {"+t", {}}, host);
    if (!result) return {proto::render(result.error()), {}, {}, host.asked};
    return {"", std::move(result->graph), result->warnings, host.asked};
  }
  graph::Graph graph_of(const std::string& dockerfile, const std::string& words = ".", const std::string& lines = "") {
    auto made = built(dockerfile, words, lines);
    EXPECT_EQ(made.error, "");
    return std::move(made.graph);
  }
  graph::ExecOp run_of(const std::string& dockerfile, const std::string& words = ".") {
    const auto runs = steps_of<graph::ExecOp>(graph_of(dockerfile, words));
    if (!runs.empty()) return runs.back();
    ADD_FAILURE() << "no RUN in " << dockerfile;
    return {};
  }
  graph::CopyOp copy_of(const std::string& lines) {
    const auto copies = steps_of<graph::CopyOp>(graph_of("FROM debian:bookworm\n" + lines));
    if (!copies.empty()) return copies.back();
    ADD_FAILURE() << "no COPY in " << lines;
    return {};
  }
  graph::ImageConfig config_of(const std::string& lines) {
    const auto graph = graph_of("FROM debian:bookworm\n" + lines, ".", "  SAVE IMAGE i\n");
    if (!graph.images.empty()) return graph.images.front().config;
    return {};
  }
  FakeHost host;
};

TEST_F(FromDockerfile, only_what_the_wanted_stage_stands_on_becomes_steps) {
  const std::string text =
      "FROM debian:bookworm AS a\nRUN one\nFROM nowhere:1 AS b\nRUN two\nFROM a AS c\nRUN three\n"
      "FROM scratch\nCOPY --from=C /x /x\nFROM c AS d\nRUN four\nRUN --mount=from=0,target=/m five\n";
  const auto commands = [&](const std::string& words) {
    std::vector<std::string> all;
    for (const auto& run : steps_of<graph::ExecOp>(graph_of(text, words))) all.push_back(run.command);
    return all;
  };
  EXPECT_THAT(commands("."), ElementsAre("one", "three", "four", "five"));
  EXPECT_THAT(commands("--target 3 ."), ElementsAre("one", "three"));
  EXPECT_THAT(commands("--target=A ."), ElementsAre("one"));
  EXPECT_THAT(host.asked, ::testing::Not(::testing::Contains("nowhere:1")));
  const auto graph = graph_of(text, "--target 3 .");
  const auto& copy = std::get<graph::CopyOp>(graph.steps.back().operation);
  EXPECT_EQ(graph.steps.at(*copy.from).text, "RUN three");
  EXPECT_EQ(graph.steps.back().position.file, "Dockerfile");
  EXPECT_EQ(graph.steps.back().position.line, 8);
}

TEST_F(FromDockerfile, args_and_env_have_their_scopes) {
  const std::string text =
      "ARG BASE=debian:bookworm\nARG G=global\nFROM $BASE AS a\nARG A=$G-x\nARG G\nARG B=$G A2=$B\nENV E=$A F=$E\n"
      "ARG E=hidden\nARG NONE\nARG TARGETOS\nENV Z=$E\nRUN x\nFROM a\nRUN y\n";
  const auto stage = steps_of<graph::ExecOp>(graph_of(text, "--build-arg NOT=1 ."));
  ASSERT_EQ(stage.size(), 2U);
  EXPECT_THAT(stage[0].env,
              ::testing::UnorderedElementsAre(Pair("PATH", "/image/bin"), Pair("LANG", "C.UTF-8"), Pair("A", "-x"),
                                              Pair("G", "global"), Pair("B", "global"), Pair("A2", ""), Pair("E", "-x"),
                                              Pair("F", ""), Pair("TARGETOS", "linux"), Pair("Z", "-x")));
  EXPECT_THAT(stage[1].env, ::testing::UnorderedElementsAre(Pair("PATH", "/image/bin"), Pair("LANG", "C.UTF-8"),
                                                            Pair("E", "-x"), Pair("F", ""), Pair("Z", "-x")));
  const auto seen = [&](const std::string& words, const std::string& name) {
    return seen_by_run(graph_of(text, words + " --target a ."), name);
  };
  EXPECT_EQ(seen("--build-arg G=given", "B"), "given");
  EXPECT_EQ(seen("--build-arg A=given", "E"), "given");
  EXPECT_EQ(seen("--build-arg NONE=given", "NONE"), "given");
  EXPECT_EQ(seen("--build-arg X --build-arg A=$X", "A"), "earth");
  EXPECT_EQ(seen("--build-arg https_proxy=p", "https_proxy"), "p");
  EXPECT_EQ(built("ARG BASE\nFROM $BASE", "--build-arg BASE=scratch .").error, "");
}

TEST_F(FromDockerfile, a_build_arg_that_nobody_declares_is_warned_of) {
  const auto made = built("FROM scratch\nARG VERSION\nCOPY a /", "--build-arg VERSOIN=1 --build-arg NO_PROXY=x .");
  EXPECT_THAT(made.warnings,
              ElementsAre("Earthfile:4:3: no ARG of Dockerfile is called VERSOIN\n    FROM DOCKERFILE --build-arg "
                          "VERSOIN=1 --build-arg NO_PROXY=x .\n    ^\nhint: did you mean \"VERSION\"?"));
}

TEST_F(FromDockerfile, run_in_all_its_forms) {
  const auto command = [&](const std::string& lines) { return run_of("FROM debian:bookworm\n" + lines).command; };
  EXPECT_EQ(command("RUN echo \"$A\" && \\\n  b"), "echo \"$A\" &&   b");
  EXPECT_EQ(command("RUN [\"a\", \"it's $X\"]"), "exec 'a' 'it'\\''s $X'");
  EXPECT_EQ(command("SHELL [\"/bin/bash\", \"-c\"]\nRUN it's"), "exec '/bin/bash' '-c' 'it'\\''s'");
  EXPECT_EQ(command("SHELL [\"/bin/bash\", \"-c\"]\nRUN [\"a\"]"), "exec 'a'");
  EXPECT_EQ(command("RUN <<-EOF\n\ta $X\n\tEOF"), "a $X\n");
  EXPECT_EQ(command("RUN cat <<'A' <<-B | x\n1\nA\n\t2\nB"), "cat <<'A' <<-B | x\n1\nA\n\t2\nB\n");
  EXPECT_EQ(command("RUN <<E\n#!/usr/bin/env python3\nprint('x')\nE"),
            "printf %s '#!/usr/bin/env python3\nprint('\\''x'\\'')\n' > /dev/shm/run && exec '/usr/bin/env' 'python3' "
            "'/dev/shm/run'");
  const auto run = run_of("FROM debian:bookworm\nUSER u:g\nENV D=sub\nWORKDIR /w\nWORKDIR $D/x\nRUN --network=none a");
  EXPECT_EQ(run.user, "u:g");
  EXPECT_EQ(run.working_dir, "/w/sub/x");
  EXPECT_TRUE(run.no_network);
}

TEST_F(FromDockerfile, mounts) {
  const std::string from = "FROM debian:bookworm AS a\nARG C=/cache\nFROM debian:bookworm\nARG C=/cache\nWORKDIR /w\n";
  const auto mount = [&](const std::string& text) { return run_of(from + "RUN --mount=" + text + " x").mounts.at(0); };
  EXPECT_EQ(mount("type=cache,target=$C").target, "/cache");
  EXPECT_EQ(mount("type=cache,target=/c").sharing, graph::Mount::Sharing::shared);
  EXPECT_EQ(mount("type=cache,target=/c,sharing=locked").sharing, graph::Mount::Sharing::locked);
  EXPECT_FALSE(mount("type=secret,id=s").required);
  EXPECT_TRUE(mount("type=secret,id=s,required").required);
  EXPECT_EQ(mount("type=tmpfs,target=t").target, "/w/t");
  const auto secrets = run_of(from + "RUN --mount=type=secret,id=s,env=TOKEN x").secrets;
  ASSERT_EQ(secrets.size(), 1U);
  EXPECT_EQ(secrets[0].name + "=" + secrets[0].id, "TOKEN=s");

  const auto graph =
      graph_of(from + "RUN --mount=source=go.mod,target=go.mod --mount=from=debian:bookworm,target=/d x");
  const auto run = steps_of<graph::ExecOp>(graph).back();
  EXPECT_EQ(run.mounts[0].target, "/w/go.mod");
  EXPECT_EQ(run.mounts[0].source, "/go.mod");
  const auto& shown = std::get<graph::CopyOp>(graph.steps.at(*run.mounts[0].from).operation);
  EXPECT_THAT(shown.sources, ElementsAre("go.mod"));
  EXPECT_EQ(shown.destination, "/go.mod");
  EXPECT_EQ(std::get<graph::ImageOp>(graph.steps.at(*run.mounts[1].from).operation).reference, "debian:bookworm");
}

TEST_F(FromDockerfile, copy) {
  const auto op = copy_of("WORKDIR /w\nENV D=dest\nUSER u\nCOPY --chown=$D:g --chmod=750 --link a \"b c\" $D");
  EXPECT_THAT(op.sources, ElementsAre("a", "b c"));
  EXPECT_EQ(op.destination, "/w/dest");
  EXPECT_TRUE(op.destination_is_directory);
  EXPECT_EQ(op.chown, "dest:g");
  EXPECT_EQ(op.chmod, 0750U);
  EXPECT_FALSE(op.dir);
  EXPECT_EQ(copy_of("USER u\nCOPY a b").chown, "") << "whoever the user is";
  EXPECT_THAT(copy_of("COPY [\"a b\", \"/c\"]").sources, ElementsAre("a b"));
  EXPECT_THAT(copy_of("ADD /a/b ./c").sources, ElementsAre("a/b"));
  EXPECT_THAT(copy_of("COPY . /c/").sources, ElementsAre("."));
  EXPECT_THAT(copy_of("ADD --unpack=false a.tar /c/").sources, ElementsAre("a.tar"));
  EXPECT_THAT(copy_of("COPY --from=debian:bookworm etc/x /c").sources, ElementsAre("/etc/x"));

  const auto graph = graph_of("FROM scratch\nARG A=v\nCOPY --chown=1 f <<E <<'F' /d/\n$A\nE\n$A\nF");
  const auto files = steps_of<graph::WriteFileOp>(graph);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name + " " + files[0].destination + " " + files[0].content, "E /d v\n");
  EXPECT_EQ(files[1].content, "$A\n");
  EXPECT_TRUE(files[1].destination_is_directory);
  EXPECT_EQ(files[1].chown, "1");
  EXPECT_THAT(steps_of<graph::CopyOp>(graph).at(0).sources, ElementsAre("f"));
}

TEST_F(FromDockerfile, what_the_image_is) {
  const auto config = config_of(
      "ENV A=1\nUSER me\nWORKDIR /w\nLABEL a=b \"c d\"='e f'\nEXPOSE 80 1000-1002/udp\nVOLUME [\"/a b\"]\nVOLUME /c "
      "/d\n"
      "ENTRYPOINT [\"/e\"]\nCMD x y\nSTOPSIGNAL SIGINT\nHEALTHCHECK --interval=2s --start-interval=1s --retries=4 CMD "
      "[\"h\", \"i\"]");
  EXPECT_THAT(config.env, ElementsAre(Pair("PATH", "/image/bin"), Pair("LANG", "C.UTF-8"), Pair("A", "1")));
  EXPECT_EQ(config.user + " " + config.working_dir, "me /w");
  EXPECT_THAT(config.labels, ElementsAre(Pair("a", "b"), Pair("c d", "e f")));
  EXPECT_THAT(config.exposed_ports, ElementsAre("80/tcp", "1000/udp", "1001/udp", "1002/udp"));
  EXPECT_THAT(config.volumes, ElementsAre("/a b", "/c", "/d"));
  EXPECT_THAT(config.entrypoint, ElementsAre("/e"));
  EXPECT_THAT(config.cmd, ElementsAre("/bin/sh", "-c", "x y"));
  EXPECT_EQ(config.stop_signal, "SIGINT");
  EXPECT_THAT(config.healthcheck->test, ElementsAre("CMD", "h", "i"));
  EXPECT_EQ(config.healthcheck->interval_ns, 2'000'000'000);
  EXPECT_EQ(config.healthcheck->start_interval_ns, 1'000'000'000);
  EXPECT_EQ(config.healthcheck->retries, 4);
  EXPECT_THAT(config_of("HEALTHCHECK NONE").healthcheck->test, ElementsAre("NONE"));
  EXPECT_THAT(config_of("SHELL [\"/b\"]\nCMD a\nENTRYPOINT c").entrypoint, ElementsAre("/b", "c"));
}

TEST_F(FromDockerfile, an_entrypoint_drops_the_arguments_of_what_it_starts_from) {
  host.images["debian:bookworm"].cmd = {"bash"};
  EXPECT_THAT(config_of("").cmd, ElementsAre("bash"));
  EXPECT_THAT(config_of("ENTRYPOINT [\"/e\"]").cmd, IsEmpty());
  EXPECT_THAT(config_of("CMD [\"c\"]\nENTRYPOINT [\"/e\"]").cmd, ElementsAre("c"));
  EXPECT_THAT(config_of("FROM debian:bookworm AS a\nCMD [\"c\"]\nFROM a\nENTRYPOINT [\"/e\"]").cmd, IsEmpty());
  EXPECT_THAT(config_of("FROM debian:bookworm AS a\nCMD [\"c\"]\nFROM a").cmd, ElementsAre("c"));
}

TEST_F(FromDockerfile, the_context_and_the_file_are_seen_from_the_earthfile) {
  host.files["sub/D"] = "FROM scratch\nCOPY a *.c /";
  host.files["sub/dir/Dockerfile"] = "FROM scratch\nCOPY . /";
  const auto sources = [&](const std::string& words) {
    auto made = interpreted_with("VERSION 0.8\nt:\n  FROM DOCKERFILE " + words + "\n");
    EXPECT_EQ(made.error, "");
    return made.error.empty() ? steps_of<graph::CopyOp>(made.graph).at(0).sources : std::vector<std::string>();
  };
  EXPECT_THAT(sources("-f sub/D ctx/"), ElementsAre("ctx/a", "ctx/*.c"));
  EXPECT_THAT(sources("-f=./sub/D ."), ElementsAre("a", "*.c"));
  EXPECT_THAT(sources("sub/dir"), ElementsAre("sub/dir/."));
  host.files["sub/Earthfile"] = "VERSION 0.8\nu:\n  FROM DOCKERFILE ./dir\n";
  EXPECT_EQ(steps_of<graph::CopyOp>(interpreted_with("VERSION 0.8\nt:\n  FROM ./sub+u\n").graph).at(0).sources.at(0),
            "sub/dir/.");
}

TEST_F(FromDockerfile, dockerignore_is_handed_on_as_seen_from_the_project) {
  host.files["a[b/Dockerfile"] = "FROM scratch\nCOPY . /";
  host.files["a[b/.dockerignore"] = "# no\n*.o\n\n! keep.o \n/x/**\n";
  host.files["a[b/.earthlyignore"] = "old";
  const auto excluded = [&](const std::string& version) {
    auto made = interpreted_with(version + "\nt:\n  FROM DOCKERFILE 'a[b'\n");
    EXPECT_EQ(made.error, "");
    return steps_of<graph::CopyOp>(made.graph).at(0).excluded;
  };
  EXPECT_THAT(excluded("VERSION 0.8"), ElementsAre("a\\[b/*.o", "!a\\[b/keep.o", "a\\[b//x/**"));
  EXPECT_THAT(excluded("VERSION 0.6"), ElementsAre("a\\[b/old"));
  host.files["a[b/Dockerfile.dockerignore"] = "own";
  EXPECT_THAT(excluded("VERSION 0.8"), ElementsAre("a\\[b/own"));
}

TEST_F(FromDockerfile, add_unpacks_archives_by_the_tar_of_the_image) {
  const auto graph = graph_of("FROM debian:bookworm\nADD a.tar.gz plain /dest/\nADD --unpack=false b.tar /dest/");
  const auto copies = steps_of<graph::CopyOp>(graph);
  ASSERT_EQ(copies.size(), 3U);
  EXPECT_THAT(copies[0].sources, ElementsAre("plain"));
  EXPECT_THAT(copies[1].sources, ElementsAre("a.tar.gz"));
  EXPECT_EQ(copies[1].destination, "/");
  EXPECT_THAT(copies[2].sources, ElementsAre("b.tar"));
  const auto runs = steps_of<graph::ExecOp>(graph);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_THAT(runs[0].command, HasSubstr("mkdir -p '/dest' && for archive in /dev/archives/*"));
  ASSERT_EQ(runs[0].mounts.size(), 1U);
  EXPECT_EQ(runs[0].mounts[0].kind, graph::Mount::Kind::bind);
}

TEST_F(FromDockerfile, arguments_may_stand_behind_the_directory) {
  const std::string text = "FROM debian:bookworm\nARG A\nARG B\nRUN x";
  const auto run = run_of(text, ". --A=1 --B 2");
  EXPECT_THAT(run.env, ::testing::Contains(Pair("A", "1")));
  EXPECT_THAT(run.env, ::testing::Contains(Pair("B", "2")));
}

TEST_F(FromDockerfile, of_what_a_target_saves) {
  host.step_files["/d/Dockerfile"] = "FROM scratch\nCOPY x /y\n";
  host.step_files["/D"] = "FROM debian:bookworm\nRUN x\n";
  const std::string rest = "made:\n  FROM debian:bookworm\n  RUN make\n  SAVE ARTIFACT d\n  SAVE ARTIFACT D\n";
  auto made = interpreted_with("VERSION 0.8\nt:\n  FROM DOCKERFILE +made/d\n" + rest);
  ASSERT_EQ(made.error, "");
  const auto copy = std::get<graph::CopyOp>(made.graph.steps.back().operation);
  EXPECT_THAT(copy.sources, ElementsAre("/d/x"));
  EXPECT_EQ(made.graph.steps.at(*copy.from).target, "+made");
  host.step_files["/d/Dockerfile"] = "FROM debian:bookworm\nRUN --mount=source=x,target=/y z\n";
  auto mounted = interpreted_with("VERSION 0.8\nt:\n  FROM DOCKERFILE +made/d\n" + rest);
  const auto mount = std::get<graph::ExecOp>(mounted.graph.steps.back().operation).mounts.at(0);
  EXPECT_EQ(mount.source, "/d/x");
  EXPECT_EQ(mounted.graph.steps.at(*mount.from).target, "+made");
  EXPECT_EQ(interpreted_with("VERSION 0.8\nt:\n  FROM DOCKERFILE -f +made/D .\n" + rest).error, "");
  EXPECT_THAT(interpreted_with("VERSION 0.8\nt:\n  FROM DOCKERFILE +made\n" + rest).error,
              HasSubstr("Earthfile:3:19: \"+made\" names a target, and no artifact of it"));
  EXPECT_THAT(interpreted_with("VERSION 0.8\nt:\n  FROM DOCKERFILE +made/e\n" + rest).error,
              HasSubstr("Earthfile:3:3: the target saves no e/Dockerfile"));
  host.step_files["/D"] = std::nullopt;  // nothing may run to make it
  const File file = parsed("VERSION 0.8\nt:\n  FROM DOCKERFILE -f +made/D .\n" + rest);
  auto open = interpret(file, {"+t", {}}, host);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->open_question->line, 3);
}

TEST_F(FromDockerfile, errors) {
  struct Case {
    const char* lines;
    const char* error;
  };
  const Case cases[] = {
      {"ONBUILD RUN x",
       "Dockerfile:2:1: ONBUILD has no effect in an OCI image, and is refused\n  ONBUILD RUN x\n  ^\n  in FROM "
       "DOCKERFILE of Earthfile:4\nhint: write the instruction into the Dockerfiles that start from this image"},
      {"ADD https://x/y /z",
       "Dockerfile:2:5: ADD fetches nothing\n  ADD https://x/y /z\n      ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: RUN curl -fLo file URL, or wget, does"},
      {"ADD git@github.com:a/b.git /z",
       "Dockerfile:2:5: ADD does not clone repositories\n  ADD git@github.com:a/b.git /z\n      ^\n  in FROM "
       "DOCKERFILE "
       "of Earthfile:4\nhint: clone it beside the Earthfile and COPY it, or RUN git clone"},
      {"COPY ../x /",
       "Dockerfile:2:6: COPY cannot take \"../x\": it is outside of the context\n  COPY ../x /\n       ^\n  in FROM "
       "DOCKERFILE of Earthfile:4\nhint: the context is what stands last in FROM DOCKERFILE"},
      {"COPY $NONE /",
       "Dockerfile:2:6: COPY $NONE: this source is empty here\n  COPY $NONE /\n       ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: give the variable a value, or write \".\" for the whole context"},
      {"COPY --from=$X a b",
       "Dockerfile:2:6: variables are not known in what files are taken from\n  COPY --from=$X a b\n       ^\n  in "
       "FROM "
       "DOCKERFILE of Earthfile:4\nhint: name a stage for it, which may have some: FROM $IMAGE AS tools, above the "
       "first FROM an ARG"},
      {"COPY --from=1 a b",
       "Dockerfile:2:6: stage 1 is not there\n  COPY --from=1 a b\n       ^\n  in FROM DOCKERFILE of Earthfile:4\n"
       "hint: files are taken from stages that stand above"},
      {"COPY --from=0 a b",
       "Dockerfile:2:6: stage 0 is not above this one\n  COPY --from=0 a b\n       ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: files are taken from stages that stand above"},
      {"COPY --from=gone:1 a b",
       "Dockerfile:2:6: there is no image gone:1\n  COPY --from=gone:1 a b\n       ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: name another"},
      {"COPY --parents a b",
       "Dockerfile:2:6: COPY --parents is not understood by this version of Ingot\n  COPY --parents a b\n       ^\n  "
       "in "
       "FROM DOCKERFILE of Earthfile:4\nhint: leave it out"},
      {"RUN --network=host x",
       "Dockerfile:2:5: RUN --network takes none or default\n  RUN --network=host x\n      ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: the daemon's configuration decides on the network of all other steps"},
      {"RUN --security=insecure x",
       "Dockerfile:2:5: RUN --security=insecure is not understood by this version of Ingot\n  RUN --security=insecure "
       "x\n      ^\n  in FROM DOCKERFILE of Earthfile:4\nhint: leave it out; most commands do without"},
      {"EXPOSE http",
       "Dockerfile:2:8: \"http\" is no port\n  EXPOSE http\n         ^\n  in FROM DOCKERFILE of Earthfile:4\nhint: "
       "such as 80, 80/tcp or 53/udp"},
      {"ENV A=\"x",
       "Dockerfile:2:7: this quote is never closed\n  ENV A=\"x\n        ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: write \\\" for the character itself"},
      {"FROM $UNSET",
       "Dockerfile:2:6: FROM $UNSET: this is empty here\n  FROM $UNSET\n       ^\n  in FROM DOCKERFILE of "
       "Earthfile:4\nhint: FROM sees the ARGs above the first FROM: give one a value there, or by --build-arg"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(built("FROM debian:bookworm\n" + std::string(one.lines)).error, one.error) << one.lines;
  }
}

TEST_F(FromDockerfile, errors_of_the_command_itself) {
  const std::string text = "FROM --platform=other/cpu debian:bookworm AS base\nFROM base\n";
  EXPECT_THAT(built(text).error, HasSubstr("Dockerfile:1:6: \"other/cpu\" is no platform"));
  EXPECT_THAT(built(text, "--target=bsae .").error, HasSubstr("Dockerfile has no stage \"bsae\""));
  EXPECT_THAT(built(text, "--target=bsae .").error, HasSubstr("hint: did you mean \"base\"?"));
  EXPECT_THAT(built(text, ". b").error, HasSubstr("Earthfile:4:21: FROM DOCKERFILE takes one directory, the context"));
  EXPECT_THAT(built(text, "../x").error, HasSubstr("it is no path in the project"));
  EXPECT_THAT(built(text, "-f /etc/x .").error, HasSubstr("Earthfile:4:19: FROM DOCKERFILE cannot take \"/etc/x\""));
  EXPECT_THAT(built(text, "https://github.com/a/b").error, HasSubstr("takes files of the project, and of targets"));
  EXPECT_THAT(
      built(text, "none").error,
      HasSubstr("Earthfile:4:3: the project has no none/Dockerfile\n    FROM DOCKERFILE none\n    ^\nhint: name "
                "another by -f"));
  EXPECT_THAT(built(text, "--build-arg Y .").error, HasSubstr("Y has no value here to pass on"));
  EXPECT_THAT(built(text, "--tagret x .").error, HasSubstr("hint: did you mean \"--target\"?"));
  EXPECT_THAT(built(text, "-x y .").error, HasSubstr("takes one directory"));
  const std::string several = built("FORM a\nRNU b\n").error;
  EXPECT_THAT(several, HasSubstr("Dockerfile:1:1: \"FORM\" is no instruction"));
  EXPECT_THAT(several, HasSubstr("Dockerfile:2:1: \"RNU\" is no instruction"));
  EXPECT_THAT(several, HasSubstr("in FROM DOCKERFILE of Earthfile:4"));
}

TEST_F(FromDockerfile, mutations_do_no_harm) {
  const std::string original =
      "ARG V=bookworm\nFROM debian:$V AS build\nENV A=\"b c\" D=${V:-x}\nRUN --mount=type=cache,target=/c <<EOF\nset "
      "-e\n"
      "EOF\nCOPY --chown=1:2 <<-'A' \"b\" /c/\n\tx\n\tA\nHEALTHCHECK CMD [\"a\"]\nEXPOSE 1-3/tcp\nFROM build\n"
      "SHELL [\"a\"]\nRUN --mount=from=build,target=x <<A\n#! b\nA\nCOPY --from=0 /a /b\nVOLUME [\"/v\"]\n";
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string text = original;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, random() % 10);
      else if (random() % 2 == 0)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, text.substr(random() % text.size(), random() % 30));
    }
    const auto made = built(text);
    for (std::size_t i = 0; i < made.graph.steps.size(); ++i) {
      for (const auto input : graph::inputs(made.graph.steps[i])) ASSERT_LT(input, i) << text;
    }
  }
}

TEST_F(FromDockerfile, what_would_take_all_memory_is_refused) {
  const std::string doubling = "FROM debian:bookworm\nENV A=xxxxxxxxxxxxxxxx\n";
  std::string large = doubling;
  for (int i = 0; i < 13; ++i) large += "ENV A=$A$A\n";
  EXPECT_THAT(built(large + "ENV A=$A$A").error, HasSubstr("longer than 128.0 KiB"));
  std::string several = large;
  for (int i = 0; i < 20; ++i) several += "ENV B" + std::to_string(i) + "=$A\n";
  EXPECT_THAT(built(several).error, HasSubstr("are together larger than 2.0 MiB"));
  std::string words;
  for (int i = 0; i < 5000; ++i) words += "$A ";
  EXPECT_THAT(built(large + "COPY " + words + " /x").error, HasSubstr("more than 50000 commands"));
  EXPECT_THAT(built("FROM scratch\nEXPOSE " + std::string(3, ' ') + "1-65535").error, HasSubstr("more than 50000"));
}

TEST_F(FromDockerfile, a_file_of_very_many_stages_or_instructions_ends) {
  std::string stages = "FROM debian:bookworm AS s0\n";
  for (int i = 1; i < 3000; ++i) {
    stages += "FROM s" + std::to_string(i - 1) + " AS s" + std::to_string(i) + "\nENV A=$A$A\n";
  }
  EXPECT_EQ(built(stages).error, "");
  std::string many = "FROM debian:bookworm\n";
  for (int i = 0; i < 60'000; ++i) many += "USER a\n";
  EXPECT_THAT(built(many).error, HasSubstr("more than 50000 commands"));
}

}  // namespace
}  // namespace ingot::earthfile
