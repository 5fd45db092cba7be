// sched/idle_set.hpp with the queues it guards: no item stays while all loops sleep.
//
// The loops below do what sched/worker_idle.cpp does. Who runs the last item stops all loops; a
// lost wake-up leaves them asleep with an item in a queue, and that is a deadlock.
#include "idle_set.hpp"

#include <array>

#include "injector.hpp"
#include "model/model.hpp"
#include "run_queue.hpp"

namespace {

using coil::detail::IdleSet;
using coil::detail::Injector;
using coil::detail::Runnable;
using coil::detail::RunQueue;
using model::check;
using model::Order;
using model::Run;

struct Item : Runnable {
  model::Plain<int> content{0};
};

class Pool {
 public:
  explicit Pool(int items, bool together = false) : items_(items), together_(together) {}

  void run_loop(unsigned me) {
    while (!stop_.load(Order::acquire)) {
      searching_[me] = set_.begin_search();
      if (!searching_[me] || !search(me)) park(me);
      if (std::exchange(searching_[me], false) && set_.end_search()) notify_more(me);
      while (Item* item = queues_[me].pop()) run(*item);
    }
  }
  void inject(Item& item) {
    item.content = 7;
    injector_.push(item);
    wake(set_.claim_idle(0));
  }
  // On loop `me`, which stays busy: somebody else has to run it.
  void spawn(unsigned me, Item& item) {
    item.content = 7;
    check(queues_[me].push(&item), "there is room");
    wake(set_.claim_idle(me));
  }
  void finish() { check(done_.load() == items_, "every item has run"); }

 private:
  bool search(unsigned me) {
    Runnable* one = nullptr;
    if (injector_.pop(&one, 1) != 0) {
      check(queues_[me].push(static_cast<Item*>(one)), "a searcher's queue is empty");
      return true;
    }
    Item* batch[1];
    if (queues_[1 - me].steal(batch, 1) == 0) return false;
    check(queues_[me].push(batch[0]), "a searcher's queue is empty");
    return true;
  }
  void park(unsigned me) {
    if (std::exchange(searching_[me], false)) set_.end_search();
    const bool too_early = model::mutated("park.look_first") && work_in_sight(me);
    set_.publish(me);
    const bool work = model::mutated("park.look_first") ? too_early : work_in_sight(me);
    // Seen, but for the one who searches: a real loop goes round until that has taken it.
    work ? model::spin_pause() : (void)bells_[me].wait();
    if (!set_.retract(me)) {
      searching_[me] = true;
      (void)search(me);
    }
  }
  bool work_in_sight(unsigned me) { return !injector_.empty() || !queues_[1 - me].empty(); }
  void notify_more(unsigned me) {
    if (model::mutated("found.tell_nobody")) return;
    if (!injector_.empty() || !queues_[0].empty() || !queues_[1].empty()) wake(set_.claim_any(me));
  }
  void wake(int loop) {
    if (loop >= 0) bells_[static_cast<unsigned>(loop)].signal();
  }
  void run(Item& item) {
    check(item.content == 7, "an item arrives with its content");
    item.content = 8;  // and runs once
    started_.fetch_add(1, Order::acq_rel);
    // Long work, in which this loop looks for nothing else.
    if (together_) model::block_until([&] { return started_.load(Order::acquire) == items_; });
    if (done_.fetch_add(1, Order::acq_rel) + 1 != items_) return;
    stop_.store(true, Order::release);
    for (auto& bell : bells_) bell.signal();
  }

  int items_;
  bool together_;
  IdleSet set_{2};
  Injector injector_;
  std::array<RunQueue<Item, 4>, 2> queues_;
  std::array<model::EventFd, 2> bells_;
  std::array<bool, 2> searching_{};
  model::Atomic<int> started_{0};
  model::Atomic<int> done_{0};
  model::Atomic<bool> stop_{false};
};

MODEL(IdleSet, "no item stays while all loops sleep", .preemptions = 2, .stale_reads = 2) {
  Pool pool(1);
  Item item;
  run.thread("loop", [&] { pool.run_loop(0); });
  run.thread("submitter", [&] { pool.inject(item); });
  run.join();
  pool.finish();
}

MODEL(IdleSet, "two loops and a foreign thread: somebody runs each item", .preemptions = 2,
      .stale_reads = 0) {
  Pool pool(2);
  Item items[2];
  run.thread("loop", [&] { pool.run_loop(0); });
  run.thread("other loop", [&] { pool.run_loop(1); });
  run.thread("submitter", [&] {
    pool.inject(items[0]);
    pool.inject(items[1]);
  });
  run.join();
  pool.finish();
}

// Each of two items needs the other to run at the same time.
MODEL(IdleSet, "who found work wakes the next before it gets busy", .preemptions = 1,
      .stale_reads = 1) {
  Pool pool(2, true);
  Item items[2];
  run.thread("loop", [&] { pool.run_loop(0); });
  run.thread("other loop", [&] { pool.run_loop(1); });
  run.thread("submitter", [&] {
    pool.inject(items[0]);
    pool.inject(items[1]);
  });
  run.join();
  pool.finish();
}

MODEL(IdleSet, "what a busy loop spawns is stolen by one that went to sleep", .preemptions = 2,
      .stale_reads = 2) {
  Pool pool(2);
  Item items[2];
  run.thread("busy", [&] {
    pool.spawn(0, items[0]);
    pool.spawn(0, items[1]);
  });
  run.thread("sleepy", [&] { pool.run_loop(1); });
  run.join();
  pool.finish();
}

MUTATION(IdleSet, "no item stays while all loops sleep", hook("park.look_first"));
MUTATION(IdleSet, "no item stays while all loops sleep",
         skip("words_[loop / 64]", Op::Rmw, "publish"));
MUTATION(IdleSet, "no item stays while all loops sleep",
         weaken("counts_", Op::Rmw, Order::acq_rel, "publish"));
MUTATION(IdleSet, "no item stays while all loops sleep",
         weaken("counts_", Op::Load, Order::acquire, "claim_idle"));
MUTATION(IdleSet, "no item stays while all loops sleep",
         weaken("size_", Op::Store, Order::release, "push"));
MUTATION(IdleSet, "no item stays while all loops sleep",
         weaken("size_", Op::Load, Order::acquire, "size"));
MUTATION(IdleSet, "who found work wakes the next before it gets busy", hook("found.tell_nobody"));
MUTATION(IdleSet, "what a busy loop spawns is stolen by one that went to sleep",
         weaken("tail_", Op::Store, Order::release, "push"));
MUTATION(IdleSet, "what a busy loop spawns is stolen by one that went to sleep",
         weaken("tail_", Op::Load, Order::acquire, "empty"));

}  // namespace
