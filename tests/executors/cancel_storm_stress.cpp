// Cancels at random points of everything that files do, and of to_thread.
// The number of cancels: 20,000, or COIL_STRESS=N, or an argument.
//
// What must hold: every victim ends, a file holds what was written to it, memory that was given
// back is not written to any more, a function runs once or never and run() waits for it, and in the
// end nothing is in flight and every descriptor is closed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <coil/coil.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <kit/loops.hpp>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "file_kit.hpp"

namespace {

using namespace std::chrono_literals;
using coil::Coro;
using coil::File;

enum Kind { ReadFile, WriteFile, ReadAt, WriteAt, Open, OpenFifo, ReadFifo, Close, Thread, kinds };
constexpr const char* kind_names[] = {"read_file", "write_file", "read_at", "write_at", "open",
                                      "open fifo", "read fifo",  "close",   "to_thread"};

struct Outcomes {
  std::atomic<long> finished = 0;  // in spite of the cancel
  std::atomic<long> cancelled = 0;
};
std::array<Outcomes, kinds> outcomes;
std::atomic<long> functions_begun = 0;
std::atomic<long> functions_ended = 0;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed << 32) {}
  std::uint32_t operator()() {  // splitmix64
    std::uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>(z >> 32);
  }

 private:
  std::atomic<std::uint64_t> state_;
};

// Memory that an operation has given back, scribbled over: nobody may write to it any more.
class Quarantine {
 public:
  void take(std::string memory) {
    std::ranges::fill(memory, scribble);
    held_.push_back(std::move(memory));
    if (held_.size() > 16) release();
  }
  ~Quarantine() {
    while (!held_.empty()) release();
  }

 private:
  void release() {
    EXPECT_TRUE(std::ranges::all_of(held_.front(), [](char c) { return c == scribble; }))
        << "written to after its release";
    held_.pop_front();
  }
  static constexpr char scribble = '\x5c';
  std::deque<std::string> held_;
};

