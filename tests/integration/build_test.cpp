#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "client/transport/daemon.h"
#include "daemon/base/digest.h"
#include "tests/support/test_daemon.h"

namespace ingot::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Build : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "containers need root";
    daemon.emplace();
  }
  void TearDown() override {
    if (!daemon) return;
    EXPECT_EQ(daemon->leftovers(), "");
    daemon->stop();
    EXPECT_EQ(daemon->leftovers(), "");
  }
  std::optional<TestDaemon> daemon;
};

TEST_F(Build, hands_out_an_artifact_with_its_digest) {
  daemon->project_file("Earthfile", R"E(VERSION 0.8
hello:
    FROM tiny
    ARG NAME=nobody
    WORKDIR /work
    COPY name.txt .
    RUN echo "hello $(cat name.txt) and $NAME" > out.txt
    SAVE ARTIFACT out.txt AS LOCAL build/out.txt
)E");
  daemon->project_file("name.txt", "edge");
  auto built = daemon->ingot({"build", "+hello", "--NAME=you"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  const std::string text = slurp(daemon->project() / "build/out.txt");
  EXPECT_EQ(text, "hello edge and you\n");
  EXPECT_THAT(built.out, HasSubstr(base::Digest::of(text).str()));
  EXPECT_THAT(built.out, HasSubstr("              +hello | --> RUN echo"));
}

TEST_F(Build, names_modes_links_and_empty_directories_survive_the_way_into_a_step) {
  daemon->project_file("Earthfile", R"E(VERSION 0.8
check:
    FROM tiny
    COPY . /ctx
    RUN cat "/ctx/with space.txt" /ctx/ünï.txt && test -x /ctx/tool && test -d /ctx/empty && \
        test "$(cat /ctx/link)" = content && test ! -e /ctx/dropped && stat -c %Y:%u:%g /ctx/tool
)E");
  daemon->project_file("with space.txt", "content");
  daemon->project_file("ünï.txt", "utf8");
  daemon->project_file("tool", "#!/bin/sh\n");
  daemon->project_file("dropped", "x");
  daemon->project_file(".earthlyignore", "dropped\n");
  fs::permissions(daemon->project() / "tool", static_cast<fs::perms>(0755));
  fs::create_directory(daemon->project() / "empty");
  fs::create_symlink("with space.txt", daemon->project() / "link");
  auto built = daemon->ingot({"build", "+check"});
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  EXPECT_THAT(built.out, HasSubstr("1587038400:0:0"));
}

TEST_F(Build, sends_only_what_the_daemon_does_not_have) {
  daemon->project_file("Earthfile", "VERSION 0.8\na:\n    FROM tiny\n");
  daemon->project_file("bundle", std::string(1 << 20, 'b'));
  EXPECT_THAT(daemon->ingot({"build", "+a"}).out, HasSubstr("sent 2 of 2 files"));
  EXPECT_THAT(daemon->ingot({"build", "+a"}).out, Not(HasSubstr("sent")));
  daemon->project_file("bundle2", std::string(1 << 20, 'b'));
  EXPECT_THAT(daemon->ingot({"build", "+a"}).out, Not(HasSubstr("sent")))
      << "equal content under another name was sent";
}

TEST_F(Build, a_directory_artifact_replaces_what_stands_there) {
  daemon->project_file("Earthfile", R"E(VERSION 0.8
d:
    FROM tiny
    RUN mkdir -p /o/sub && echo new > /o/sub/x && ln -s x /o/sub/l
    SAVE ARTIFACT /o AS LOCAL out
)E");
  daemon->project_file("out/old", "old");
  ASSERT_EQ(daemon->ingot({"build", "+d"}).code, 0);
  EXPECT_EQ(slurp(daemon->project() / "out/sub/x"), "new\n");
  EXPECT_EQ(fs::read_symlink(daemon->project() / "out/sub/l"), "x");
  EXPECT_FALSE(fs::exists(daemon->project() / "out/old"));
}

TEST_F(Build, local_artifacts_never_leave_the_project) {
  TempDirectory elsewhere;
  daemon->project_file("Earthfile",
                       "VERSION 0.8\na:\n    FROM tiny\n    RUN echo x > /x\n    SAVE ARTIFACT /x AS LOCAL l/x\n");
  daemon->project_file(".earthlyignore", "l\n");
  fs::create_symlink(elsewhere.path(), daemon->project() / "l");
  auto built = daemon->ingot({"build", "+a"});
  EXPECT_EQ(built.code, proto::info(ErrorKind::denied).exit_code) << built.out << built.err;
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
  daemon->project_file("Earthfile", "VERSION 0.8\na:\n    FROM tiny\n    SAVE ARTIFACT /etc/passwd AS LOCAL ../x\n");
  built = daemon->ingot({"build", "+a"});
  EXPECT_EQ(built.code, proto::info(ErrorKind::denied).exit_code) << built.out;
  EXPECT_THAT(built.out, HasSubstr("Earthfile:4:"));
}

TEST_F(Build, get_resumes_a_broken_transfer_and_checks_the_digest) {
  daemon->project_file("Earthfile", R"E(VERSION 0.8
a:
    FROM tiny
    RUN seq 1 200000 > /big
    SAVE ARTIFACT /big
)E");
  ASSERT_EQ(daemon->ingot({"build", "+a"}).code, 0);
  const std::string id = json::parse(daemon->ingot({"ps", "--all", "--json"}).out)["jobs"][0]["id"];
  TempDirectory out;
  ASSERT_EQ(daemon->ingot({"get", id, "big", "-o", out / "big"}).code, 0);
  const std::string whole = slurp(out / "big");
  ASSERT_GT(whole.size(), 1'000'000U);
  fs::remove(out / "big");
  out.file(".big.ingot-part", whole.substr(0, 500'000));
  ASSERT_EQ(daemon->ingot({"get", id, "1", "-o", out / "big"}).code, 0);
  EXPECT_EQ(slurp(out / "big"), whole);
  fs::remove(out / "big");
  out.file(".big.ingot-part", std::string(500'000, 'x'));
  ASSERT_EQ(daemon->ingot({"get", id, "-o", out / "big"}).code, 0) << "a part of other bytes is fetched anew";
  EXPECT_EQ(slurp(out / "big"), whole);
  EXPECT_EQ(daemon->ingot({"get", id, "-o", "-"}).out, whole.substr(0, 1 << 20)) << "captured output is cut at 1 MiB";
  auto missing = daemon->ingot({"get", id, "bgi"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("did you mean \"big\"?"));
}

TEST_F(Build, a_file_that_the_daemons_disk_has_damaged_is_not_handed_out_as_good) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\na:\n    FROM tiny\n    RUN printf 0123456789 > /f\n    SAVE ARTIFACT /f\n");
  const auto job = json::parse(daemon->ingot({"build", "--json", "+a"}).out);
  const std::string id = job["id"];
  const std::string hex = job["artifacts"][0]["digest"].get<std::string>().substr(7);
  std::ofstream(daemon->state() / "blobs" / hex.substr(0, 2) / hex) << "0123X56789";
  TempDirectory out;
  for (const auto& place : {(out / "f").string(), std::string("-")}) {
    auto got = daemon->ingot({"get", id, "-o", place});
    EXPECT_NE(got.code, 0);
    EXPECT_THAT(got.err, HasSubstr("artifact f arrived with other bytes"));
  }
  EXPECT_FALSE(fs::exists(out / "f"));
}

TEST_F(Build, an_artifact_is_handed_over_as_a_descriptor) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\na:\n    FROM tiny\n    RUN printf 0123456789 > /f\n    SAVE ARTIFACT /f\n");
  const auto job = json::parse(daemon->ingot({"build", "--json", "+a"}).out);
  client::Daemon connection(daemon->socket());
  auto artifacts = connection.artifacts(job["id"]);
  ASSERT_TRUE(artifacts);
  auto download = connection.download(job["id"], artifacts->front(), 0, true);
  ASSERT_TRUE(download);
  ASSERT_TRUE(download->file);
  char bytes[16] = {};
  EXPECT_EQ(read(download->file.get(), bytes, sizeof bytes), 10);
  EXPECT_STREQ(bytes, "0123456789");
  EXPECT_EQ(write(download->file.get(), "x", 1), -1) << "it is for reading";
  // The connection goes on as any other.
  EXPECT_TRUE(connection.download(job["id"], artifacts->front(), 0, false));
}

TEST_F(Build, downloads_have_ranges_and_tags) {
  daemon->project_file("Earthfile",
                       "VERSION 0.8\na:\n    FROM tiny\n    RUN printf 0123456789 > /f\n    SAVE ARTIFACT /f\n");
  const auto job = json::parse(daemon->ingot({"build", "--json", "+a"}).out);
  const std::string url = "http://ingot/v1/jobs/" + job["id"].get<std::string>() + "/artifacts/1";
  EXPECT_EQ(daemon->curl({url}).out, "0123456789");
  EXPECT_EQ(daemon->curl({"-r", "2-4", url}).out, "234");
  EXPECT_EQ(daemon->curl({"-r", "-3", url}).out, "789");
  EXPECT_THAT(daemon->curl({"-i", "-r", "20-", url}).out, HasSubstr("416 "));
  const std::string tag = "\"" + job["artifacts"][0]["digest"].get<std::string>() + "\"";
  EXPECT_THAT(daemon->curl({"-i", "-H", "If-None-Match: " + tag, url}).out, HasSubstr("304 Not Modified"));
  EXPECT_EQ(daemon->curl({"-H", "If-Range: \"other\"", "-r", "2-4", url}).out, "0123456789");
  EXPECT_THAT(daemon->curl({"-I", url}).out, HasSubstr("Content-Length: 10"));
}

TEST_F(Build, eight_jobs_at_once_share_one_image) {
  daemon->project_file(
      "Earthfile", "VERSION 0.8\na:\n    FROM tiny\n    ARG N\n    RUN echo number $N > /n\n    SAVE ARTIFACT /n\n");
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    auto submitted = daemon->ingot({"submit", "+a", "--N=" + std::to_string(i)});
    ASSERT_EQ(submitted.code, 0) << submitted.err;
    ids.push_back(submitted.out.substr(0, submitted.out.size() - 1));
  }
  std::vector<std::string> wait = {"wait"};
  wait.insert(wait.end(), ids.begin(), ids.end());
  EXPECT_EQ(daemon->ingot(wait).code, 0);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(daemon->ingot({"get", ids[static_cast<std::size_t>(i)], "-o", "-"}).out,
              "number " + std::to_string(i) + "\n");
  }
}

}  // namespace
}  // namespace ingot::test
