#include "ledger.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace pipeline {

void Ledger::Close::operator()(sqlite3* database) const { sqlite3_close(database); }
void Ledger::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Ledger::Ledger(const std::string& path) {
  sqlite3* database = nullptr;
  const int result = sqlite3_open(path.c_str(), &database);
  database_.reset(database);
  if (result != SQLITE_OK) fail(("opening " + path).c_str());
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = NORMAL");
  execute("DROP TABLE IF EXISTS files");
  execute(
      "CREATE TABLE files (path TEXT PRIMARY KEY, bytes INTEGER, compressed INTEGER, "
      "lines INTEGER, crashes INTEGER, error TEXT)");
  insert_ = prepare("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)");
}

Ledger::~Ledger() = default;

void Ledger::record(const Row& row) {
  sqlite3_stmt* insert = insert_.get();
  const auto number = [&](int column, std::uint64_t value) {
    sqlite3_bind_int64(insert, column, static_cast<sqlite3_int64>(value));
  };
  sqlite3_bind_text(insert, 1, row.path.data(), static_cast<int>(row.path.size()), SQLITE_STATIC);
  number(2, row.bytes);
  number(3, row.compressed);
  number(4, row.lines);
  number(5, row.crashes);
  sqlite3_bind_text(insert, 6, row.error.data(), static_cast<int>(row.error.size()), SQLITE_STATIC);
  const int result = sqlite3_step(insert);
  sqlite3_reset(insert);
  if (result != SQLITE_DONE) fail(("recording " + row.path).c_str());
}

Sums Ledger::sums() {
  const Statement query = prepare(
      "SELECT count(*), total(error <> ''), total(bytes), total(compressed), total(lines), "
      "total(crashes) FROM files");
  if (sqlite3_step(query.get()) != SQLITE_ROW) fail("summing up");
  const auto number = [&](int column) {
    return static_cast<std::uint64_t>(sqlite3_column_int64(query.get(), column));
  };
  return {number(0), number(1), number(2), number(3), number(4), number(5)};
}

void Ledger::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
}

Ledger::Statement Ledger::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) fail(sql);
  return Statement(statement);
}

void Ledger::fail(const char* doing) {
  throw std::runtime_error(std::string("SQLite, ") + doing + ": " +
                           sqlite3_errmsg(database_.get()));
}

}  // namespace pipeline
