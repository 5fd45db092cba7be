// Asynchronous context managers, exit stacks, and finally with an await.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {

struct Resource {
  std::string name;
  bool swallow = false;
  std::string fails_in = "";

  Coro<Resource&> aenter() {
    co_await tick();
    if (fails_in == "enter") throw ValueError(name + " cannot be entered");
    log("enter", name);
    co_return *this;
  }
  Coro<bool> aexit(std::exception_ptr error) {
    co_await tick();
    log("exit", name, error);
    if (fails_in == "exit") throw ValueError(name + " cannot be left");
    co_return swallow;
  }
};

Coro<> say(std::string text) {
  co_await tick();
  log(text);
}

Coro<> wait_long() { co_await tick(100); }

template <class E>
Coro<> raise(E error) {
  throw error;
  co_return;
}

// with() gives an optional where the manager may swallow; the scenarios want None.
template <class A>
Coro<> ignoring_result(A awaitable) {
  (void)co_await std::move(awaitable);
}

}  // namespace

SCENARIO(a_manager_is_entered_and_left) {
  co_await with(Resource{"a"}, [](Resource& resource) -> Coro<> {
    log("body with", resource.name);
    co_return;
  });
  log("end");
}

SCENARIO(a_manager_is_left_when_its_body_raises) {
  auto run = with(Resource{"a"}, [] { return raise(ValueError("body")); });
  log(co_await outcome(ignoring_result(std::move(run))));
}

SCENARIO(a_manager_may_swallow_the_exception) {
  Resource resource{.name = "a", .swallow = true};
  co_await with(resource, [] { return raise(ValueError("swallowed")); });
  log("goes on");
}

SCENARIO(a_manager_that_cannot_be_entered_is_not_left) {
  auto run = with(Resource{.name = "a", .fails_in = "enter"}, []() -> Coro<> {
    log("never");
    co_return;
  });
  log(co_await outcome(ignoring_result(std::move(run))));
}

SCENARIO(an_exception_on_the_way_out_takes_the_place_of_the_bodys) {
  auto run =
      with(Resource{.name = "a", .fails_in = "exit"}, [] { return raise(LookupError("body")); });
  log(co_await outcome(ignoring_result(std::move(run))));
}

SCENARIO(a_manager_is_left_when_its_task_is_cancelled) {
  auto task = create_task(ignoring_result(with(Resource{"a"}, wait_long)));
  co_await tick(2);
  task.cancel("from outside");
  log(co_await outcome(task));
}

SCENARIO(a_manager_is_left_when_time_is_up) {
  auto run = timeout(ticks(3), []() -> Coro<> { co_await with(Resource{"a"}, wait_long); });
  const auto ended = co_await outcome(std::move(run));
  log(ended, "at", passed());
}

SCENARIO(a_manager_is_left_when_a_sibling_in_the_group_fails) {
  auto worker = []() -> Coro<> { co_await with(Resource{"a"}, wait_long); };
  auto fail = []() -> Coro<> {
    co_await tick(3);
    throw ValueError("sibling");
  };
  auto run = with_task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(worker());
    group.create_task(fail());
    co_return;
  });
  log(co_await outcome(std::move(run)));
}

SCENARIO(managers_are_left_in_the_reverse_order) {
  co_await with(Resource{"a"}, []() -> Coro<> {
    co_await with(Resource{"b"}, []() -> Coro<> {
      log("body");
      co_return;
    });
  });
}

SCENARIO(an_exit_stack_leaves_everything_newest_first) {
  co_await with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
    auto& first = co_await stack.enter(Resource{"a"});
    log("got", first.name);
    co_await stack.enter(Resource{"b"});
    stack.callback([] { log("plain callback"); });
    stack.push_async_callback(say, "awaited callback");
    log("body");
  });
  log("end");
}

SCENARIO(an_exit_stack_leaves_everything_though_the_body_raises) {
  auto run = with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
    stack.push_async_callback(say, "callback");
    co_await stack.enter(Resource{"a"});
    throw ValueError("body");
  });
  log(co_await outcome(ignoring_result(std::move(run))));
}

SCENARIO(what_is_on_an_exit_stack_may_swallow_the_exception) {
  co_await with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
    co_await stack.enter(Resource{"outer"});
    co_await stack.enter(Resource{.name = "swallows", .swallow = true});
    co_await stack.enter(Resource{"inner"});
    throw ValueError("body");
  });
  log("goes on");
}

SCENARIO(an_exit_stack_whose_entering_fails_leaves_what_it_had) {
  auto run = with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
    co_await stack.enter(Resource{"a"});
    co_await stack.enter(Resource{.name = "b", .fails_in = "enter"});
    log("never");
  });
  log(co_await outcome(ignoring_result(std::move(run))));
}

SCENARIO(an_exit_stack_may_be_left_by_hand) {
  AsyncExitStack stack;
  co_await stack.enter(Resource{"a"});
  stack.push_async_callback(say, "callback");
  log("leaving");
  co_await stack.aclose();
  co_await stack.aclose();
  log("left");
}

SCENARIO(what_is_popped_off_an_exit_stack_stays_entered) {
  AsyncExitStack kept;
  co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
    co_await stack.enter(Resource{"a"});
    kept = stack.pop_all();
  });
  log("the stack is left");
  co_await kept.aclose();
}

SCENARIO(finally_awaits_after_a_return) {
  auto run =
      try_finally([]() -> Coro<std::string> { co_return "value"; }, [] { return say("clean-up"); });
  log(co_await outcome(std::move(run)));
}

SCENARIO(finally_awaits_after_an_exception) {
  auto run = try_finally([] { return raise(ValueError("body")); }, [] { return say("clean-up"); });
  log(co_await outcome(std::move(run)));
}

SCENARIO(finally_awaits_after_a_cancel) {
  auto task = create_task(try_finally(wait_long, [] { return say("clean-up"); }));
  co_await tick();
  task.cancel("why");
  log(co_await outcome(task));
}

SCENARIO(an_exception_in_finally_wins) {
  auto run = try_finally([] { return raise(ValueError("body")); },
                         []() -> Coro<> {
                           co_await tick();
                           throw LookupError("clean-up");
                         });
  log(co_await outcome(std::move(run)));
}

SCENARIO(a_second_cancel_waits_for_the_clean_up) {
  auto task = create_task(try_finally(wait_long, []() -> Coro<> {
    co_await tick(4);
    log("clean-up ends at", passed());
  }));
  co_await tick();
  task.cancel("first");
  co_await tick();
  task.cancel("second");
  log(co_await outcome(task));
}