// One task that makes victims of all kinds, one after the other, with files of its own.
class Lane {
 public:
  Lane(const kit::TemporaryDirectory& directory, unsigned seed)
      : random_(seed),
        data_(kit::pattern(300'000, seed)),
        path_(directory / std::to_string(seed)),
        whole_(path_ + "w"),
        fifo_(path_ + "f") {
    kit::put_file(path_, data_);
    EXPECT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
  }

  Coro<> run(std::atomic<long>& left) {
    file_ = co_await File::open(path_, O_RDWR);
    both_ends_ = co_await File::open(fifo_, O_RDWR);
    while (left.fetch_sub(1) > 0) co_await attempt(static_cast<Kind>(random_() % kinds));
    co_await both_ends_.close();
    co_await file_.close();
    EXPECT_TRUE(co_await coil::read_file(path_) == data_);
    ::unlink(fifo_.c_str());
  }

 private:
  Coro<> attempt(Kind kind) {
    switch (kind) {
      case ReadFile:
        co_await cancel(kind, [](Lane& self) -> Coro<> {
          EXPECT_TRUE(co_await coil::read_file(self.path_) == self.data_);
        }(*this));
        break;
      case WriteFile:
        co_await cancel(kind, coil::write_file(whole_, std::string_view(data_)));
        break;
      case ReadAt:
        co_await cancel(kind, read_victim());
        break;
      case WriteAt:
        co_await cancel(kind, write_victim());
        break;
      case Open:
        co_await cancel(kind, [](Lane& self) -> Coro<> {
          const auto file = co_await File::open(self.path_);
          co_await file.size();
        }(*this));
        break;
      case OpenFifo:
        co_await open_fifo();
        break;
      case ReadFifo:
        co_await read_fifo();
        break;
      case Close:
        co_await cancel(kind, close_victim());
        break;
      case Thread:
        co_await cancel(kind, thread_victim());
        break;
      case kinds:
        break;
    }
  }

  // Lets the victim run for a random while, cancels it, and awaits its end.
  Coro<> cancel(Kind kind, Coro<> victim) {
    auto task = coil::create_task(std::move(victim));
    co_await random_pause();
    // On a slow machine few would get so far by themselves.
    const bool waits_for_others = kind == OpenFifo || kind == ReadFifo;
    if (!waits_for_others && random_() % 8 == 0) co_await kit::until([&] { return task.done(); });
    task.cancel();
    try {
      co_await task;
      ++outcomes[kind].finished;
    } catch (const coil::CancelledError&) {
      ++outcomes[kind].cancelled;
    }
  }

  Coro<> random_pause() {
    const auto kind = random_() % 8;
    if (kind < 2) co_return;
    if (kind < 6) {
      for (auto n = random_() % 4; n-- > 0;) co_await coil::sleep(0ms);
    } else {
      co_await coil::sleep(std::chrono::microseconds(random_() % 400));
    }
  }

  Coro<> read_victim() {
    const std::size_t at = random_() % data_.size();
    std::string memory(1 + random_() % 50'000, '\0');
    try {
      memory.resize(co_await file_.read_at(std::as_writable_bytes(std::span(memory)), at));
    } catch (const coil::CancelledError&) {
      quarantine_.take(std::move(memory));
      throw;
    }
    EXPECT_TRUE(data_.compare(at, memory.size(), memory) == 0);
    EXPECT_TRUE(at + memory.size() == data_.size() || !memory.empty());
  }

  // Writes what is there already: in part or in whole, the file stays as it is.
  Coro<> write_victim() {
    const std::size_t at = random_() % data_.size();
    std::string memory = data_.substr(at, 1 + random_() % 50'000);
    try {
      EXPECT_EQ(co_await file_.write_at(std::as_bytes(std::span(memory)), at), memory.size());
      co_await file_.fsync();
    } catch (const coil::CancelledError&) {
      quarantine_.take(std::move(memory));  // were it written now, the file would show it
      throw;
    }
  }

  // It may find the other end there, or wait for it in the kernel.
  Coro<> open_fifo() {
    const bool waits = random_() % 2 == 0;
    const std::string path = waits ? fifo_ + "x" : fifo_;
    if (waits) EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    co_await cancel(OpenFifo, [](std::string p, bool reads) -> Coro<> {
      const auto file = co_await File::open(p, reads ? O_RDONLY : O_WRONLY);
      co_await file.close();
    }(path, random_() % 2 == 0));
    if (waits) ::unlink(path.c_str());
  }

  // One byte for each read; what a cancelled one left is taken away after it.
  Coro<> read_fifo() {
    const bool fed = random_() % 2 == 0;
    if (fed) co_await both_ends_.write_at("x", 0);
    bool taken = false;
    co_await cancel(ReadFifo, [](Lane& self, bool& done) -> Coro<> {
      std::string memory(1, '\0');
      try {
        co_await self.both_ends_.read_at(std::as_writable_bytes(std::span(memory)), 0);
        done = true;
      } catch (const coil::CancelledError&) {
        self.quarantine_.take(std::move(memory));
        throw;
      }
      EXPECT_EQ(memory, "x");
    }(*this, taken));
    EXPECT_TRUE(fed || !taken);
    if (fed && !taken) EXPECT_EQ(co_await both_ends_.read_at(1, 0), "x");
  }

  Coro<> close_victim() {
    const auto file = co_await File::open(path_);
    auto reading = coil::create_task(file.read_at(random_() % 5000, 0));
    co_await file.close();
    try {
      (void)co_await reading;
    } catch (const std::system_error&) {  // the close came first
    }
  }

  Coro<> thread_victim() {
    auto result = co_await coil::to_thread(
        [](std::unique_ptr<std::string> text, std::uint32_t us) {
          ++functions_begun;
          if (us % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(us % 256));
          ++functions_ended;
          return text;
        },
        std::make_unique<std::string>("moved to a thread and back again"), random_());
    EXPECT_EQ(*result, "moved to a thread and back again");
  }

  Random random_;
  Quarantine quarantine_;
  const std::string data_;
  const std::string path_, whole_, fifo_;
  File file_, both_ends_;
};

Coro<> storm(const kit::TemporaryDirectory& directory, long cancels) {
  constexpr unsigned lanes = 12;
  std::atomic<long> left = cancels;
  std::vector<std::unique_ptr<Lane>> state;
  std::vector<coil::Task<>> tasks;
  for (unsigned i = 0; i < lanes; ++i) {
    state.push_back(std::make_unique<Lane>(directory, i + 1));
    tasks.push_back(coil::create_task(state.back()->run(left)));
  }
  for (auto& task : tasks) co_await task;
}

long cancels_asked_for() {
  if (const char* text = std::getenv("COIL_STRESS")) return std::atol(text);
  const long argument = std::atol(testing::internal::GetArgvs().back().c_str());
  return argument > 0 ? argument : 20'000;
}

TEST(file_cancel_storm, loses_nothing_and_leaves_nothing_behind) {
  const long cancels = cancels_asked_for();
  const kit::Watchdog watchdog(std::chrono::seconds(60 + cancels / 500));
  const int descriptors = kit::open_descriptors();
  for (const int loops : {1, 2, 4}) {
    const kit::TemporaryDirectory directory;
    coil::Runner runner({.loops = loops});
    runner.run(storm(directory, cancels / 3));
    EXPECT_EQ(runner.metrics().tasks, 0U);
    for (const auto& loop : runner.metrics().loops) EXPECT_EQ(loop.operations, 0U);
    runner.close();
    EXPECT_EQ(functions_begun, functions_ended);
  }
  std::printf("%-12s %10s %10s\n", "", "cancelled", "finished");
  for (int kind = 0; kind < kinds; ++kind) {
    std::printf("%-12s %10ld %10ld\n", kind_names[kind], outcomes[kind].cancelled.load(),
                outcomes[kind].finished.load());
    EXPECT_GT(outcomes[kind].cancelled, 0) << kind_names[kind];
    EXPECT_GT(outcomes[kind].finished, 0) << kind_names[kind];
  }
  EXPECT_EQ(kit::open_descriptors(), descriptors);
}

}  // namespace
