#include "client/commands/commands.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "client/cli/parse.h"
#include "daemon/base/digest.h"
#include "proto/codec.h"
#include "proto/image.h"
#include "proto/version.h"
#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

using nlohmann::json;
using proto::JobState;

proto::Job job_of(const std::string& id, JobState state) {
  proto::Job job;
  job.id = id;
  job.spec.target = "+iso";
  job.spec.context = "sha256:" + std::string(64, 'a');
  job.spec.labels = {{"k", "v"}};
  job.state = state;
  job.submitter = {7, 7, "eve"};
  job.attempts = 1;
  job.created_ms = 1'234'567'890'000;
  job.started_ms = 1'234'567'891'000;
  if (proto::is_final(state)) job.finished_ms = 1'234'567'956'000;
  if (state == JobState::failed) job.error = Error{ErrorKind::step_failed, "exit code 3", "", std::nullopt, {}};
  if (state == JobState::canceled) job.error = Error{ErrorKind::canceled, "canceled", "", std::nullopt, {}};
  if (state == JobState::queued) {
    job.started_ms = 0;
    job.queue_position = 2;
  }
  return job;
}

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// Commands against a daemon with the jobs a1 (succeeded), b2 (failed), c3 (canceled) and d4 (queued).
class Commands : public testing::Test {
 protected:
  test::TempDirectory directory;
  FakeDaemon fake{[this](const FakeRequest& request) { return answer(request); }};
  std::vector<proto::Artifact> artifacts;
  std::vector<std::string> push_answer;  // in the pieces that it comes in

  static proto::Job find(const std::string& id) {
    const std::map<std::string, JobState> states = {
        {"a1", JobState::succeeded}, {"b2", JobState::failed}, {"c3", JobState::canceled}, {"d4", JobState::queued}};
    return job_of(id, states.at(id));
  }
  FakeAnswer answer(const FakeRequest& request) {
    auto text = [](const json& body) { return FakeAnswer{200, proto::dump(body)}; };
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (path == "/v1/version") return text(proto::to_json(proto::VersionInfo{proto::kVersion, 1, 1, {"jobs"}}));
    if (path == "/v1/doctor")
      return text({{"checks", {proto::to_json(proto::HostCheck{"runtime", false, true, "none", "install runc"})}}});
    if (path == "/v1/jobs") return list(request);
    if (path == "/v1/images") {
      const proto::ImageInfo image{"r.example/edge:1", "sha256:" + std::string(64, 'e'), "a1b2", 1, 10, 1};
      return text({{"images", {proto::to_json(image)}}});
    }
    if (path == "/v1/images/push") return {200, "", {}, push_answer};
    const std::string id = path.substr(9, 2);
    if (path.ends_with("/events")) return {200, ""};
    if (path.ends_with("/artifacts")) {
      auto rows = json::array();
      for (const auto& row : artifacts) rows.push_back(proto::to_json(row));
      return text({{"artifacts", rows}});
    }
    if (path.find("/artifacts/") != std::string::npos) return {200, "content"};
    return text(proto::to_json(find(id)));
  }
  static FakeAnswer list(const FakeRequest& request) {
    auto rows = json::array();
    for (const char* id : {"a1", "b2", "c3", "d4"}) {
      const auto job = find(id);
      const std::string state = std::string("state=") + proto::name_of(job.state);
      if (request.target.find("state=") == std::string::npos || request.target.find(state) != std::string::npos)
        rows.push_back(proto::to_json(job));
    }
    return {200, proto::dump({{"jobs", rows}})};
  }
  void SetUp() override {
    setenv("TZ", "UTC0", 1);
    tzset();
    proto::Artifact artifact;
    artifact.id = "1";
    artifact.name = "out/a.iso";
    artifact.digest = base::Digest::of("content").str();
    artifact.size = 7;
    artifacts.push_back(artifact);
  }
  Outcome run(std::vector<std::string> arguments, const std::string& socket = {}) {
    arguments.insert(arguments.begin(), {"--socket", socket.empty() ? fake.socket() : socket});
    auto invocation = parse_arguments(arguments);
    if (!invocation) throw std::runtime_error(proto::render(invocation.error()));
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    auto code = find_command(invocation->command)->run(*invocation);
    std::fflush(stdout);
    Outcome result{code.value_or(-1), testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
    if (!code) result.err += proto::render(code.error());
    return result;
  }
};

TEST_F(Commands, ps_lists_what_is_not_over) {
  EXPECT_EQ(run({"ps"}).out,
            "JOB          STATE     TARGET               TIME       CREATED              BY\n"
            "d4           queued    +iso                 place 2    2009-02-13 23:31:30  eve\n");
  EXPECT_EQ(run({"ps", "-q", "--all"}).out, "a1\nb2\nc3\nd4\n");
  EXPECT_EQ(run({"ps", "--state", "failed", "--color", "always"}).out.substr(78 + 1),
            "b2           \033[31mfailed   \033[0m +iso                 1m05s      2009-02-13 23:31:30  eve\n");
  EXPECT_EQ(json::parse(run({"ps", "--all", "--json"}).out)["jobs"].size(), 4U);
}

TEST_F(Commands, ps_passes_on_its_filters) {
  run({"ps", "--all", "-l", "a=b", "-l", "c=d e", "-n", "7"});
  EXPECT_EQ(fake.requests().back().target, "/v1/jobs?limit=7&label=a%3Db%2Cc%3Dd%20e");
  EXPECT_EQ(run({"ps", "-n", "many"}).err, "--limit takes a number, not \"many\"");
}

TEST_F(Commands, push_tells_how_it_goes_and_what_came_of_it) {
  const std::string digest = "sha256:" + std::string(64, 'e');
  push_answer = {"{\"text\":\"sending ", "layer a\"}\n{\"text\":\"sent 1 MiB\"}\n",
                 R"({"pushed":{"name":"other:2","digest":")" + digest +
                     R"(","bytes":3000000,"sent_bytes":1000000}})"
                     "\n"};
  auto pushed = run({"push", "eee", "other:2"});
  EXPECT_EQ(pushed.code, 0) << pushed.err;
  EXPECT_EQ(pushed.out.substr(0, pushed.out.find("pushed")), "sending layer a\nsent 1 MiB\n");
  EXPECT_NE(pushed.out.find("pushed other:2@" + digest + ", "), std::string::npos) << pushed.out;
  const json asked = json::parse(fake.requests().back().body);
  EXPECT_EQ(asked, json({{"digest", digest}, {"name", "other:2"}, {"insecure", false}}));
  EXPECT_EQ(run({"push", "-q", "a1b"}).out, "other:2@" + digest + "\n");
  EXPECT_EQ(json::parse(fake.requests().back().body)["name"], "r.example/edge:1") << "its own name, by the job";
  EXPECT_EQ(json::parse(run({"push", "--json", "--insecure", "r.example/edge:1"}).out)["sent_bytes"], 1000000);
  EXPECT_EQ(json::parse(fake.requests().back().body)["insecure"], true);
}

