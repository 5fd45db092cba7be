// Awaitables that know nothing of Coil: resumed from anywhere, never run inline, not cancellable.
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <coroutine>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using namespace std::chrono_literals;

namespace {

// Resumed by hand.
struct Gate {
  std::coroutine_handle<> waiting;
  bool ready = false;
  struct Awaiter {
    Gate& gate;
    bool await_ready() const { return gate.ready; }
    void await_suspend(std::coroutine_handle<> handle) { gate.waiting = handle; }
    int await_resume() const { return 42; }
  };
  Awaiter operator co_await() { return {*this}; }
};

// Resumed by a thread of its own.
struct OnThread {
  std::thread& thread;
  std::thread::id seen = {};
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    thread = std::thread([this, handle] {
      seen = std::this_thread::get_id();
      handle.resume();
    });
  }
  std::thread::id await_resume() const { return seen; }
};

template <class Outcome>
struct Immediate {
  bool await_ready() const { return false; }
  Outcome await_suspend(std::coroutine_handle<> handle) {
    if constexpr (std::is_same_v<Outcome, bool>) {
      return false;
    } else if constexpr (std::is_same_v<Outcome, void>) {
      handle.resume();
    } else {
      return handle;
    }
  }
  std::string await_resume() { return std::string(30, 'i'); }
};

struct Thrower {
  bool in_suspend;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    if (in_suspend) throw std::runtime_error("suspend");
    handle.resume();
  }
  void await_resume() const { throw std::runtime_error("resume"); }
};

struct FreeAwaitable {
  int value;
};
struct FreeAwaiter {
  int value;
  bool await_ready() const { return true; }
  void await_suspend(std::coroutine_handle<>) {}
  int await_resume() const { return value; }
};
FreeAwaiter operator co_await(FreeAwaitable a) { return {a.value}; }

TEST(foreign, is_resumed_through_the_loop_and_not_inline) {
  on_one_loop([]() -> Coro<> {
    Gate gate;
    int got = 0;
    auto task = create_task([&]() -> Coro<> { got = co_await gate; });
    co_await kit::yield();
    EXPECT_TRUE(gate.waiting);
    gate.waiting.resume();
    EXPECT_EQ(got, 0) << "resume() ran the task inline";
    co_await task;
    EXPECT_EQ(got, 42);
  });
}

TEST(foreign, may_be_resumed_by_any_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int i = 0; i < 100; ++i) {
      std::thread thread;
      const auto seen = co_await OnThread{thread};
      EXPECT_NE(seen, std::this_thread::get_id());
      EXPECT_NE(get_running_loop_or_null(), nullptr);
      EXPECT_EQ(seen, thread.get_id());
      thread.join();
    }
  });
}

TEST(foreign, may_decide_not_to_suspend) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ((co_await Immediate<bool>()).size(), 30U);
    EXPECT_EQ((co_await Immediate<void>()).size(), 30U);
    EXPECT_EQ((co_await Immediate<std::coroutine_handle<>>()).size(), 30U);
    EXPECT_EQ(co_await FreeAwaitable{5}, 5);
    EXPECT_EQ(co_await create_task(FreeAwaitable{6}), 6);
    EXPECT_EQ((co_await create_task(Immediate<void>())).size(), 30U);
    co_await std::suspend_never();
  });
}

TEST(foreign, may_throw) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(Thrower{true}), "suspend");
    EXPECT_EQ(co_await kit::thrown_by<std::runtime_error>(Thrower{false}), "resume");
    co_await kit::yield(2);
  });
}

TEST(foreign, holds_a_cancel_until_the_next_suspension) {
  on_one_loop([]() -> Coro<> {
    Gate gate;
    int got = 0;
    auto task = create_task([&]() -> Coro<> {
      got = co_await gate;
      co_await sleep(0ms);
      got = -1;
    });
    co_await kit::yield();
    EXPECT_TRUE(task.cancel("wait for it"));
    co_await kit::yield(3);
    EXPECT_FALSE(task.done());
    gate.waiting.resume();
    EXPECT_EQ(co_await kit::thrown_by<CancelledError>(task), "wait for it");
    EXPECT_EQ(got, 42);
  });
}

TEST(foreign, is_not_kept_from_by_a_pending_cancel) {
  on_one_loop([]() -> Coro<> {
    Gate gate;
    auto task = create_task([&]() -> Coro<> {
      current_task().cancel();
      EXPECT_EQ(co_await gate, 42);
      co_await sleep(0ms);
    });
    co_await kit::yield(2);
    EXPECT_FALSE(task.done());
    gate.waiting.resume();
    co_await kit::thrown_by<CancelledError>(task);
  });
}

TEST(foreign, works_in_wait_for_and_gather) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    std::thread one;
    std::thread two;
    auto [a, b] = co_await gather(OnThread{one}, OnThread{two});
    EXPECT_NE(a, b);
    one.join();
    two.join();
    EXPECT_EQ((co_await wait_for(Immediate<void>(), 10s)).size(), 30U);
  });
}

// Another library's coroutine.
struct Detached {
  struct promise_type {
    Detached get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() const { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
  std::coroutine_handle<> handle;
};

Detached count(int& ran) {
  ++ran;
  co_return;
}

// Resumed before it has suspended, and yet it says who is to run next.
struct HandsOver {
  int& ran;
  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> handle) {
    auto next = count(ran);
    handle.resume();
    return next.handle;
  }
  void await_resume() const {}
};

TEST(foreign, hands_over_to_another_coroutine_though_resumed_at_once) {
  on_loops([]() -> Coro<> {
    int ran = 0;
    for (int i = 1; i <= 10; ++i) {
      co_await HandsOver{ran};
      EXPECT_EQ(ran, i);
    }
  });
}

}  // namespace
