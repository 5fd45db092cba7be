// A callback for as long as a descriptor is readable, or writable (Loop::add_reader, add_writer).
//
// One poll at a time, on the watch's loop. When it has completed, the callback is queued behind
// what is ready there; when that has been called, the next poll begins. So it is level-triggered,
// and never runs concurrently with itself.
//
//   the watch's loop                          remove(), any loop of the Runner
//   1. arm(): lock; removed: nothing, else    a. lock; removed_ = true; if a poll is in flight,
//      submits the poll                          cancels it
//   2. the poll has ended: lock; removed:
//      nothing, else into the queue
//   3. its turn: lock; removed: nothing,
//      else calls, and goes to 1
//
// Invariant: whatever holds it (the table, the queue, the poll) holds a reference. A poll that was
// cancelled though the watch was not removed is not submitted again: the loop closes.
// Kept by tests/sched/reader_test.cpp.
#pragma once

#include <coil/detail/counted.hpp>
#include <coil/detail/detached_operation.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/spin_lock.hpp>
#include <coil/detail/unique_function.hpp>
#include <coil/loop.hpp>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "repeated_call.hpp"

namespace coil::detail {

class DescriptorWatches;
class Worker;

class DescriptorWatch final : public Counted<DescriptorWatch>, DetachedOperation, Runnable {
 public:
  DescriptorWatch(DescriptorWatches& table, int descriptor, Readiness what,
                  UniqueFunction<void()> fn) noexcept;

  // Once, from any loop. False: the watch's loop is closed.
  [[nodiscard]] bool start(Worker& worker) noexcept;
  void remove() noexcept;

  [[nodiscard]] std::pair<int, Readiness> key() const noexcept {
    return {Operation::fd, readiness_};
  }

 private:
  [[nodiscard]] bool removed() noexcept;
  void arm() noexcept;
  void fail() noexcept;
  static void on_first_turn(Runnable& item) noexcept;
  static void on_turn(Runnable& item) noexcept;
  static void on_polled(Operation& op, std::int32_t result, CompletionFlags flags) noexcept;
  static void on_poll_end(Operation& op) noexcept;

  DescriptorWatches& table_;
  const Readiness readiness_;
  RepeatedCall call_;
  std::int32_t result_ = 0;  // the loop's own
  SpinLock lock_;            // all that follows
  bool polling_ = false;
  bool removed_ = false;
};

// Those of a Runner. Any thread; functions are called, and destroyed, under no lock of ours.
class DescriptorWatches {
 public:
  // Replaces the one that is there. LoopClosed after close().
  void add(int fd, Readiness what, Worker& worker, UniqueFunction<void()> fn);
  // False: there was none.
  [[nodiscard]] bool remove(int fd, Readiness what) noexcept;
  // One that has failed.
  void forget(const DescriptorWatch& watch) noexcept;
  // Removes all, and takes no more.
  void close() noexcept;

 private:
  using Table = std::map<std::pair<int, Readiness>, Ref<DescriptorWatch>>;

  std::mutex mutex_;  // all that follows
  bool closed_ = false;
  Table watches_;
};

}  // namespace coil::detail
