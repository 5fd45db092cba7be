// sched/mpsc_stack.hpp, the inbox: nothing accepted is lost, each pusher's order is kept.
#include "mpsc_stack.hpp"

#include "model/model.hpp"

namespace {

using coil::detail::MpscStack;
using model::check;
using model::Run;

struct Item {
  Item* next = nullptr;
  int pusher = 0;
  int number = 0;
  model::Plain<int> content{0};
};

struct Inbox {
  MpscStack<Item> stack;
  Item items[2][2];
  bool accepted[2][2] = {};
  int taken[2] = {0, 0};

  void push_both(int pusher) {
    for (int i = 0; i < 2; ++i) {
      Item& item = items[pusher][i];
      item.pusher = pusher;
      item.number = i;
      item.content = 7;
      accepted[pusher][i] = stack.push(item);
    }
  }
  void use(Item* item) {
    while (item != nullptr) {
      Item* next = item->next;
      check(item->content == 7, "an item arrives with its content");
      check(item->number == taken[item->pusher], "first in, first out");
      ++taken[item->pusher];
      item->content = 8;  // the loop owns it now
      item = next;
    }
  }
  void finish() {
    for (int pusher = 0; pusher < 2; ++pusher) {
      const int count = accepted[pusher][0] + accepted[pusher][1];
      check(taken[pusher] == count, "what was accepted is taken, once");
    }
  }
};

MODEL(MpscStack, "nothing is lost between two pushers and the loop") {
  Inbox inbox;
  for (int me = 0; me < 2; ++me) {
    run.thread(me == 0 ? "pusher" : "other pusher", [&inbox, me] { inbox.push_both(me); });
  }
  run.thread("loop", [&] {
    inbox.use(inbox.stack.take_all());
    inbox.use(inbox.stack.take_all());
  });
  run.join();
  inbox.use(inbox.stack.take_all());
  check(inbox.stack.empty(), "all is out");
  inbox.finish();
}

MODEL(MpscStack, "what is accepted before the end is taken at the end", .preemptions = 3) {
  Inbox inbox;
  run.thread("pusher", [&] { inbox.push_both(0); });
  run.thread("loop", [&] {
    inbox.use(inbox.stack.take_all());
    inbox.use(inbox.stack.close());
    check(inbox.stack.close() == nullptr, "closing twice gives nothing");
  });
  run.join();
  check(inbox.stack.empty(), "a closed one is empty");
  inbox.finish();
}

MUTATION(MpscStack, "nothing is lost between two pushers and the loop",
         split("head_", Op::Cas, "push"));
MUTATION(MpscStack, "nothing is lost between two pushers and the loop",
         split("head_", Op::Rmw, "take_all"));
MUTATION(MpscStack, "nothing is lost between two pushers and the loop",
         weaken("head_", Op::Cas, Order::relaxed, "push"));
MUTATION(MpscStack, "nothing is lost between two pushers and the loop",
         weaken("head_", Op::Rmw, Order::relaxed, "take_all"));
MUTATION(MpscStack, "what is accepted before the end is taken at the end",
         weaken("head_", Op::Rmw, Order::relaxed, "close"));
MUTATION(MpscStack, "what is accepted before the end is taken at the end",
         split("head_", Op::Rmw, "close"));

}  // namespace
