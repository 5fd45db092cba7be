// What a thread can sleep on: a mutex, and the semaphore and eventfd by which models of parking
// stand in for the kernel. Each call is one step, and synchronises as the kernel's own locks do.
//
// Invariant: a thread asleep here is woken by nothing but the matching call, so a missing one ends
// in a reported deadlock.
#pragma once

#include "model/cell.hpp"
#include "model/print.hpp"

namespace model {

// A counter that threads wait for.
class Sleepable {
 public:
  constexpr explicit Sleepable(std::uint64_t count, const char* name)
      : count_(count), name_(name) {}

 protected:
  // Waits for a count above zero, then applies f.
  template <class F>
  std::uint64_t wait_then(const char* what, const Site& site, F f) {
    const Access at = access(what, site);
    if (cell_.modelled()) await_word(at, [](const Word& word) { return word.low != 0; });
    return change(at, f);
  }
  template <class F>
  std::uint64_t now(const char* what, const Site& site, F f) {
    return change(access(what, site), f);
  }

 private:
  Access access(const char* what, const Site& site) {
    const Access at{cell_, pack(count_), site, &print_word<std::uint64_t>, what, true};
    if (cell_.modelled() && cell_.location == 0) name_cell(at, name_);
    return at;
  }
  template <class F>
  std::uint64_t change(const Access& at, F f) {
    if (!cell_.modelled()) return std::exchange(count_, f(count_));
    Order order = Order::acq_rel;
    const std::uint64_t old = unpack<std::uint64_t>(rmw_begin(at, order));
    count_ = f(old);
    rmw_end(at, order, pack(count_));
    return old;
  }

  Cell cell_;
  std::uint64_t count_;
  const char* name_;
};

class Semaphore : Sleepable {
 public:
  constexpr explicit Semaphore(std::uint64_t count = 0, const char* name = "semaphore")
      : Sleepable(count, name) {}
  void post(Site site = Site::current()) {
    now("post", site, [](std::uint64_t n) { return n + 1; });
  }
  void wait(Site site = Site::current()) {
    wait_then("wait", site, [](std::uint64_t n) { return n - 1; });
  }
  bool try_wait(Site site = Site::current()) {
    return now("try_wait", site, [](std::uint64_t n) { return n == 0 ? 0 : n - 1; }) != 0;
  }
};

// Any number of signals wake one wait, which takes them all; one that came first is not lost.
class EventFd : Sleepable {
 public:
  constexpr explicit EventFd(const char* name = "eventfd") : Sleepable(0, name) {}
  void signal(Site site = Site::current()) {
    now("signal", site, [](std::uint64_t n) { return n + 1; });
  }
  std::uint64_t wait(Site site = Site::current()) {
    return wait_then("wait", site, [](std::uint64_t) { return 0; });
  }
  std::uint64_t drain(Site site = Site::current()) {
    return now("drain", site, [](std::uint64_t) { return 0; });
  }
};

class Mutex : Sleepable {
 public:
  constexpr explicit Mutex(const char* name = "mutex") : Sleepable(1, name) {}
  void lock(Site site = Site::current()) {
    wait_then("lock", site, [](std::uint64_t) { return 0; });
  }
  bool try_lock(Site site = Site::current()) {
    return now("try_lock", site, [](std::uint64_t) { return 0; }) != 0;
  }
  void unlock(Site site = Site::current()) {
    const auto free = now("unlock", site, [](std::uint64_t) { return 1; });
    check(free == 0, "a mutex that is unlocked was locked");
  }
};

}  // namespace model
