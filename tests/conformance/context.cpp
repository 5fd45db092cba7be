// Context variables: who sees what was set where.
#include <algorithm>

#include "scenario.hpp"

using namespace coil;
using namespace conformance;

namespace {
ContextVar<std::string> request{"request", "none"};
ContextVar<std::string> unset{"unset"};
}  // namespace

SCENARIO(a_variable_has_a_default) {
  log(request.get(), request.name());
  log("without one:", attempt([] { return unset.get(); }));
  log("with another:", unset.get("fallback"));
  co_return;
}

SCENARIO(a_task_copies_its_makers_context_when_it_is_made) {
  auto child = []() -> Coro<> {
    log("child sees", request.get());
    co_return;
  };
  request.set("one");
  auto task = create_task(child());
  request.set("two");
  co_await task;
  log("maker sees", request.get());
}

SCENARIO(what_a_task_sets_its_maker_does_not_see) {
  auto child = []() -> Coro<> {
    request.set("child's");
    co_await tick();
    log("child sees", request.get());
  };
  request.set("maker's");
  co_await create_task(child());
  log("maker sees", request.get());
}

SCENARIO(a_coroutine_awaited_in_place_shares_the_context) {
  auto inner = []() -> Coro<> {
    request.set("inner's");
    co_return;
  };
  request.set("outer's");
  co_await inner();
  log(request.get());
}

SCENARIO(reset_brings_the_old_value_back) {
  auto first = request.set("one");
  auto second = request.set("two");
  request.reset(second);
  log(request.get());
  request.reset(first);
  log(request.get());
  co_return;
}

SCENARIO(a_token_knows_the_value_before) {
  request.set("one");
  auto token = request.set("two");
  log("old value", token.old_value());
  request.reset(token);
  log(request.get());
  co_return;
}

SCENARIO(a_token_is_used_once_and_for_its_own_variable) {
  auto token = request.set("one");
  request.reset(token);
  log("again:", attempt([&] { request.reset(token); }));
  auto other = request.set("two");
  log("of another:", attempt([&] { unset.reset(other); }));
  co_return;
}

SCENARIO(a_token_of_another_context_is_refused) {
  auto token = request.set("one");
  auto child = [&]() -> Coro<> {
    log(attempt([&] { request.reset(token); }));
    co_return;
  };
  co_await create_task(child());
  log(request.get());
}

SCENARIO(each_request_has_its_own_value) {
  auto log_line = []() -> Coro<std::string> {
    co_await sleep(0ms);
    co_return request.get();
  };
  auto handle = [&](int number) -> Coro<std::string> {
    request.set("request " + std::to_string(number));
    co_await tick(3 - number);
    co_return co_await log_line();
  };
  std::vector<Coro<std::string>> requests;
  for (int number = 0; number < 3; ++number) requests.push_back(handle(number));
  log(co_await gather(std::move(requests)));
  log("outside", request.get());
}

SCENARIO(a_context_can_be_copied_and_run_in) {
  request.set("main's");
  auto copy = copy_context();
  auto change = [] {
    request.set("copy's");
    return request.get();
  };
  const auto inside = copy.run(change);
  log("inside", inside, "outside", request.get());
  log("again inside", copy.run([] { return request.get(); }));
  co_return;
}

SCENARIO(callbacks_run_in_the_context_of_their_making) {
  Loop& loop = get_running_loop();
  auto done = create_future();
  auto callback = [](std::string text) { log(text, request.get()); };
  request.set("when scheduled");
  loop.call_soon([=] { callback("soon:"); });
  loop.call_later(ticks(1), [=] { callback("later:"); });
  loop.call_later(ticks(2), [=] { done.set_result(); });
  request.set("afterwards");
  co_await done;
}

SCENARIO(done_callbacks_run_in_the_context_of_their_adding) {
  auto task = create_task(tick());
  request.set("when added");
  task.add_done_callback([](const Future<>&) { log(request.get()); });
  request.set("afterwards");
  co_await tick(2);
}

SCENARIO(a_task_may_be_given_a_context) {
  auto context = copy_context();
  context.run([] { request.set("given"); });
  auto child = []() -> Coro<> {
    log("child sees", request.get());
    request.set("set by the child");
    co_return;
  };
  co_await create_task(child(), {.context = context});
  log("the context has", context.run([] { return request.get(); }), "the maker", request.get());
}

SCENARIO(the_context_lasts_over_many_suspensions) {
  auto child = [](std::string number) -> Coro<bool> {
    request.set(number);
    for (int i = 0; i < 20; ++i) {
      co_await sleep(0ms);
      if (request.get() != number) co_return false;
    }
    co_return true;
  };
  std::vector<Coro<bool>> children;
  for (int number = 0; number < 50; ++number) children.push_back(child(std::to_string(number)));
  const auto results = co_await gather(std::move(children));
  log(std::all_of(results.begin(), results.end(), [](bool good) { return good; }));
}

SCENARIO(gathered_coroutines_are_tasks_with_contexts_of_their_own) {
  auto child = [](std::string text) -> Coro<> {
    request.set(text);
    co_return;
  };
  request.set("parent's");
  co_await gather(child("one"), child("two"));
  log(request.get());
}

SCENARIO(a_context_cannot_be_entered_twice) {
  auto context = copy_context();
  log(attempt([&] { context.run([&] { context.run([] {}); }); }));
  co_return;
}

SCENARIO(a_timeout_shares_the_context) {
  co_await timeout(ticks(5), []() -> Coro<> {
    request.set("in the body");
    co_return;
  });
  log(request.get());
}
