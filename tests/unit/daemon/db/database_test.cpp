#include "daemon/db/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "daemon/db/schema.h"
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

TEST_F(DatabaseTest, a_statement_that_is_prepared_again_has_nothing_of_before) {
  const auto first_row = [&](const std::function<void(Statement&)>& bind) -> std::string {
    auto query = database->prepare("SELECT ? UNION ALL SELECT 'second'");
    EXPECT_TRUE(query);
    bind(*query);
    EXPECT_TRUE(query->step().value_or(false));
    return query->is_null(0) ? "(null)" : query->text(0);
  };
  EXPECT_EQ(first_row([](Statement& query) { query.bind(1, "x"); }), "x");
  EXPECT_EQ(first_row([](Statement&) {}), "(null)") << "neither the value nor the place among the rows";
}

TEST_F(DatabaseTest, statements_of_one_text_may_be_in_use_at_once) {
  const std::string text = "SELECT ?";
  auto one = database->prepare(text);
  auto other = database->prepare(text);
  ASSERT_TRUE(one && other);
  one->bind(1, std::int64_t{1});
  other->bind(1, std::int64_t{2});
  ASSERT_TRUE(one->step().value_or(false));
  ASSERT_TRUE(other->step().value_or(false));
  EXPECT_EQ(one->number(0), 1);
  EXPECT_EQ(other->number(0), 2);
}

TEST_F(DatabaseTest, a_statement_that_was_not_read_to_its_end_is_in_nobodys_way) {
  ASSERT_TRUE(run("CREATE TABLE t (x)"));
  ASSERT_TRUE(run("INSERT INTO t VALUES (1), (2)"));
  ASSERT_TRUE(database->prepare("SELECT x FROM t")->step().value_or(false));
  EXPECT_TRUE(run("DROP TABLE t"));
  EXPECT_FALSE(database->prepare("SELECT x FROM t")->step()) << "it is not there any more";
}

TEST_F(DatabaseTest, a_failed_transaction_leaves_nothing) {
  auto rolled_back = database->transaction([&]() -> Status {
    INGOT_TRY(auto insertion,
              database->prepare("INSERT INTO snapshots (created_ms, used_ms, bytes, entries) VALUES (1, 1, 0, 0)"));
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

TEST_F(DatabaseTest, what_an_older_daemon_wrote_is_taken_over) {
  const auto file = (directory / "old.db").string();
  sqlite3* old = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &old), SQLITE_OK);
  const std::string first =
      std::string(migrations().front()) +
      "INSERT INTO jobs (id, state, priority, spec, submitter_uid, submitter_gid, submitter_user, "
      "created_ms) VALUES ('abcdefghij', 'queued', 0, '{}', 0, 0, 'root', 100);"
      "INSERT INTO artifacts VALUES (1, 1, 'x', '', 'sha256:' || printf('%064d', 0), 1, 't', 420);"
      "INSERT INTO snapshots VALUES (1, NULL, 1); INSERT INTO snapshots VALUES (2, 1, 1);"
      "INSERT INTO images VALUES ('k', 'r', 's', 2, '{}', 1); PRAGMA user_version = 1;";
  ASSERT_EQ(sqlite3_exec(old, first.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(old);
  sqlite3_close(old);
  auto opened = Database::open(file);
  ASSERT_TRUE(opened) << proto::render(opened.error());
  auto artifact = (*opened)->prepare("SELECT checksum FROM artifacts WHERE name = 'x'");
  ASSERT_TRUE(artifact && *artifact->step());
  EXPECT_EQ(artifact->text(0), "");
  auto snapshots = (*opened)->prepare("SELECT count(*) FROM snapshots");
  ASSERT_TRUE(snapshots && *snapshots->step());
  EXPECT_EQ(snapshots->number(0), 0) << "they are only kept to do nothing twice";
}

TEST_F(DatabaseTest, refuses_what_a_newer_daemon_wrote_and_what_is_no_database) {
  ASSERT_TRUE(run("PRAGMA user_version = 99"));
  database.reset();
  auto newer = Database::open(directory / "x.db");
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(newer.error().message,
              HasSubstr("its schema is version 99, this ingotd knows up to " + std::to_string(migrations().size())));
  auto damaged = Database::open(directory.file("y.db", std::string(8192, 'x')));
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().hint, HasSubstr(".recover"));
}

TEST_F(DatabaseTest, its_log_has_room_of_its_own) {
  ASSERT_TRUE(job("state", "'queued'"));
  struct stat status {};
  ASSERT_EQ(stat((directory / "x.db-wal").c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 8 << 20);
  EXPECT_LT(status.st_size, 1 << 20);
  database.reset();
  database = std::move(*Database::open(directory / "x.db"));
  ASSERT_TRUE(job("state", "'queued'"));
  ASSERT_EQ(stat((directory / "x.db-wal").c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 8 << 20) << "at each start anew";
}

}  // namespace
}  // namespace ingot::db
