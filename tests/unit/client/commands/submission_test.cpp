#include "client/commands/submission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/cli/parse.h"
#include "proto/codec.h"
#include "tests/unit/client/fake_daemon.h"

namespace ingot::client {
namespace {

using nlohmann::json;

class Submission : public testing::Test {
 protected:
  test::TempDirectory directory;
  // A daemon that has every file already.
  FakeDaemon fake{[](const FakeRequest& request) {
    if (request.target == "/v1/contexts") {
      return FakeAnswer{200, R"({"digest":"sha256:)" + std::string(64, 'a') + R"(","missing":[]})"};
    }
    auto body = json::parse(request.body);
    body["id"] = "j1";
    body["state"] = "queued";
    return FakeAnswer{201, body.dump()};
  }};

  void SetUp() override {
    setenv("XDG_CACHE_HOME", (directory / "cache").c_str(), 1);
    directory.file("p/Earthfile", "VERSION 0.8\n");
  }
  Result<proto::Job> submit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"submit", "-C", directory / "p"});
    auto invocation = parse_arguments(arguments);
    if (!invocation) return base::fail(invocation.error());
    Daemon daemon(fake.socket());
    return submit_project(*invocation, daemon, [](const UploadProgress&) {});
  }
  json sent(const std::vector<std::string>& arguments) {
    auto job = submit(arguments);
    EXPECT_TRUE(job) << proto::render(job.error());
    return fake.requests().empty() ? json() : json::parse(fake.requests().back().body);
  }
  std::string error(const std::vector<std::string>& arguments) {
    auto job = submit(arguments);
    EXPECT_TRUE(fake.requests().empty()) << "nothing is sent before the command line is right";
    return job ? "no error" : proto::render(job.error());
  }
};

TEST_F(Submission, a_job_has_what_the_command_line_says) {
  const auto body = sent({"--label", "a=b", "-l", "c=d=e", "--priority", "-3", "--timeout", "1h30m", "+iso", "--V=1"});
  EXPECT_EQ(body["target"], "+iso");
  EXPECT_EQ(body["labels"], json({{"a", "b"}, {"c", "d=e"}}));
  EXPECT_EQ(body["priority"], -3);
  EXPECT_EQ(body["timeout_seconds"], 5400);
  EXPECT_EQ(body["args"], json({{"V", "1"}}));
  EXPECT_EQ(body["project"], std::filesystem::canonical(directory / "p").string());
  EXPECT_EQ(body["context"], "sha256:" + std::string(64, 'a'));
}

TEST_F(Submission, no_cache_is_for_the_job_or_for_targets) {
  EXPECT_EQ(sent({"+t"})["no_cache_targets"], json::array());
  const auto job = sent({"--no-cache", "+t"});
  EXPECT_EQ(job["no_cache"], true);
  EXPECT_EQ(job["no_cache_targets"], json::array());
  const auto targets = sent({"--no-cache=+a", "--no-cache=+b", "+t"});
  EXPECT_EQ(targets["no_cache"], false);
  EXPECT_EQ(targets["no_cache_targets"], json({"+a", "+b"}));
}

TEST_F(Submission, warnings_are_told_of_what_is_built_and_strict_lets_none_pass) {
  directory.file("p/Earthfile",
                 "VERSION 0.8\nt:\n    FROM a\n    ARG A\n    FROM ./lib+x\nother:\n    FROM a\n    ARG B\ngood:\n"
                 "    FROM a\n");
  directory.file("p/lib/Earthfile", "VERSION 0.8\nx:\n    FROM a\n    ARG C\n");
  const auto told = [&](const std::vector<std::string>& arguments) {
    testing::internal::CaptureStderr();
    const auto job = submit(arguments);
    const std::string text = testing::internal::GetCapturedStderr();
    return std::pair(text, job ? "" : proto::render(job.error()));
  };
  const std::string path = directory / "p";
  const std::string both = "ingot: warning: " + path + "/Earthfile:4:9: nothing in t uses ARG A [unused-arg]\n" +
                           "ingot: warning: " + path + "/lib/Earthfile:4:9: nothing in x uses ARG C [unused-arg]\n";
  EXPECT_EQ(told({"+t"}), std::pair(both, std::string()));
  EXPECT_EQ(told({"-q", "+t"}).first, "");
  EXPECT_EQ(told({"--strict", "+good"}), std::pair(std::string(), std::string()));
  EXPECT_EQ(json::parse(fake.requests().back().body)["strict"], true);
  EXPECT_EQ(json::parse(fake.requests().back().body)["repeatable"], true);
  const std::size_t requests = fake.requests().size();
  const auto refused = told({"--strict", "-q", "+t"});
  EXPECT_EQ(refused.first, both);
  EXPECT_EQ(refused.second,
            "there are warnings in what +t is built from, and --strict lets none pass\n"
            "hint: correct what they name; `ingot lint` says how");
  EXPECT_EQ(fake.requests().size(), requests) << "nothing is sent";
}

