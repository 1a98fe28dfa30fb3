#include "daemon/db/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp.h"

namespace ingot::db {
namespace {

using testing::HasSubstr;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() : database(std::move(*Database::open(directory / "x.db"))) {}

  Status run(const std::string& sql) {
    return database->transaction([&]() -> Status {
      INGOT_TRY(auto statement, database->prepare(sql));
      return statement.run();
    });
  }
  Status job(const std::string& columns, const std::string& values) {
    return run("INSERT INTO jobs (id, priority, spec, submitter_uid, submitter_gid, submitter_user, created_ms, " +
               columns + ") VALUES ('abcdefgh' || random(), 0, '{}', 0, 0, 'root', 100, " + values + ")");
  }
  test::TempDirectory directory;
  std::unique_ptr<Database> database;
};

TEST_F(DatabaseTest, the_schema_refuses_states_that_must_not_be) {
  EXPECT_TRUE(job("state", "'queued'"));
  EXPECT_FALSE(job("state", "'sleeping'"));
  EXPECT_FALSE(job("state", "'running'")) << "running, never started";
  EXPECT_FALSE(job("state, started_ms, attempts", "'succeeded', 100, 1")) << "succeeded, never finished";
  EXPECT_FALSE(job("state, started_ms, attempts", "'queued', 100, 1")) << "queued, but started";
  EXPECT_FALSE(job("state, started_ms, attempts, finished_ms", "'failed', 100, 1, 100")) << "failed without a reason";
  EXPECT_FALSE(job("state, started_ms, attempts, finished_ms, error", "'succeeded', 100, 1, 100, '{}'"));
  EXPECT_FALSE(job("state, finished_ms, error", "'canceled', 100, '{}'")) << "canceled, though nobody asked";
  EXPECT_FALSE(job("state, started_ms, attempts, finished_ms", "'succeeded', 100, 1, 99"))
      << "finished before it started";
  EXPECT_TRUE(job("state, started_ms, attempts, finished_ms", "'succeeded', 100, 1, 100"));
}

TEST_F(DatabaseTest, a_failed_transaction_leaves_nothing) {
  auto rolled_back = database->transaction([&]() -> Status {
    INGOT_TRY(auto insertion, database->prepare("INSERT INTO snapshots (created_ms) VALUES (1)"));
    INGOT_CHECK(insertion.run());
    return base::fail(ErrorKind::internal, "no");
  });
  EXPECT_FALSE(rolled_back);
  auto count = database->prepare("SELECT count(*) FROM snapshots");
  ASSERT_TRUE(count && count->step());
  EXPECT_EQ(count->number(0), 0);
}

TEST_F(DatabaseTest, opens_again_what_it_wrote) {
  ASSERT_TRUE(job("state", "'queued'"));
  database.reset();
  database = std::move(*Database::open(directory / "x.db"));
  auto count = database->prepare("SELECT count(*) FROM jobs");
  ASSERT_TRUE(count && count->step());
  EXPECT_EQ(count->number(0), 1);
}

TEST_F(DatabaseTest, refuses_what_a_newer_daemon_wrote_and_what_is_no_database) {
  ASSERT_TRUE(run("PRAGMA user_version = 99"));
  database.reset();
  auto newer = Database::open(directory / "x.db");
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(newer.error().message, HasSubstr("its schema is version 99, this ingotd knows up to 1"));
  auto damaged = Database::open(directory.file("y.db", std::string(8192, 'x')));
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().hint, HasSubstr(".recover"));
}

}  // namespace
}  // namespace ingot::db
