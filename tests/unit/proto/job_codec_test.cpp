#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "proto/codec.h"

namespace ingot::proto {
namespace {

using nlohmann::json;

// Through text, as it travels.
json sent(const json& body) {
  auto parsed = parse_json(dump(body));
  EXPECT_TRUE(parsed);
  return *parsed;
}

Artifact some_artifact() {
  Artifact artifact;
  artifact.id = "2";
  artifact.name = "/out/a b.iso";
  artifact.local_path = "out/ä.iso";
  artifact.digest = "sha256:" + std::string(64, 'a');
  artifact.checksum = "xxh128:" + std::string(32, 'b');
  artifact.size = 1ULL << 40;
  artifact.media_type = "application/octet-stream";
  artifact.mode = 04755;
  return artifact;
}

Job some_job() {
  Job job;
  job.id = "abcdefghij";
  job.spec.context = "sha256:" + std::string(64, 'a');
  job.spec.target = "+t";
  job.spec.args = {{"A", "1"}, {"B", ""}};
  job.spec.labels = {{"team", "edge"}};
  job.spec.priority = -3;
  job.spec.timeout_seconds = std::numeric_limits<std::uint64_t>::max();
  job.spec.idempotency_key = "k";
  job.spec.pull = PullPolicy::always;
  job.spec.compression = Compression::zstd;
  job.spec.no_cache_targets = {"+a", "+b"};
  job.spec.strict = true;
  job.spec.repeatable = true;
  job.spec.project = "~/p";
  job.state = JobState::failed;
  job.submitter = {std::numeric_limits<std::uint32_t>::max(), 7, "me"};
  job.retry_of = "bcdefghijk";
  job.attempts = 3;
  job.created_ms = 1;
  job.started_ms = 2;
  job.finished_ms = std::numeric_limits<std::int64_t>::max();
  job.cancel_requested = true;
  job.error = Error{ErrorKind::step_failed, "exit code 3", "", Position{"Earthfile", 1, 2, "RUN"}, {}};
  job.queue_position = 4;
  job.from_images = {{"debian:12", "sha256:" + std::string(64, 'c'), "bootstrap bookworm"}, {"scratch", "", ""}};
  job.from_repositories = {{"github.com/org/repo", "v1", std::string(40, 'a'), "https://github.com/org/repo.git"}};
  job.spec.builtins = {{"EARTHLY_GIT_HASH", "abc"}};
  job.spec.locally = true;
  job.spec.ssh = true;
  return job;
}

TEST(JobCodec, a_job_comes_back_field_by_field) {
  const Job job = some_job();
  auto same = job_from_json(sent(to_json(job)));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->id, job.id);
  EXPECT_EQ(same->spec.context, job.spec.context);
  EXPECT_EQ(same->spec.target, job.spec.target);
  EXPECT_EQ(same->spec.args, job.spec.args);
  EXPECT_EQ(same->spec.labels, job.spec.labels);
  EXPECT_EQ(same->spec.priority, -3);
  EXPECT_EQ(same->spec.timeout_seconds, job.spec.timeout_seconds);
  EXPECT_EQ(same->spec.idempotency_key, "k");
  EXPECT_EQ(same->spec.project, "~/p");
  EXPECT_EQ(same->spec.pull, PullPolicy::always);
  EXPECT_EQ(same->spec.compression, Compression::zstd);
  EXPECT_EQ(same->spec.no_cache_targets, (std::vector<std::string>{"+a", "+b"}));
  EXPECT_TRUE(same->spec.strict);
  EXPECT_TRUE(same->spec.repeatable);
  ASSERT_EQ(same->from_images.size(), 2U);
  EXPECT_EQ(same->from_images[0].name, "debian:12");
  EXPECT_EQ(same->from_images[0].digest, job.from_images[0].digest);
  EXPECT_EQ(same->from_images[0].source, "bootstrap bookworm");
  ASSERT_EQ(same->from_repositories.size(), 1U);
  EXPECT_EQ(same->from_repositories[0].name, "github.com/org/repo");
  EXPECT_EQ(same->from_repositories[0].ref, "v1");
  EXPECT_EQ(same->from_repositories[0].commit, std::string(40, 'a'));
  EXPECT_EQ(same->from_repositories[0].url, "https://github.com/org/repo.git");
  EXPECT_EQ(same->spec.builtins, job.spec.builtins);
  EXPECT_TRUE(same->spec.locally);
  EXPECT_TRUE(same->spec.ssh);
  EXPECT_EQ(same->state, JobState::failed);
  EXPECT_EQ(same->submitter.uid, job.submitter.uid);
  EXPECT_EQ(same->submitter.gid, 7U);
  EXPECT_EQ(same->submitter.user, "me");
  EXPECT_EQ(same->retry_of, job.retry_of);
  EXPECT_EQ(same->attempts, 3);
  EXPECT_EQ(same->created_ms, 1);
  EXPECT_EQ(same->started_ms, 2);
  EXPECT_EQ(same->finished_ms, job.finished_ms);
  EXPECT_TRUE(same->cancel_requested);
  EXPECT_EQ(same->queue_position, 4);
  ASSERT_TRUE(same->error);
  EXPECT_EQ(render(*same->error), render(*job.error));
}

TEST(JobCodec, a_specification_of_an_older_client_pulls_what_is_missing_and_a_wrong_word_is_refused) {
  json body = to_json(some_job().spec);
  body.erase("pull");
  body.erase("compression");
  EXPECT_EQ(job_spec_from_json(body)->pull, PullPolicy::missing);
  EXPECT_EQ(job_spec_from_json(body)->compression, std::nullopt) << "as the daemon is configured";
  body["pull"] = "often";
  EXPECT_EQ(job_spec_from_json(body).error().message,
            "field \"pull\" of a job specification must be missing, always or never");
  body["pull"] = "never";
  body["compression"] = "lz4";
  EXPECT_EQ(job_spec_from_json(body).error().message,
            "field \"compression\" of a job specification must be gzip, zstd or none");
}

TEST(JobCodec, every_state_comes_back_and_an_unknown_one_is_named) {
  for (int i = 0; i <= static_cast<int>(JobState::canceled); ++i) {
    Job job = some_job();
    job.state = static_cast<JobState>(i);
    EXPECT_EQ(job_from_json(sent(to_json(job)))->state, job.state);
  }
  json odd = to_json(some_job());
  odd["state"] = "paused";
  EXPECT_EQ(job_from_json(odd).error().message, "\"paused\" is no state of a job");
  odd.erase("state");
  EXPECT_EQ(job_from_json(odd).error().message, "field \"state\" of a job is missing");
}

TEST(JobCodec, a_job_with_wrong_fields_is_named) {
  auto with = [](const char* key, json value) {
    json body = to_json(some_job());
    body[key] = std::move(value);
    auto decoded = job_from_json(body);
    return decoded ? "" : decoded.error().message;
  };
  EXPECT_EQ(with("id", 3), "field \"id\" of a job must be a string");
  EXPECT_EQ(with("submitter", "me"), "a submitter must be a JSON object");
  EXPECT_EQ(with("submitter", {{"uid", -1}}), "field \"uid\" of a submitter must be a whole number within its bounds");
  EXPECT_EQ(with("attempts", 1ULL << 32), "field \"attempts\" of a job must be a whole number within its bounds");
  EXPECT_EQ(with("cancel_requested", 1), "field \"cancel_requested\" of a job must be true or false");
  EXPECT_EQ(with("id", nullptr), "field \"id\" of a job is missing");
  EXPECT_EQ(with("error", "text"), "");  // an error in any shape is still one
}

TEST(JobCodec, a_specification_names_the_field_that_is_wrong_and_ignores_those_it_does_not_know) {
  auto decode = [](const char* text) { return job_spec_from_json(json::parse(text)); };
  EXPECT_EQ(decode(R"({"target":"+a"})").error().message, "field \"context\" of a job specification is missing");
  EXPECT_EQ(decode(R"({"context":"x"})").error().message, "field \"target\" of a job specification is missing");
  EXPECT_EQ(decode(R"({"context":"x","target":3})").error().message,
            "field \"target\" of a job specification must be a string");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","priority":1e99})").error().message,
            "field \"priority\" of a job specification must be a whole number within its bounds");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","priority":2147483648})").error().message,
            "field \"priority\" of a job specification must be a whole number within its bounds");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","timeout_seconds":-1})").error().message,
            "field \"timeout_seconds\" of a job specification must be a whole number within its bounds");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","args":{"A":1}})").error().message,
            "field \"args\" of a job specification must be an object of strings");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","args":["A"]})").error().message,
            "field \"args\" of a job specification must be an object of strings");
  EXPECT_EQ(decode(R"({"context":"x","target":"+a","priority":-2147483648})")->priority,
            std::numeric_limits<int>::min());
  EXPECT_TRUE(decode(R"({"context":"x","target":"+a","from_the_future":[1],"labels":null})"));
  EXPECT_EQ(decode("[]").error().message, "a job specification must be a JSON object");
  EXPECT_EQ(decode("[]").error().kind, ErrorKind::invalid);
}