TEST_F(Commands, push_ends_as_the_daemon_says_or_says_that_it_went) {
  push_answer = {"{\"text\":\"a\"}\n", R"({"error":{"kind":"denied","message":"no login"}})"
                                       "\n"};
  auto refused = run({"push", "r.example/edge:1"});
  EXPECT_EQ(refused.out, "a\n");
  EXPECT_EQ(refused.err, "no login");
  push_answer = {"{\"text\":\"a\"}\n"};
  EXPECT_EQ(run({"push", "r.example/edge:1"}).err, "the daemon ended before the push did");
}

TEST_F(Commands, show_tells_all_of_a_job) {
  EXPECT_EQ(run({"show", "b2"}).out,
            "job          b2\n"
            "state        failed   \n"
            "target       +iso\n"
            "labels       k=v\n"
            "context      sha256:" +
                std::string(64, 'a') +
                "\n"
                "submitter    eve (uid 7)\n"
                "priority     0\n"
                "created      2009-02-13 23:31:30\n"
                "started      2009-02-13 23:31:31\n"
                "finished     2009-02-13 23:32:36\n"
                "time         1m05s\n"
                "artifact 1   " +
                artifacts.front().digest + "  7 B  out/a.iso  \n\nERROR exit code 3\n");
  const auto body = json::parse(run({"show", "--json", "b2"}).out);
  EXPECT_EQ(body["artifacts"][0]["name"], "out/a.iso");
  EXPECT_EQ(run({"show"}).err, "ingot show needs one job\nhint: usage: ingot show JOB");
}

TEST_F(Commands, wait_ends_as_the_first_job_that_failed) {
  auto waited = run({"wait", "a1"});
  EXPECT_EQ(waited.code, 0);
  EXPECT_EQ(waited.out, "a1 succeeded\n");
  waited = run({"wait", "a1", "c3", "b2"});
  EXPECT_EQ(waited.code, 130);
  EXPECT_EQ(waited.out, "a1 succeeded\nc3 canceled\nb2 failed\n");
  EXPECT_EQ(waited.err, "ingot: canceled\ningot: exit code 3\n");
  EXPECT_EQ(run({"wait", "b2", "c3"}).code, 1);
  EXPECT_EQ(json::parse(run({"wait", "--json", "b2", "c3"}).out)["jobs"].size(), 2U);
}

TEST_F(Commands, logs_follow_ends_as_the_job_did) {
  EXPECT_EQ(run({"logs", "b2"}).code, 0);
  EXPECT_EQ(run({"logs", "-f", "b2"}).code, 1);
}

TEST_F(Commands, get_writes_into_a_directory_or_to_a_name) {
  auto got = run({"get", "a1", "-o", directory / "new/"});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, artifacts.front().digest + "  7 B  " + (directory / "new/a.iso").string() + "\n");
  EXPECT_EQ(test::slurp(directory / "new/a.iso"), "content");
  got = run({"get", "a1", "1", "--json", "-o", directory / "b"});
  EXPECT_EQ(json::parse(got.out)["artifacts"][0]["path"], (directory / "b").string());
  EXPECT_EQ(test::slurp(directory / "b"), "content");
  EXPECT_EQ(run({"get", "a1", "-o", "-"}).out, "content");
}

