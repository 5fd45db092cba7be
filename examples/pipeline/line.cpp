#include "line.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

namespace pipeline {
namespace {

// The same for the same file and attempt, so that a run can be repeated.
bool is_to_crash(const std::string& path, int attempt, int percent) {
  const std::size_t draw = std::hash<std::string>()(path + '#' + std::to_string(attempt));
  return draw % 100 < static_cast<std::size_t>(percent);
}

}  // namespace

Line::Line(const Options& options, std::vector<std::filesystem::path> files, Ledger& ledger,
           Totals& totals)
    : options_(options),
      files_(std::move(files)),
      ledger_(ledger),
      totals_(totals),
      processes_({.max_workers = options.workers}),
      database_({.max_workers = 1, .thread_name_prefix = "sqlite"}) {}

coil::Coro<> Line::run() {
  co_await coil::with_task_group([this](coil::TaskGroup& group) -> coil::Coro<> {
    const auto tasks =
        std::min<std::size_t>(static_cast<std::size_t>(options_.in_flight), files_.size());
    for (std::size_t i = 0; i < tasks; ++i) group.create_task(take_files());
    co_return;
  });
  co_await processes_.shutdown();
}

coil::Coro<> Line::take_files() {
  for (std::size_t i = next_++; i < files_.size(); i = next_++)
    co_await process(files_[i].string());
}

coil::Coro<> Line::process(const std::string& path) {
  Row row;
  row.path = path;
  try {
    co_await work_on(row);
  } catch (const std::exception& error) {
    row.error = error.what();
    ++totals_.failed;
  }
  co_await record(std::move(row));
}

coil::Coro<> Line::work_on(Row& row) {
  std::string bytes = co_await read(row.path);
  row.bytes = bytes.size();
  const Packed packed = co_await pack(std::move(bytes));
  row.compressed = packed.bytes.size();
  const Inspection found = co_await inspect_stubbornly(packed, row);
  row.lines = found.lines;
  if (found.bytes != row.bytes || found.hash != packed.hash)
    throw std::runtime_error("the bytes that came out are not those that went in");
}

coil::Coro<std::string> Line::read(const std::string& path) {
  StageTimer timer(totals_.read);
  std::string bytes = co_await coil::read_file(path);
  timer.done(bytes.size());
  co_return bytes;
}

coil::Coro<Packed> Line::pack(std::string bytes) {
  StageTimer timer(totals_.compress);
  const std::size_t size = bytes.size();
  Packed packed =
      co_await coil::run_in_executor(&compute_, compress, std::move(bytes), options_.level);
  timer.done(size);
  co_return packed;
}

// A worker that dies takes its call with it, and no other: that one is made again.
coil::Coro<Inspection> Line::inspect_stubbornly(const Packed& packed, Row& row) {
  StageTimer timer(totals_.inspect);
  for (int attempt = 0;; ++attempt) {
    try {
      const bool crash = is_to_crash(row.path, attempt, options_.crash_percent);
      const Inspection found = co_await coil::run_in_executor<&inspect>(
          &processes_, std::span<const char>(packed.bytes), crash);
      timer.done(packed.bytes.size());
      co_return found;
    } catch (const coil::BrokenProcessPool&) {
      ++row.crashes;
      ++totals_.crashes;
      if (attempt == options_.retries) throw;
    }
  }
}

coil::Coro<> Line::record(Row row) {
  StageTimer timer(totals_.record);
  const auto bytes = row.bytes;
  co_await coil::run_in_executor(&database_, &Ledger::record, &ledger_, std::move(row));
  timer.done(bytes);
}

}  // namespace pipeline
