// call_soon, call_later, call_at, handles and sleep: what runs when.
#include <thread>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

Loop& loop() { return get_running_loop(); }

auto logging(std::string text) {
  return [text] { log(text); };
}

}  // namespace

SCENARIO(call_soon_is_first_in_first_out) {
  for (const auto* name : {"a", "b", "c"}) loop().call_soon(logging(name));
  log("scheduled");
  co_await tick();
}

SCENARIO(callbacks_and_tasks_share_one_order) {
  auto work = [](std::string name) -> Coro<> {
    log("task", name);
    co_return;
  };
  loop().call_soon(logging("callback 1"));
  auto first = create_task(work("a"));
  loop().call_soon(logging("callback 2"));
  auto second = create_task(work("b"));
  log("scheduled");
  co_await first;
  co_await second;
}

SCENARIO(what_a_callback_schedules_goes_behind_what_is_ready) {
  loop().call_soon([] {
    log("first");
    loop().call_soon(logging("made by first"));
  });
  loop().call_soon(logging("second"));
  co_await tick();
}

SCENARIO(call_later_goes_by_time) {
  loop().call_later(ticks(3), [] { log("3 at", passed()); });
  loop().call_later(ticks(1), [] { log("1 at", passed()); });
  loop().call_later(ticks(2), [] { log("2 at", passed()); });
  co_await tick(4);
}

SCENARIO(call_at_names_a_point_in_time) {
  const auto when = loop().time() + ticks(2);
  auto handle = loop().call_at(when, [] { log("called at", passed()); });
  log("when", handle.when() == when);
  co_await tick(3);
}

SCENARIO(a_cancelled_call_is_not_made) {
  auto soon = loop().call_soon(logging("never"));
  auto later = loop().call_later(ticks(1), logging("never"));
  log(soon.cancelled(), later.cancelled());
  soon.cancel();
  later.cancel();
  log(soon.cancelled(), later.cancelled());
  co_await tick(2);
  log("end");
}

SCENARIO(a_callback_may_cancel_another_that_is_ready) {
  std::vector<Handle> handles;
  loop().call_soon([&] { handles[0].cancel(); });
  handles.push_back(loop().call_soon(logging("never")));
  loop().call_soon(logging("last"));
  co_await tick();
}

SCENARIO(an_exception_in_a_callback_goes_to_the_handler_and_the_loop_goes_on) {
  loop().set_exception_handler(
      [](const ExceptionContext& context) { log("handler:", context.exception); });
  loop().call_soon([] { throw ValueError("in callback"); });
  loop().call_soon(logging("next"));
  co_await tick();
}

SCENARIO(call_later_of_zero_comes_behind_call_soon) {
  loop().call_later(0ms, logging("later"));
  loop().call_soon(logging("soon"));
  co_await tick();
}

SCENARIO(sleep_zero_lets_what_is_ready_run) {
  loop().call_soon(logging("callback"));
  log("before");
  co_await sleep(0ms);
  log("after");
}

SCENARIO(what_does_not_suspend_lets_nobody_run) {
  auto quick = []() -> Coro<int> { co_return 1; };
  loop().call_soon(logging("callback"));
  int sum = 0;
  for (int i = 0; i < 5; ++i) sum += co_await quick();
  log(sum);
  co_await sleep(0ms);
}

SCENARIO(sleep_gives_a_value) {
  const auto slept = co_await sleep(ticks(1), "slept");
  log(slept, "at", passed());
  log(co_await sleep(0ms, "yielded"));
}

SCENARIO(a_negative_sleep_only_yields) {
  co_await sleep(-5s);
  log("at", passed());
}

SCENARIO(sleeps_in_a_row_add_up) {
  for (const int count : {1, 2, 3}) {
    co_await tick(count);
    log("at", passed());
  }
}

SCENARIO(another_thread_wakes_the_loop) {
  auto future = create_future<std::string>();
  Loop& running = loop();
  auto work = [&] { running.call_soon_threadsafe([=] { future.set_result("from the thread"); }); };
  std::thread thread(work);
  log(co_await future);
  thread.join();
}

SCENARIO(calls_of_one_thread_keep_their_order) {
  auto future = create_future();
  Loop& running = loop();
  auto work = [&] {
    for (const auto* name : {"a", "b", "c"}) running.call_soon_threadsafe(logging(name));
    running.call_soon_threadsafe([=] { future.set_result(); });
  };
  std::thread thread(work);
  co_await future;
  thread.join();
  log("end");
}

SCENARIO(a_thread_may_run_a_coroutine_on_the_loop_and_wait) {
  Loop& running = loop();
  auto done = create_future<std::string>();
  auto work = []() -> Coro<std::string> {
    co_await tick();
    co_return "worked";
  };
  auto thread_body = [&] {
    const auto result = run_coroutine_threadsafe(work(), running).get();
    running.call_soon_threadsafe([=] { done.set_result(result); });
  };
  std::thread thread(thread_body);
  log(co_await done);
  thread.join();
}

namespace {
void step(int count) {
  log("step", count, "at", passed());
  if (count < 3) loop().call_later(ticks(2), [count] { step(count + 1); });
}
}  // namespace

SCENARIO(a_callback_chain_by_time) {
  step(0);
  co_await tick(7);
}

SCENARIO(in_a_callback_there_is_no_current_task) {
  auto done = create_future<bool>();
  loop().call_soon([=] { done.set_result(static_cast<bool>(current_task())); });
  log(co_await done ? "a task" : "None");
  log("in a task:", static_cast<bool>(current_task()));
}

SCENARIO(a_callback_may_start_a_task) {
  auto work = []() -> Coro<> {
    co_await tick();
    log("worked at", passed());
  };
  loop().call_later(ticks(1), [=] { (void)create_task(work()); });
  co_await tick(4);
}
