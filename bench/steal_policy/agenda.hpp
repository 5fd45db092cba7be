// The clock of the simulation, and coroutines that let it pass.
//
// Invariant: what happens at the same time happens in the order in which it was asked for, so a run
// depends on nothing but its seed.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <queue>
#include <utility>
#include <vector>

namespace steal_policy {

using Time = std::int64_t;  // nanoseconds

class Agenda {
 public:
  [[nodiscard]] Time now() const noexcept { return now_; }

  void resume_at(Time time, std::coroutine_handle<> who) { events_.push({time, number_++, who}); }
  bool run_next() {
    if (events_.empty()) return false;
    const Event event = events_.top();
    events_.pop();
    now_ = event.time;
    event.who.resume();
    return true;
  }

  struct Sleep {
    Agenda& agenda;
    Time until;
    // Nobody else does anything meanwhile: go on at once.
    [[nodiscard]] bool await_ready() const noexcept {
      const bool first = agenda.events_.empty() || agenda.events_.top().time > until;
      if (first) agenda.now_ = until;
      return first;
    }
    void await_suspend(std::coroutine_handle<> who) const { agenda.resume_at(until, who); }
    void await_resume() const noexcept {}
  };
  [[nodiscard]] Sleep sleep(Time time) noexcept { return {*this, now_ + time}; }

 private:
  struct Event {
    Time time;
    std::uint64_t number;
    std::coroutine_handle<> who;
    bool operator<(const Event& other) const noexcept {
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  Time now_ = 0;
  std::uint64_t number_ = 0;
  std::priority_queue<Event> events_;
};

// A coroutine that starts when it is awaited, or by start() for the outermost one.
template <class T>
class [[nodiscard]] Step {
 public:
  struct promise_type {
    T value{};
    std::coroutine_handle<> awaiter = std::noop_coroutine();

    Step get_return_object() noexcept {
      return Step(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept {
      struct Final {
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(
            std::coroutine_handle<promise_type> self) const noexcept {
          return self.promise().awaiter;
        }
        void await_resume() const noexcept {}
      };
      return Final{};
    }
    void return_value(T result) noexcept { value = result; }
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };

  Step(Step&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Step& operator=(Step&&) = delete;
  ~Step() {
    if (handle_) handle_.destroy();
  }

  void start() { handle_.resume(); }
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().awaiter = awaiter;
    return handle_;
  }
  T await_resume() const noexcept { return handle_.promise().value; }

 private:
  explicit Step(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace steal_policy