TEST(JobCodec, an_artifact_comes_back) {
  const Artifact artifact = some_artifact();
  auto same = artifact_from_json(sent(to_json(artifact)));
  ASSERT_TRUE(same);
  EXPECT_EQ(to_json(*same), to_json(artifact));
  EXPECT_EQ(same->size, artifact.size);
  EXPECT_EQ(same->mode, 04755U);
  EXPECT_EQ(artifact_from_json(json::parse(R"({"id":"1"})")).error().message,
            "field \"digest\" of an artifact is missing");
}

TEST(JobCodec, an_event_of_every_type_comes_back) {
  for (int i = 0; i <= static_cast<int>(EventType::artifact); ++i) {
    Event event;
    event.seq = std::numeric_limits<std::uint64_t>::max();
    event.time_ms = 5;
    event.type = static_cast<EventType>(i);
    event.step = "3";
    event.target = "+t";
    event.stream = "stderr";
    event.text = "línea";
    event.partial = true;
    event.position = "Earthfile:12";
    event.cached = true;
    event.state = JobState::running;
    event.error = Error{ErrorKind::denied, "no", "", {}, {}};
    event.artifact = some_artifact();
    if (event.type == EventType::step_end) event.exit_code = -1;
    if (event.type == EventType::step_end) event.seconds = 1.5;
    auto same = event_from_json(sent(to_json(event)));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->type, event.type);
    EXPECT_EQ(same->seq, event.seq);
    EXPECT_EQ(same->exit_code, event.exit_code);
    EXPECT_EQ(same->seconds, event.seconds);
    EXPECT_EQ(same->state, event.state);
    EXPECT_EQ(to_json(*same), to_json(event));
  }
}

