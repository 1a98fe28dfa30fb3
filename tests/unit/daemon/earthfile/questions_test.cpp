#include "daemon/earthfile/questions.h"

#include <functional>

#include "tests/unit/daemon/earthfile/interpreting.h"

namespace ingot::earthfile {
namespace {

using testing::FakeHost;
using testing::in_target;
using testing::parsed;

// A world in which each kind of question is asked.
const std::string kText =
    "VERSION --wildcard-builds 0.8\n"
    "t:\n"
    "    FROM debian:bookworm\n"
    "    COPY script /\n"
    "    IF /script\n"
    "        RUN echo yes\n"
    "    END\n"
    "    ARG NAME=$(cat /name)\n"
    "    IF [ \"$NAME\" == name ]\n"
    "        RUN echo named\n"
    "    END\n"
    "    BUILD ./*+other\n"
    "docker:\n"
    "    FROM DOCKERFILE -f +made/Dockerfile .\n"
    "made:\n"
    "    FROM debian:bookworm\n"
    "    SAVE ARTIFACT Dockerfile\n";

void furnish(FakeHost& host) {
  host.files["sub/Earthfile"] = "VERSION 0.8\nother:\n    FROM debian:bookworm\n    COPY file /\n";
  host.answers["/script"] = graph::Answer{0, ""};
  host.answers["cat /name"] = graph::Answer{0, "name\n"};
  host.repositories["https://git.example/tools.git"] = {
      "git.example/tools", "", "https://git.example/tools.git", "", std::string(40, 'a'), "main", "",
      "refs/heads/main",   ""};
  host.step_files["/Dockerfile"] = "FROM debian:bookworm\nRUN true\n";
}

std::optional<std::vector<Question>> asked_for(const std::string& text, FakeHost& host,
                                               const std::string& target = "+t") {
  NotingHost noting(host);
  Request request{target, {}};
  request.locally = Request::Locally::allowed;
  const auto plan = interpret(parsed(text), request, noting);
  EXPECT_TRUE(plan) << proto::render(plan.error());
  return noting.take();
}

TEST(Questions, are_told_again_where_the_world_is_as_it_was) {
  FakeHost host;
  furnish(host);
  const auto asked = asked_for(kText, host);
  ASSERT_TRUE(asked);
  EXPECT_TRUE(is_told_again(*asked, host));
  FakeHost equal;
  furnish(equal);
  EXPECT_TRUE(is_told_again(*asked, equal));
}

TEST(Questions, each_of_them_is_asked_again) {
  const std::map<std::string, std::function<void(FakeHost&)>> changes = {
      {"a file", [](FakeHost& host) { host.files["sub/Earthfile"] += "    RUN false\n"; }},
      {"a file that is gone", [](FakeHost& host) { host.files.erase("sub/Earthfile"); }},
      {"one Earthfile more", [](FakeHost& host) { host.files["sub2/Earthfile"] = host.files["sub/Earthfile"]; }},
      {"a file that there was none of", [](FakeHost& host) { host.files["sub/.earthlyignore"] = "*.o\n"; }},
      {"an image", [](FakeHost& host) { host.images["debian:bookworm"].user = "nobody"; }},
      {"an image that is gone", [](FakeHost& host) { host.images.erase("debian:bookworm"); }},
      {"an exit code",
       [](FakeHost& host) {
         host.answers["/script"] = graph::Answer{1, ""};
       }},
      {"a text",
       [](FakeHost& host) {
         host.answers["cat /name"] = graph::Answer{0, "other\n"};
       }},
      {"an answer that is not known", [](FakeHost& host) { host.answers["/script"] = std::nullopt; }},
      {"the shell", [](FakeHost& host) { host.shell = "/usr/bin/bash"; }},
      {"a shell that is not known", [](FakeHost& host) { host.shell = std::nullopt; }},
  };
  FakeHost host;
  furnish(host);
  const auto asked = asked_for(kText, host);
  ASSERT_TRUE(asked);
  for (const auto& [name, change] : changes) {
    FakeHost other;
    furnish(other);
    change(other);
    EXPECT_FALSE(is_told_again(*asked, other)) << name;
  }
}

TEST(Questions, the_files_of_steps_are_asked_again) {
  FakeHost host;
  furnish(host);
  const auto asked = asked_for(kText, host, "+docker");
  ASSERT_TRUE(asked);
  EXPECT_TRUE(is_told_again(*asked, host));
  host.step_files["/Dockerfile"] = "FROM debian:bookworm\nRUN false\n";
  EXPECT_FALSE(is_told_again(*asked, host));
  host.step_files["/Dockerfile"] = std::nullopt;
  EXPECT_FALSE(is_told_again(*asked, host));
}

TEST(Questions, without_an_answer_are_nothing_to_go_by) {
  FakeHost host;
  furnish(host);
  host.answers["/script"] = std::nullopt;
  EXPECT_FALSE(asked_for(kText, host));
}

TEST(Questions, what_a_branch_is_must_be_asked_by_each_for_himself) {
  FakeHost host;
  furnish(host);
  EXPECT_FALSE(asked_for(in_target("GIT CLONE https://git.example/tools.git /tools"), host));
}

TEST(Questions, too_much_to_keep_is_not_kept) {
  FakeHost host;
  host.answers["/script"] = graph::Answer{0, std::string(100U << 10U, 'x')};
  std::string lines;
  for (int i = 0; i < 3; ++i) lines += "ARG A" + std::to_string(i) + "=$(/script)\n";
  EXPECT_TRUE(asked_for(in_target(lines + "RUN true"), host));
  for (int i = 3; i < 20; ++i) lines += "ARG A" + std::to_string(i) + "=$(/script " + std::to_string(i) + ")\n";
  for (int i = 3; i < 20; ++i) host.answers["/script " + std::to_string(i)] = host.answers["/script"];
  EXPECT_FALSE(asked_for(in_target(lines + "RUN true"), host));
}

TEST(Questions, with_secrets_are_not_kept) {
  FakeHost host;
  furnish(host);
  EXPECT_TRUE(asked_for(in_target("IF /script\n    RUN true\nEND"), host));
  EXPECT_FALSE(asked_for(in_target("IF --secret TOKEN /script\n    RUN true\nEND"), host));
  EXPECT_FALSE(
      asked_for(in_target("IF --mount=type=secret,id=TOKEN,target=/run/token /script\n    RUN true\nEND"), host));
}

TEST(Questions, of_what_is_done_on_the_other_side_are_each_build_s_own) {
  FakeHost host;
  furnish(host);
  const std::string text = "VERSION 0.8\nt:\n    LOCALLY\n    IF /script\n        RUN true\n    END\n";
  EXPECT_FALSE(asked_for(text, host));
}

TEST(Questions, a_recipe_that_waits_for_what_it_builds_does_so_each_time) {
  FakeHost host;
  const std::string text = "VERSION 0.8\nt:\n    FROM debian:bookworm\n    WAIT\n        RUN true\n    END\n";
  EXPECT_FALSE(asked_for(text, host));
}

}  // namespace
}  // namespace ingot::earthfile
