#include "daemon/db/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/base/log.h"
#include "daemon/base/strings.h"
#include "daemon/db/schema.h"
#include "daemon/sys/files.h"

namespace ingot::db {

namespace {

using base::fail;

tl::unexpected<Error> fail_sqlite(sqlite3* connection, const std::string& what) {
  int code = sqlite3_extended_errcode(connection);
  std::string message = fmt::format("{}: {}", what, sqlite3_errmsg(connection));
  const std::string make_room = "free some space on the file system of the state directory";
  const int primary = code & 0xff;
  // Also what is no write of the database's own bytes: a file beside it that cannot be made, or an fsync.
  const int reason = primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR ? sqlite3_system_errno(connection) : 0;
  if (reason == ENOSPC || reason == EDQUOT) {
    return fail(ErrorKind::no_space, fmt::format("{}: {}", message, std::strerror(reason)), make_room);
  }
  switch (primary) {
    case SQLITE_FULL:
      return fail(ErrorKind::no_space, message, make_room);
    case SQLITE_CONSTRAINT:
      return fail(ErrorKind::conflict, message);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return fail(ErrorKind::denied, message, "check owner and mode of the state directory");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(ErrorKind::internal, message,
                  "the database is damaged: stop the daemon, move the file aside, and try `sqlite3 FILE .recover`");
    default:
      return fail(ErrorKind::internal, message);
  }
}

// SQLite does not tell why it cannot make a file beside the database: whether a byte can be written there.
Status try_to_write_beside(const std::filesystem::path& path) {
  const auto probe = path.parent_path() / (path.filename().string() + "-probe");
  Status written = sys::write_file_durably(probe, "x", 0600);
  unlink(probe.c_str());
  return written;
}

// On a full disk it must still be possible to write down that layers go, and what became of a job. So the log that all
// changes go into first owns its bytes from the start: it is used over and over, and is no longer than this but for a
// time. That there is no room for them now is no error.
void set_room_aside(const std::filesystem::path& path) {
  constexpr off_t kRoom = 8 << 20;
  auto log = sys::open_file(path.string() + "-wal", O_WRONLY);
  if (!log) return;
  // The file is as long as before: only its bytes are there.
  if (fallocate(log->get(), FALLOC_FL_KEEP_SIZE, 0, kRoom) == 0 || errno == EOPNOTSUPP) return;
  base::log::warning("cannot set {} aside for the database: {}; on a full disk nothing could be recorded",
                     base::human_bytes(kRoom), std::strerror(errno));
}

// For its owner alone, as the files that SQLite puts beside it will be then: it has what users said, and URLs with
// secrets in them. Where this fails, opening it tells why.
void keep_to_owner(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  fchmod(fd, 0600);
  close(fd);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept : database_(other.database_), statement_(other.statement_) {
  other.statement_ = nullptr;
}

Statement::~Statement() {
  if (statement_ != nullptr) database_->take_back(statement_);
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(statement_, index, number);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail_sqlite(database_->connection_, "database");
}

Status Statement::run() {
  auto row = step();
  sqlite3_reset(statement_);
  if (!row) return base::fail(row.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path) {
  keep_to_owner(path);
  sqlite3* raw = nullptr;
  // NOMUTEX: the lock in this class serialises all use of the connection.
  int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(raw));
  if (code != SQLITE_OK) return fail_sqlite(raw, "cannot open database " + path.string());
  sqlite3_busy_timeout(raw, 5000);
  Status ready = database->execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA "
      "wal_autocheckpoint = 1000;");
  if (ready) ready = database->migrate();
  if (!ready && ready.error().kind == ErrorKind::denied) {
    if (auto written = try_to_write_beside(path); !written) ready = written;
  }
  if (!ready) return fail(base::with_context(ready.error(), "while opening database " + path.string()));
  set_room_aside(path);
  return database;
}

Database::~Database() {
  for (const auto& [text, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close_v2(connection_);
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return fail_sqlite(connection_, "database");
  }
  return {};
}

Status Database::migrate() {
  std::int64_t version = 0;
  {
    INGOT_TRY(auto query, prepare("PRAGMA user_version"));
    INGOT_CHECK(query.step());
    version = query.number(0);
  }
  const auto newest = static_cast<std::int64_t>(migrations().size());
  if (version > newest) {
    return fail(ErrorKind::unsupported,
                fmt::format("its schema is version {}, this ingotd knows up to {}", version, newest),
                "a newer ingotd wrote it: run that version, or another state directory");
  }
  for (; version < newest; ++version) {
    INGOT_CHECK(transaction([&]() -> Status {
      INGOT_CHECK(execute(std::string(migrations()[static_cast<std::size_t>(version)]).c_str()));
      return execute(fmt::format("PRAGMA user_version = {}", version + 1).c_str());
    }));
  }
  return {};
}

Status Database::transaction(const std::function<Status()>& work) {
  std::lock_guard lock(mutex_);
  INGOT_CHECK(execute("BEGIN IMMEDIATE"));
  Status done = work();
  if (done) done = execute("COMMIT");
  // A failed COMMIT (disk full) leaves the transaction open; after some errors SQLite has rolled back by
  // itself.
  if (!done && sqlite3_get_autocommit(connection_) == 0) execute("ROLLBACK");
  return done;
}

Status Database::read(const std::function<Status()>& work) {
  std::lock_guard lock(mutex_);
  return work();
}

Result<Statement> Database::prepare(std::string_view sql) {
  const std::lock_guard lock(mutex_);
  if (auto known = idle_.extract(std::string(sql)); !known.empty()) return Statement(*this, known.mapped());
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return fail_sqlite(connection_, "database statement");
  }
  return Statement(*this, statement);
}

// To be found prepared by the next. One whose like is back already, as of those that were in use at once, is not kept.
void Database::take_back(sqlite3_stmt* statement) {
  constexpr std::size_t kMostKept = 200;  // the daemon has about a hundred
  const std::lock_guard lock(mutex_);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  const bool is_kept = idle_.size() < kMostKept && idle_.try_emplace(sqlite3_sql(statement), statement).second;
  if (!is_kept) sqlite3_finalize(statement);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(connection_);
}

}  // namespace ingot::db