TEST(JobCodec, output_that_is_no_utf8_travels_as_base64) {
  Event event;
  event.type = EventType::output;
  event.bytes = std::string("\xff\x00\x01", 3);
  const json body = to_json(event);
  EXPECT_EQ(body["base64"], "/wAB");
  EXPECT_FALSE(body.contains("text"));
  EXPECT_EQ(event_from_json(sent(body))->bytes, event.bytes);
  // Text that should have been bytes must not throw either.
  event.bytes.clear();
  event.text = "a\xff";
  EXPECT_EQ(event_from_json(sent(to_json(event)))->text, "a\xEF\xBF\xBD");
}

TEST(JobCodec, events_of_a_newer_daemon_are_notes_and_wrong_ones_are_named) {
  auto decode = [](const char* text) { return event_from_json(json::parse(text)); };
  EXPECT_EQ(decode(R"({"seq":1,"type":"hologram","text":"x"})")->type, EventType::note);
  EXPECT_FALSE(decode(R"({"seq":1,"type":"state","state":"levitating"})")->state);
  EXPECT_EQ(decode(R"({"type":"note"})").error().message, "field \"seq\" of an event is missing");
  EXPECT_EQ(decode(R"({"seq":-1,"type":"note"})").error().message,
            "field \"seq\" of an event must be a whole number within its bounds");
  EXPECT_EQ(decode(R"({"seq":1,"type":"output","base64":"*"})").error().message,
            "field \"base64\" of an event: the text is not base64");
  EXPECT_EQ(decode(R"({"seq":1,"type":"artifact","artifact":3})").error().message, "an artifact must be a JSON object");
  EXPECT_EQ(decode(R"({"seq":1,"type":"step_end","seconds":"1"})").error().message,
            "field \"seconds\" of an event must be a number");
}

TEST(JobCodec, a_time_that_is_no_number_does_no_harm) {
  Event event;
  event.type = EventType::step_end;
  event.seconds = std::nan("");
  EXPECT_EQ(event_from_json(sent(to_json(event)))->seconds, 0);
}

}  // namespace
}  // namespace ingot::proto
