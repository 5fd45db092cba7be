// The table of results, in SQLite: blocking calls, for a thread of a pool.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace pipeline {

struct Row {
  std::string path;
  std::uint64_t bytes = 0;
  std::uint64_t compressed = 0;
  std::uint64_t lines = 0;
  std::uint64_t crashes = 0;
  std::string error;  // empty: all went well
};

struct Sums {
  std::uint64_t rows = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t compressed = 0;
  std::uint64_t lines = 0;
  std::uint64_t crashes = 0;
};

// Not thread-safe: calls come one after the other. Every member throws std::runtime_error with
// SQLite's own words.
class Ledger {
 public:
  // Begins anew what is there.
  explicit Ledger(const std::string& path);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void record(const Row& row);
  // Of what is in the table, asked of the table.
  Sums sums();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  void execute(const char* sql);
  Statement prepare(const char* sql);
  [[noreturn]] void fail(const char* doing);

  std::unique_ptr<sqlite3, Close> database_;
  Statement insert_;
};

}  // namespace pipeline