TEST_F(Commands, get_says_what_there_is) {
  EXPECT_EQ(run({"get", "a1", "out/b.iso"}).err,
            "job a1 has no artifact \"out/b.iso\"\nhint: did you mean \"out/a.iso\"?");
  EXPECT_EQ(run({"get", "a1", "zzzz"}).err, "job a1 has no artifact \"zzzz\"\nhint: it has: out/a.iso");
  artifacts.clear();
  EXPECT_EQ(run({"get", "a1"}).err, "job a1 has no artifacts\nhint: its target has no SAVE ARTIFACT, or it failed");
  EXPECT_EQ(run({"get", "d4"}).err, "job d4 has no artifacts\nhint: it has not ended yet");
}

TEST_F(Commands, get_never_writes_one_artifact_over_another) {
  artifacts.push_back(artifacts.front());
  artifacts.back().id = "2";
  artifacts.back().name = "other/a.iso";
  EXPECT_EQ(run({"get", "a1", "-o", directory / "new"}).err,
            "artifacts 1 and 2 would both be written to a.iso\nhint: fetch them one by one, each with its own -o");
  EXPECT_FALSE(std::filesystem::exists(directory / "new"));
  EXPECT_EQ(run({"get", "a1", "-o", "-"}).err, "standard output takes one artifact\nhint: name the one you want");
}

TEST_F(Commands, get_makes_a_file_name_of_any_name) {
  artifacts.front().name = "..";
  EXPECT_EQ(run({"get", "a1", "-q", "-o", directory / "new/"}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(directory / "new/artifact-1"));
}

TEST_F(Commands, doctor_fails_for_what_is_required) {
  auto asked = run({"doctor"});
  EXPECT_EQ(asked.code, 8);
  EXPECT_EQ(asked.out, "ok   socket         " + fake.socket() + "\n" + "ok   daemon         ingotd " + proto::kVersion +
                           " answers\n" +
                           "ok   version        client and daemon are the same\n"
                           "FAIL runtime        none\n"
                           "                    -> install runc\n");
  const auto body = json::parse(run({"doctor", "--json"}).out);
  EXPECT_EQ(body["able"], false);
  EXPECT_EQ(body["checks"].size(), 4U);
}

TEST_F(Commands, doctor_without_a_daemon_says_what_it_can) {
  auto asked = run({"doctor"}, "/nowhere/s");
  EXPECT_EQ(asked.code, 69);
  EXPECT_EQ(asked.out,
            "FAIL socket         /nowhere/s: No such file or directory\n"
            "                    -> start it with `systemctl start ingotd`, or a private one with `ingotd --state-dir "
            "DIR --socket PATH` and point INGOT_SOCKET to it\n"
            "FAIL daemon         no daemon answers at /nowhere/s: No such file or directory\n"
            "The host itself is examined by the daemon; nothing more can be told without it.\n");
  asked = run({"doctor"}, directory.file("plain", ""));
  EXPECT_NE(asked.out.find("plain is no socket"), std::string::npos);
}

TEST_F(Commands, version_tells_both) {
  EXPECT_EQ(run({"version"}).out, std::string("ingot   ") + proto::kVersion + " (API 1)\ningotd  " + proto::kVersion +
                                      " (API 1), features: jobs\n");
  const auto body = json::parse(run({"version", "--json"}, "/nowhere/s").out);
  EXPECT_EQ(body["client"]["version"], proto::kVersion);
  EXPECT_EQ(body["error"]["kind"], "unavailable");
}

TEST_F(Commands, help_of_a_command_that_is_not_there_names_one_that_is) {
  EXPECT_EQ(run({"help", "biuld"}).err, "there is no command \"biuld\"\nhint: did you mean \"build\"?");
  EXPECT_EQ(run({"help", "ps"}).out.substr(0, 8), "ingot ps");
}

TEST_F(Commands, completion_candidates_are_one_a_line_and_silence_on_trouble) {
  directory.file("Earthfile", "VERSION 0.8\na:\n    FROM x\nb-c:\n    FROM y\n");
  auto complete = [&](std::vector<std::string> arguments) {
    auto invocation = parse_arguments(arguments);
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_complete(*invocation), 0);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(complete({"-C", directory.path(), "__complete", "targets"}), "+a\n+b-c\n");
  EXPECT_EQ(complete({"-C", "/nowhere", "__complete", "targets"}), "");
  EXPECT_EQ(complete({"--socket", fake.socket(), "__complete", "jobs"}), "a1\nb2\nc3\nd4\n");
  EXPECT_EQ(complete({"--socket", "/nowhere/s", "__complete", "jobs"}), "");
}

}  // namespace
}  // namespace ingot::client
