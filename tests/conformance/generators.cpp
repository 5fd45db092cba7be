// Asynchronous generators: pages, closing, exceptions and cancels in the body.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(items_come_one_by_one) {
  auto count = [](int n) -> AsyncGenerator<int> {
    for (int i = 0; i < n; ++i) {
      co_await tick();
      co_yield i;
    }
  };
  COIL_FOR_AWAIT(int i, count(3)) { log("got", i, "at", passed()); }
  log("end");
}

SCENARIO(pages_are_fetched_as_they_are_needed) {
  struct Page {
    std::vector<int> items;
    bool more;
  };
  auto fetch_page = [](int number) -> Coro<Page> {
    log("fetching page", number);
    co_await tick();
    co_return Page{{number * 10, number * 10 + 1, number * 10 + 2}, number < 2};
  };
  auto items = [&]() -> AsyncGenerator<int> {
    bool more = true;
    for (int number = 0; more; ++number) {
      auto page = co_await fetch_page(number);
      for (const int item : page.items) co_yield item;
      more = page.more;
    }
  };
  COIL_FOR_AWAIT(int item, items()) { log(item); }
}

SCENARIO(a_generator_does_nothing_until_it_is_asked) {
  auto numbers = []() -> AsyncGenerator<int> {
    log("begins");
    co_yield 1;
  };
  auto generator = numbers();
  log("made");
  log("got", co_await generator.next());
  co_await generator.aclose();
}

SCENARIO(an_exhausted_generator_stays_so) {
  auto one = []() -> AsyncGenerator<int> { co_yield 1; };
  auto generator = one();
  log(co_await generator.next());
  auto first = co_await generator.next();
  log(first, co_await generator.next());
}

SCENARIO(an_exception_of_the_body_comes_out_of_the_loop) {
  auto fails = []() -> AsyncGenerator<int> {
    co_yield 1;
    co_await tick();
    throw ValueError("in the body");
  };
  auto generator = fails();
  try {
    while (auto i = co_await generator.next()) log("got", *i);
  } catch (const ValueError& error) {
    log("caught", error);
  }
  log("ended:", co_await generator.next());
}

SCENARIO(aclose_ends_the_body_at_its_yield) {
  auto numbers = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
      log("never");
    } catch (const GeneratorExit&) {
      log("GeneratorExit");
      log("finally");
      throw;
    }
  };
  auto generator = numbers();
  co_await generator.next();
  co_await generator.aclose();
  log("closed");
  co_await generator.aclose();
  log(co_await generator.next());
}

SCENARIO(aclose_waits_for_the_clean_up) {
  auto numbers = []() -> AsyncGenerator<int> {
    std::exception_ptr error;
    try {
      co_yield 1;
    } catch (...) {
      error = std::current_exception();
    }
    co_await tick(3);
    log("cleaned up");
    if (error) std::rethrow_exception(error);
  };
  auto generator = numbers();
  co_await generator.next();
  co_await generator.aclose();
  log("closed at", passed());
}

SCENARIO(aclose_before_the_beginning_runs_nothing) {
  auto numbers = []() -> AsyncGenerator<int> {
    log("never");
    co_yield 1;
  };
  auto generator = numbers();
  co_await generator.aclose();
  log(co_await generator.next());
}

SCENARIO(an_exception_in_the_clean_up_comes_out_of_aclose) {
  auto numbers = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (...) {
      throw ValueError("clean-up");
    }
  };
  auto generator = numbers();
  co_await generator.next();
  log(co_await outcome(generator.aclose()));
}

SCENARIO(a_generator_that_yields_while_it_is_closed_is_an_error) {
  auto stubborn = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_yield 2;
  };
  auto generator = stubborn();
  co_await generator.next();
  try {
    co_await generator.aclose();
  } catch (const RuntimeError&) {
    log(kind());
  }
}

SCENARIO(a_loop_that_is_left_closes_its_generator) {
  auto numbers = []() -> AsyncGenerator<int> {
    try {
      for (int i = 0; i < 100; ++i) co_yield i;
    } catch (...) {
      log("closed");
      throw;
    }
  };
  COIL_FOR_AWAIT(int i, numbers()) {
    log(i);
    if (i == 1) break;
  }
  log("after the loop");
}

SCENARIO(a_cancel_is_raised_in_the_body_where_it_waits) {
  auto slow = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
      co_await tick(100);
    } catch (const CancelledError&) {
      log("cancelled in the body");
      throw;
    }
  };
  auto consume = [&]() -> Coro<> {
    COIL_FOR_AWAIT(int i, slow()) { log("got", i); }
  };
  auto task = create_task(consume());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
}

SCENARIO(a_limit_on_each_item) {
  auto slow = []() -> AsyncGenerator<int> {
    for (const int i : {1, 5}) {
      co_await tick(i);
      co_yield i;
    }
  };
  auto generator = slow();
  try {
    for (bool more = true; more;) {
      auto item = co_await wait_for(generator.next(), ticks(3));
      more = item.has_value();
      log("got", item);
    }
  } catch (const TimeoutError&) {
    log("time is up at", passed());
  }
  log("ended:", co_await generator.next());
}

namespace {
AsyncGenerator<int> numbers_to(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
}
AsyncGenerator<int> evens() {
  COIL_FOR_AWAIT(int i, numbers_to(7)) {
    if (i % 2 == 0) co_yield i;
  }
}
AsyncGenerator<int> squares() {
  COIL_FOR_AWAIT(int i, evens()) { co_yield i* i; }
}
}  // namespace

SCENARIO(generators_of_generators) {
  std::vector<int> all;
  COIL_FOR_AWAIT(int i, squares()) { all.push_back(i); }
  log(all);
}

SCENARIO(a_generator_that_is_in_use_refuses_a_second_consumer) {
  auto slow = []() -> AsyncGenerator<int> {
    co_await tick(3);
    co_yield 1;
  };
  auto generator = slow();
  auto first = [&]() -> Coro<> { log("first got", co_await generator.next()); };
  auto task = create_task(first());
  co_await tick();
  try {
    co_await generator.next();
  } catch (const RuntimeError&) {
    log("second:", kind());
  }
  co_await task;
  co_await generator.aclose();
}

SCENARIO(two_tasks_may_take_turns) {
  auto numbers = []() -> AsyncGenerator<int> {
    for (int i = 0; i < 4; ++i) {
      co_await tick();
      co_yield i;
    }
  };
  auto generator = numbers();
  auto take = [&]() -> Coro<int> { co_return *co_await generator.next(); };
  std::vector<int> got;
  for (int i = 0; i < 4; ++i) got.push_back(co_await create_task(take()));
  log(got);
  co_await generator.aclose();
}

namespace {
ContextVar<std::string> variable{"variable"};
}  // namespace

SCENARIO(the_body_sees_the_context_of_who_asks) {
  variable.set("loop's");
  auto items = []() -> AsyncGenerator<std::string> {
    for (;;) co_yield variable.get();
  };
  auto generator = items();
  log(co_await generator.next());
  variable.set("changed");
  log(co_await generator.next());
  auto other = [&]() -> Coro<> {
    variable.set("other's");
    log(co_await generator.next());
  };
  co_await create_task(other());
  log(co_await generator.next());
  co_await generator.aclose();
}

SCENARIO(what_the_body_sets_the_one_who_asks_sees) {
  auto items = []() -> AsyncGenerator<int> {
    variable.set("set in the body");
    co_yield 1;
  };
  COIL_FOR_AWAIT([[maybe_unused]] int item, items()) { log(variable.get()); }
}
