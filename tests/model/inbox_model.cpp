// Posting to a loop from another thread: sched/mpsc_stack.hpp, the loop's `sleeping` flag and
// sched/backend/io_uring/wake.hpp together, as sched/worker.cpp and worker_idle.cpp combine them.
#include "backend/io_uring/wake.hpp"
#include "model/model.hpp"
#include "mpsc_stack.hpp"

namespace {

using coil::detail::MpscStack;
using coil::detail::uring::WakeState;
using model::check;
using model::Order;
using model::Run;

struct Item {
  Item* next = nullptr;
  model::Plain<int> content{0};
};

class Loop {
 public:
  void post(Item& item) {
    item.content = 7;
    check(inbox_.push(item), "the inbox is open");
    if (sleeping_.load(Order::seq_cst) && wake_.notify()) ring_.signal();
  }
  void run_until(int items) {
    for (int taken = 0; taken < items;) {
      for (Item* item = inbox_.take_all(); item != nullptr;) {
        Item* next = item->next;
        check(item->content == 7, "an item arrives with its content");
        item = next;
        ++taken;
      }
      if (taken < items) park();
    }
  }

 private:
  void park() {
    sleeping_.store(true, Order::seq_cst);
    if (inbox_.empty() && wake_.begin_park()) {
      ring_.wait();
      wake_.end_park();
    }
    sleeping_.store(false, Order::seq_cst);
  }

  MpscStack<Item> inbox_;
  model::Atomic<bool> sleeping_{false};
  WakeState wake_;
  model::EventFd ring_{"ring"};
};

MODEL(Inbox, "a post reaches a loop that goes to sleep", .preemptions = 3) {
  Loop loop;
  Item item;
  run.thread("loop", [&] { loop.run_until(1); });
  run.thread("poster", [&] { loop.post(item); });
  run.join();
}

MODEL(Inbox, "two posts reach a loop that goes to sleep") {
  Loop loop;
  Item items[2];
  run.thread("loop", [&] { loop.run_until(2); });
  for (Item& item : items) run.thread("poster", [&] { loop.post(item); });
  run.join();
}

MUTATION(Inbox, "a post reaches a loop that goes to sleep", late("sleeping_", "park"));
MUTATION(Inbox, "a post reaches a loop that goes to sleep",
         weaken("sleeping_", Op::Store, Order::release, "park"));
MUTATION(Inbox, "a post reaches a loop that goes to sleep",
         weaken("sleeping_", Op::Load, Order::acquire, "post"));
MUTATION(Inbox, "a post reaches a loop that goes to sleep",
         weaken("head_", Op::Cas, Order::acq_rel, "push"));
MUTATION(Inbox, "a post reaches a loop that goes to sleep",
         weaken("head_", Op::Load, Order::acquire, "empty"));
MUTATION(Inbox, "a post reaches a loop that goes to sleep", blind("head_", "empty"));

}  // namespace
