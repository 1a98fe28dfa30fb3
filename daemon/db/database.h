#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ingot::db {

class Database;

// One prepared statement, in use by one thread under its database's lock. Parameters and columns count as in
// SQL: bind from 1, columns from 0. The database outlives it, and keeps it prepared for the next who wants it.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  ~Statement();

  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t number);
  Statement& bind_null(int index);

  Result<bool> step();  // true: a row is there
  Status run();         // for statements without rows; then it can be bound and run again
  void reset();         // to be bound and stepped through again

  std::string text(int column) const;
  std::int64_t number(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  Database* database_;
  sqlite3_stmt* statement_;  // null once moved from
};

// The daemon's one SQLite connection: WAL, synchronous FULL (a commit survives a power cut), foreign keys on.
class Database {
 public:
  // Creates or migrates the schema. A file that a newer version wrote is refused with kind `unsupported`; a
  // damaged one with `internal` and the way out.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path);
  ~Database();

  // Runs `work` in BEGIN IMMEDIATE ... COMMIT; any error rolls back. After it returns ok the change is
  // durable.
  Status transaction(const std::function<Status()>& work);

  // Inside a transaction, or for a single read: take the lock first with `read`.
  Status read(const std::function<Status()>& work);
  Result<Statement> prepare(std::string_view sql);
  std::int64_t changes() const;  // rows of the last statement

 private:
  friend class Statement;
  explicit Database(sqlite3* connection) : connection_(connection) {}
  Status execute(const char* sql);
  Status migrate();
  void take_back(sqlite3_stmt* statement);

  std::recursive_mutex mutex_;
  sqlite3* connection_;
  std::unordered_map<std::string, sqlite3_stmt*> idle_;  // by their text; under mutex_
};

}  // namespace ingot::db
