// The production line: every file goes through the four stages, so many at the same time.
//
// Invariant: a file that was begun and not cancelled gets its row, whatever becomes of it.
#pragma once

#include <atomic>
#include <coil/coil.hpp>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "compress.hpp"
#include "inspect.hpp"
#include "ledger.hpp"
#include "options.hpp"
#include "totals.hpp"

namespace pipeline {

class Line {
 public:
  Line(const Options& options, std::vector<std::filesystem::path> files, Ledger& ledger,
       Totals& totals);

  // Until all files have gone through.
  coil::Coro<> run();

 private:
  coil::Coro<> take_files();
  coil::Coro<> process(const std::string& path);
  coil::Coro<> work_on(Row& row);
  coil::Coro<std::string> read(const std::string& path);
  coil::Coro<Packed> pack(std::string bytes);
  coil::Coro<Inspection> inspect_stubbornly(const Packed& packed, Row& row);
  coil::Coro<> record(Row row);

  const Options& options_;
  const std::vector<std::filesystem::path> files_;
  Ledger& ledger_;
  Totals& totals_;
  std::atomic<std::size_t> next_{0};
  coil::ArenaExecutor compute_;
  coil::ProcessPoolExecutor processes_;
  coil::ThreadPoolExecutor database_;  // one thread: SQLite's calls come one after the other
};

}  // namespace pipeline