TEST_F(Submission, of_many_warnings_the_first_are_told) {
  std::string text = "VERSION 0.8\nt:\n    FROM a\n";
  for (int i = 0; i < 15; ++i) text += "    ARG A" + std::to_string(i) + "\n";
  directory.file("p/Earthfile", text);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(submit({"+t"}));
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 11);
  EXPECT_NE(told.find("and 5 more warnings: `ingot lint` tells them all"), std::string::npos) << told;
}

TEST_F(Submission, every_submission_has_a_key_of_its_own) {
  const std::string first = sent({"+t"})["idempotency_key"];
  const std::string second = sent({"+t"})["idempotency_key"];
  EXPECT_GE(first.size(), 20U);
  EXPECT_NE(first, second);
  EXPECT_EQ(sent({"--idempotency-key", "nightly", "+t"})["idempotency_key"], "nightly");
}

TEST_F(Submission, of_an_arg_given_several_times_the_nearest_wins) {
  directory.file("p/.arg", "A=file\nB=file\nC=file\n");
  EXPECT_EQ(sent({"--build-arg", "B=flag", "--build-arg", "C=flag", "+t", "--C=word", "--D=x=y", "--E="})["args"],
            json({{"A", "file"}, {"B", "flag"}, {"C", "word"}, {"D", "x=y"}, {"E", ""}}));
}

TEST_F(Submission, an_arg_without_value_is_the_environments) {
  setenv("INGOT_TEST_ARG", "from outside", 1);
  EXPECT_EQ(sent({"--build-arg", "INGOT_TEST_ARG", "+t"})["args"], json({{"INGOT_TEST_ARG", "from outside"}}));
  unsetenv("INGOT_TEST_ARG");
}

TEST_F(Submission, an_arg_of_the_environment_that_is_not_there_is_an_error) {
  EXPECT_EQ(error({"--build-arg", "INGOT_TEST_NONE", "+t"}),
            "--build-arg INGOT_TEST_NONE: the environment has no INGOT_TEST_NONE\nhint: write NAME=VALUE");
}

TEST_F(Submission, a_value_may_stand_apart_from_its_name) {
  EXPECT_EQ(sent({"+t", "--K", "v w", "--L=x", "--M", "-y"})["args"], json({{"K", "v w"}, {"L", "x"}, {"M", "-y"}}));
}

TEST_F(Submission, a_named_arg_file_must_be_there) {
  const auto file = directory.file("other", "A=other\n");
  EXPECT_EQ(sent({"--arg-file-path", file, "+t"})["args"], json({{"A", "other"}}));
  auto job = submit({"--arg-file-path", "/nowhere/x", "+t"});
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().message, "cannot open /nowhere/x: No such file or directory");
}

TEST_F(Submission, a_directory_without_earthfile_sends_nothing) {
  std::filesystem::remove(directory / "p/Earthfile");
  EXPECT_EQ(error({"+t"}), "there is no Earthfile in " + std::filesystem::canonical(directory / "p").string() +
                               "\nhint: run ingot in the directory of your Earthfile, or name it with -C");
}

TEST_F(Submission, what_is_no_target_is_told) {
  EXPECT_EQ(error({}), "ingot submit needs a target\nhint: usage: ingot submit [flags] +target [--NAME=value ...]");
  EXPECT_EQ(error({"iso"}), "\"iso\" is no target\nhint: did you mean \"+iso\"?");
  EXPECT_EQ(error({"./sub+iso"}),
            "\"./sub+iso\" is no target\nhint: targets of other directories: use -C DIR and +target");
  EXPECT_EQ(error({"--no-cache=iso", "+t"}), "\"iso\" is no target\n  in --no-cache\nhint: did you mean \"+iso\"?");
  EXPECT_EQ(error({"+t", "--K", "--L=v"}),
            "behind the target stand only --NAME=value arguments, not \"--K\"\n"
            "hint: write the value behind an equals sign; flags of ingot itself stand before the target");
}

TEST_F(Submission, a_secret_behind_the_target_is_refused_unless_an_arg_has_its_name) {
  const std::string refused =
      "--secret stands behind the target, where the Earthfile's arguments do: it would be no secret\n"
      "hint: write it before the target; an ARG secret is given by --build-arg secret=...";
  for (const std::string target : {"+t", "github.com/org/repo+t"}) {
    EXPECT_EQ(error({target, "--secret", "token=s3cr3t"}), refused);
    EXPECT_EQ(error({target, "--secret=token=s3cr3t"}), refused);
  }
  directory.file("p/Earthfile", "VERSION 0.8\nt:\n    ARG secret\n    FROM scratch\n");
  EXPECT_EQ(sent({"+t", "--secret=x"})["args"], json({{"secret", "x"}}));
  EXPECT_EQ(sent({"+t", "--label=x"})["args"], json({{"label", "x"}})) << "the daemon warns of what no ARG takes";
}

TEST_F(Submission, values_of_flags_are_checked) {
  EXPECT_EQ(error({"--label", "x", "+t"}), "--label takes KEY=VALUE, not \"x\"");
  EXPECT_EQ(error({"--priority", "high", "+t"}), "--priority takes a whole number, not \"high\"");
  EXPECT_NE(error({"--timeout", "soon", "+t"}).find("soon"), std::string::npos);
}

}  // namespace
}  // namespace ingot::client
