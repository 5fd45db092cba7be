// Queue, PriorityQueue, LifoQueue: order, limits, join, cancelled waiters, shutdown.
#include "scenario.hpp"

using namespace coil;
using namespace conformance;

SCENARIO(items_come_out_in_the_order_in_which_they_went_in) {
  Queue<int> queue;
  for (int i = 0; i < 3; ++i) co_await queue.put(i);
  log("size", queue.qsize(), "empty", queue.empty(), "full", queue.full());
  std::vector<int> got;
  for (int i = 0; i < 3; ++i) got.push_back(co_await queue.get());
  log(got);
  log("size", queue.qsize(), "empty", queue.empty());
}

SCENARIO(a_priority_queue_gives_the_smallest_first) {
  PriorityQueue<int> queue;
  for (const int i : {3, 1, 2}) queue.put_nowait(i);
  std::vector<int> got;
  for (int i = 0; i < 3; ++i) got.push_back(co_await queue.get());
  log(got);
}

SCENARIO(a_lifo_queue_gives_the_newest_first) {
  LifoQueue<int> queue;
  for (const int i : {1, 2, 3}) queue.put_nowait(i);
  std::vector<int> got;
  for (int i = 0; i < 3; ++i) got.push_back(co_await queue.get());
  log(got);
}

SCENARIO(get_waits_for_an_item) {
  Queue<std::string> queue;
  auto getter = [&]() -> Coro<> {
    const auto item = co_await queue.get();
    log("got", item, "at", passed());
  };
  auto task = create_task(getter());
  co_await tick(2);
  co_await queue.put("it");
  co_await task;
}

SCENARIO(put_waits_for_a_place) {
  Queue<int> queue(1);
  auto putter = [&]() -> Coro<> {
    for (int i = 0; i < 2; ++i) co_await queue.put(i);
    log("both are in at", passed());
  };
  auto task = create_task(putter());
  co_await tick(2);
  log("full", queue.full(), "maxsize", queue.maxsize());
  log("got", co_await queue.get());
  co_await task;
  log("got", co_await queue.get());
}

SCENARIO(nowait_says_so_when_it_would_have_to_wait) {
  Queue<int> queue(1);
  log("get:", attempt([&] { return queue.get_nowait(); }));
  log("put:", attempt([&] { queue.put_nowait(1); }));
  log("put:", attempt([&] { queue.put_nowait(2); }));
  log("get:", attempt([&] { return queue.get_nowait(); }));
  co_return;
}

SCENARIO(those_who_wait_get_items_in_the_order_of_their_coming) {
  Queue<int> queue;
  auto getter = [&](std::string name) -> Coro<> { log(name, "got", co_await queue.get()); };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(getter(name)));
  co_await tick();
  for (int i = 0; i < 3; ++i) queue.put_nowait(i);
  co_await gather(tasks);
}

SCENARIO(those_who_wait_to_put_do_so_in_the_order_of_their_coming) {
  Queue<std::string> queue(1);
  queue.put_nowait("first");
  auto putter = [&](std::string name) -> Coro<> { co_await queue.put(name); };
  std::vector<Task<>> tasks;
  for (const auto* name : {"a", "b", "c"}) tasks.push_back(create_task(putter(name)));
  co_await tick();
  for (int i = 0; i < 4; ++i) {
    log(co_await queue.get());
    co_await tick();
  }
  co_await gather(tasks);
}

SCENARIO(a_cancelled_get_takes_nothing) {
  Queue<std::string> queue;
  auto getter = [&]() -> Coro<std::string> { co_return co_await queue.get(); };
  auto cancelled = create_task(getter());
  auto other = create_task(getter());
  co_await tick();
  cancelled.cancel();
  log(co_await outcome(cancelled));
  co_await queue.put("it");
  const auto ended = co_await outcome(other);
  log(ended, "left", queue.qsize());
}

SCENARIO(a_cancelled_put_puts_nothing) {
  Queue<std::string> queue(1);
  co_await queue.put("first");
  auto putter = [&]() -> Coro<> { co_await queue.put("never"); };
  auto task = create_task(putter());
  co_await tick();
  task.cancel();
  log(co_await outcome(task));
  const auto item = co_await queue.get();
  log(item, "left", queue.qsize());
}

SCENARIO(get_with_a_limit) {
  Queue<std::string> queue;
  const auto ended = co_await outcome(wait_for(queue.get(), ticks(2)));
  log(ended, "at", passed());
  co_await queue.put("it");
  log(co_await outcome(wait_for(queue.get(), ticks(2))));
}

