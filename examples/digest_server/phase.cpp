#include "phase.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <coil/net.hpp>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "live_line.hpp"
#include "server.hpp"
#include "sigint.hpp"

namespace demo {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr const char* host = "127.0.0.1";
constexpr auto answer_time_max = 30s;
constexpr std::size_t bulk_files_in_flight = 256;
constexpr std::size_t bulk_bytes_in_flight = std::size_t{8} << 20U;
// How far a connection is read ahead of its handler: some 60 files of the average size. The more
// tasks are made at once, the more there is to steal (64 KiB, the default: 1.4 times the
// throughput instead of 1.5).
constexpr std::size_t read_ahead = std::size_t{1} << 20U;
constexpr std::size_t small_file_max = std::size_t{16} << 10U;

std::string text_of(const coil::ExceptionContext& context) {
  try {
    if (context.exception) std::rethrow_exception(context.exception);
  } catch (const coil::ExceptionGroup& group) {
    std::string text = group.what();
    for (const auto& inner : group.exceptions()) {
      coil::ExceptionContext one;
      one.exception = inner;
      text += "; " + text_of(one);
    }
    return text;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
  return {};
}

std::vector<std::size_t> all_files(const Corpus& corpus) {
  std::vector<std::size_t> files(corpus.files.size());
  std::iota(files.begin(), files.end(), std::size_t{0});
  return files;
}

std::vector<std::size_t> small_files(const Corpus& corpus) {
  auto files = all_files(corpus);
  std::erase_if(files, [&](std::size_t i) { return corpus.files[i].size() > small_file_max; });
  return files;
}

double cpu_seconds_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

coil::LoopMetrics difference(const coil::LoopMetrics& end, const coil::LoopMetrics& begin) {
  coil::LoopMetrics delta = end;
  delta.tasks_run -= begin.tasks_run;
  delta.stolen_by -= begin.stolen_by;
  delta.stolen_from -= begin.stolen_from;
  delta.completions -= begin.completions;
  delta.parks -= begin.parks;
  delta.idle -= begin.idle;
  delta.total -= begin.total;
  return delta;
}

}  // namespace

void Traffic::add(const Client& client) {
  ++connections;
  files += client.files();
  bytes += client.bytes();
  latencies.merge(client.latencies());
}

// From its making to its end, however that comes: the time, and what each loop did in it.
class Phase::Meter {
 public:
  Meter(coil::Runner& runner, PhaseResult& result)
      : runner_(runner),
        result_(result),
        begin_(coil::Clock::now()),
        cpu_begin_(cpu_seconds_so_far()),
        before_(runner.metrics()) {}
  ~Meter() {
    const std::chrono::duration<double> elapsed = coil::Clock::now() - begin_;
    result_.seconds = elapsed.count();
    result_.cpu_seconds = cpu_seconds_so_far() - cpu_begin_;
    const coil::Metrics after = runner_.metrics();
    for (std::size_t i = 0; i < after.loops.size(); ++i)
      result_.loops.push_back(difference(after.loops[i], before_.loops[i]));
  }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

 private:
  coil::Runner& runner_;
  PhaseResult& result_;
  coil::TimePoint begin_;
  double cpu_begin_;
  coil::Metrics before_;
};

Phase::Phase(const Corpus& corpus, const Options& options, bool stealing)
    : corpus_(corpus), options_(options) {
  result_.stealing = stealing;
}

PhaseResult Phase::measure() {
  // Coil reads it when the Runner is made; no other thread runs now.
  ::setenv("COIL_STEAL", result_.stealing ? "1" : "0", 1);
  coil::Runner runner({.loops = options_.loops, .name = "digest"});
  runner.get_loop().set_exception_handler([this](const coil::ExceptionContext& context) {
    problems_.error(fmt::format("server: {}: {}", context.message, text_of(context)));
  });
  try {
    runner.run(runner.get_loop().create_task(run(runner)));
  } catch (const coil::KeyboardInterrupt&) {
    result_.interrupted = true;
  } catch (const std::exception& error) {
    problems_.error(error.what());  // unless run() has
  }
  runner.close();
  for (const auto& client : bulk_) result_.bulk.add(*client);
  for (const auto& client : interactive_) result_.interactive.add(*client);
  result_.problems = problems_.summary();
  return result_;
}

coil::Coro<> Phase::run(coil::Runner& runner) {
  const AllowSigint allow;
  const auto loops = runner.loops();
  auto server = co_await coil::start_server(serve_files, host, 0, {.limit = read_ahead});
  make_clients(loops.size());
  {
    const Meter meter(runner, result_);
    std::vector<coil::Task<>> tasks;
    const auto start = [&](Client& client) {
      tasks.push_back(
          loops[tasks.size() % loops.size()]->create_task(client.run(host, server.port())));
    };
    for (auto& client : bulk_) start(*client);
    for (auto& client : interactive_) start(*client);
    tasks.push_back(runner.get_loop().create_task(show_progress(runner)));
    // Shielded, so that a Ctrl-C gets here before it gets to the clients.
    try {
      co_await coil::shield(coil::gather(std::move(tasks)));
    } catch (const coil::CancelledError&) {
      problems_.expect_errors();
      throw;
    } catch (const std::exception& error) {
      problems_.error(error.what());
      problems_.expect_errors();
      throw;
    }
  }
  server.close();
  co_await server.wait_closed();
}

void Phase::make_clients(std::size_t loops) {
  until_ = coil::Clock::now() + std::chrono::duration_cast<coil::Duration>(
                                    std::chrono::duration<double>(options_.seconds));
  const auto connections = static_cast<std::size_t>(options_.connections);
  const std::size_t bulk = options_.bulk != 0 ? static_cast<std::size_t>(options_.bulk)
                                              : std::min(connections, (loops + 3) / 4);
  const auto all = all_files(corpus_);
  const auto small = small_files(corpus_);
  for (std::size_t i = 0; i < connections; ++i) {
    const bool is_bulk = i < bulk;
    const auto& files = is_bulk ? all : small;
    if (files.empty()) continue;
    ClientPlan plan{.files = files, .first = i * 997 % files.size(), .until = until_};
    if (is_bulk) {
      plan.files_in_flight_max = bulk_files_in_flight;
      plan.bytes_in_flight_max = bulk_bytes_in_flight;
    } else {
      plan.pause = std::chrono::milliseconds(options_.pause_ms);
    }
    auto& list = is_bulk ? bulk_ : interactive_;
    list.push_back(std::make_unique<Client>(corpus_, std::move(plan), problems_));
  }
}

bool Phase::all_ended() const {
  const auto ended = [](const auto& client) { return client->ended(); };
  return std::ranges::all_of(bulk_, ended) && std::ranges::all_of(interactive_, ended);
}

coil::Coro<> Phase::show_progress(coil::Runner& runner) {
  LiveLine line(result_.stealing, options_.seconds);
  while (!all_ended()) {
    co_await coil::sleep(100ms);
    if (coil::Clock::now() > until_ + answer_time_max)
      throw std::runtime_error("the last answers have not come within 30 s");
    if (!line.is_due()) continue;
    LiveLine::Totals totals{.metrics = runner.metrics()};
    for (const auto* list : {&bulk_, &interactive_})
      for (const auto& client : *list) {
        totals.files += client->files();
        totals.bytes += client->bytes();
      }
    const auto problems = problems_.summary();
    totals.wrong = problems.wrong;
    totals.errors = problems.errors;
    line.show(totals);
  }
}

}  // namespace demo
