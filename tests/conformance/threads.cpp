// to_thread: functions that block, on threads of their own.
#include <atomic>
#include <thread>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

ContextVar<std::string> user{"user", "nobody"};

// threading.Event.
class Flag {
 public:
  void set() { set_ = true; }
  void wait() const {
    while (!set_) std::this_thread::yield();
  }
  [[nodiscard]] bool is_set() const { return set_; }

 private:
  std::atomic<bool> set_ = false;
};

Coro<> until(const Flag& flag) {
  while (!flag.is_set()) co_await tick();
}

}  // namespace

SCENARIO(the_result_of_a_function_comes_back) {
  log(co_await to_thread([](int a, int b) { return a * b; }, 6, 7));
}

SCENARIO(the_exception_of_a_function_comes_back) {
  auto fail = [] { throw ValueError("bad"); };
  log(co_await outcome(to_thread(fail)));
}

SCENARIO(the_function_has_a_copy_of_its_callers_context) {
  auto work = [] {
    auto before = user.get();
    user.set("thread");
    return before + " " + user.get();
  };
  user.set("ann");
  log(co_await to_thread(work));
  log(user.get());
}

SCENARIO(the_context_is_that_of_the_moment_when_it_is_awaited) {
  auto late = to_thread([] { return user.get(); });
  user.set("ann");
  log(co_await std::move(late));
}

SCENARIO(a_function_has_no_running_loop) {
  auto work = [] { return std::string(get_running_loop_or_null() ? "a loop" : "no loop"); };
  log(co_await to_thread(work));
}

SCENARIO(a_cancelled_wait_leaves_the_function_running) {
  Flag begun, go, ended;
  auto work = [&] {
    begun.set();
    go.wait();
    ended.set();
  };
  auto task = create_task(to_thread(work));
  co_await until(begun);
  task.cancel("enough");
  log(co_await outcome(task));
  log("ended", ended.is_set());
  go.set();
  co_await until(ended);
  log("ended", ended.is_set());
}

SCENARIO(a_time_limit_leaves_the_function_running) {
  Flag go, ended;
  auto work = [&] {
    go.wait();
    ended.set();
  };
  log(co_await outcome(wait_for(to_thread(work), 10ms)));
  log("ended", ended.is_set());
  go.set();
  co_await until(ended);
}

PROGRAM(run_waits_for_functions_whose_wait_was_cancelled) {
  Flag begun, go;
  auto work = [&] {
    begun.set();
    go.wait();
    log("the function ends");
  };
  auto wait_for_it = [&]() -> Coro<> {
    try {
      co_await to_thread(work);
    } catch (const CancelledError&) {
      log("cancelled");
      get_running_loop().call_later(10ms, [&] { go.set(); });
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    create_task(wait_for_it);
    co_await until(begun);
    log("main ends");
  };
  run(main(), run_options());
  log("run is over");
}

PROGRAM(run_waits_for_functions_that_still_call_the_loop) {
  Flag begun;
  auto work = [&](Loop* loop) {
    Flag called;
    begun.set();
    loop->call_soon_threadsafe([&] { called.set(); });
    called.wait();
    log("the function ends");
  };
  auto main = [&]() -> Coro<> {
    create_task(to_thread(work, &get_running_loop()));
    co_await until(begun);
  };
  run(main(), run_options());
  log("run is over");
}