SCENARIO(join_waits_until_all_is_done) {
  Queue<int> queue;
  auto worker = [&]() -> Coro<> {
    for (;;) {
      (void)co_await queue.get();
      co_await tick();
      queue.task_done();
    }
  };
  for (int i = 0; i < 4; ++i) queue.put_nowait(i);
  std::vector workers{create_task(worker()), create_task(worker())};
  co_await queue.join();
  log("joined at", passed());
  for (auto& task : workers) task.cancel();
  co_await gather_results(workers);
}

SCENARIO(join_of_an_unused_queue_does_not_wait) {
  Queue<int> queue;
  co_await queue.join();
  log("joined at", passed());
}

SCENARIO(task_done_too_often_is_an_error) {
  Queue<int> queue;
  log(attempt([&] { queue.task_done(); }));
  queue.put_nowait(1);
  (void)queue.get_nowait();
  log(attempt([&] { queue.task_done(); }));
  log(attempt([&] { queue.task_done(); }));
  co_return;
}

SCENARIO(a_producer_says_the_end_with_a_sentinel) {
  Queue<std::optional<int>> queue(2);
  auto producer = [&]() -> Coro<> {
    for (int i = 0; i < 5; ++i) co_await queue.put(i);
    co_await queue.put(std::nullopt);
  };
  auto consumer = [&]() -> Coro<std::vector<int>> {
    std::vector<int> got;
    while (auto item = co_await queue.get()) got.push_back(*item);
    co_return got;
  };
  auto [nothing, got] = co_await gather(producer(), consumer());
  log(got);
}

SCENARIO(no_item_is_lost_or_doubled_among_many) {
  Queue<int> queue(3);
  auto producer = [&](int base) -> Coro<int> {
    for (int i = 0; i < 50; ++i) co_await queue.put(base + i);
    co_return 0;
  };
  auto consumer = [&]() -> Coro<int> {
    int total = 0;
    for (int i = 0; i < 50; ++i) total += co_await queue.get();
    co_return total;
  };
  std::vector<Coro<int>> all;
  for (int i = 0; i < 4; ++i) all.push_back(consumer());
  for (int i = 0; i < 4; ++i) all.push_back(producer(1000 * i));
  int sum = 0;
  for (const int total : co_await gather(std::move(all))) sum += total;
  log("sum", sum, "left", queue.qsize());
}

SCENARIO(negative_and_zero_sizes_are_no_limit) {
  for (const int size : {0, -1}) {
    Queue<int> queue(size);
    for (int i = 0; i < 100; ++i) queue.put_nowait(i);
    log("full", queue.full(), "size", queue.qsize());
  }
  co_return;
}

SCENARIO(a_queue_that_was_shut_down_gives_what_is_left) {
  Queue<int> queue;
  queue.put_nowait(1);
  queue.put_nowait(2);
  queue.shutdown();
  log("put:", attempt([&] { queue.put_nowait(3); }));
  log(co_await outcome(queue.get()));
  log(co_await outcome(queue.get()));
  log("get:", co_await outcome(queue.get()));
}

SCENARIO(an_immediate_shutdown_drops_what_is_left) {
  Queue<int> queue;
  queue.put_nowait(1);
  queue.put_nowait(2);
  queue.shutdown(true);
  log("get:", attempt([&] { return queue.get_nowait(); }));
  log("size", queue.qsize());
  co_await queue.join();
  log("joined");
}

SCENARIO(a_shutdown_wakes_those_who_wait_to_get) {
  Queue<int> queue;
  auto getter = [&]() -> Coro<int> { co_return co_await queue.get(); };
  std::vector tasks{create_task(getter()), create_task(getter())};
  co_await tick();
  queue.shutdown();
  for (auto& task : tasks) log(co_await outcome(task));
}

SCENARIO(a_shutdown_wakes_those_who_wait_to_put) {
  Queue<std::string> queue(1);
  queue.put_nowait("first");
  auto putter = [&]() -> Coro<> { co_await queue.put("second"); };
  auto task = create_task(putter());
  co_await tick();
  queue.shutdown();
  log(co_await outcome(task));
  log("still there", co_await outcome(queue.get()));
}

SCENARIO(join_after_a_shutdown_waits_for_what_was_taken) {
  Queue<int> queue;
  queue.put_nowait(1);
  (void)queue.get_nowait();
  queue.shutdown(true);
  get_running_loop().call_later(ticks(1), [&] { queue.task_done(); });
  co_await queue.join();
  log("joined after task_done");
}
