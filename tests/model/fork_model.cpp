// core/coil/detail/join_count.hpp with sched/fork_deque.hpp: a fork, its children taken back by the
// parent or stolen.
#include <coil/detail/join_count.hpp>
#include <coil/detail/made_once.hpp>
#include <fork_deque.hpp>
#include <memory>

#include "model/model.hpp"

namespace {

using coil::detail::ForkDeque;
using coil::detail::JoinCount;
using coil::detail::MadeOnce;
using model::check;
using model::Order;
using model::Run;

struct Fork;

struct Child {
  Fork* fork = nullptr;
  model::Plain<int> runs{0};
};

struct Fork {
  JoinCount count;
  Child children[2];
  model::EventFd bell{"bell"};  // wakes the parent

  void run_branch(Child& child) {
    ++child.runs;
    if (count.arrive()) bell.signal();
  }
};

MODEL(Fork, "the parent goes on once, after all children") {
  ForkDeque<Child> deque(4);
  run.thread("parent", [&] {
    auto fork = std::make_unique<Fork>();
    for (Child& child : fork->children) child.fork = fork.get();
    deque.push(fork->children[1]);
    deque.push(fork->children[0]);
    deque.share();
    int missing = 0;
    for (Child& child : fork->children) {
      if (deque.take(child)) {
        ++child.runs;
      } else {
        ++missing;
      }
    }
    if (missing != 0 && !fork->count.settle(missing)) fork->bell.wait();
    for (Child& child : fork->children) check(child.runs == 1, "each child has run once");
  });
  for (const char* name : {"thief", "other thief"}) {
    run.thread(name, [&] {
      Child* child = deque.steal();
      if (child == nullptr) return;
      child->fork->run_branch(*child);
    });
  }
  run.join();
}

MUTATION(Fork, "the parent goes on once, after all children", split("word_", Op::Rmw, "arrive"));
MUTATION(Fork, "the parent goes on once, after all children", split("word_", Op::Rmw, "settle"));
MUTATION(Fork, "the parent goes on once, after all children", skip("word_", Op::Rmw, "arrive"));
MUTATION(Fork, "the parent goes on once, after all children",
         weaken("word_", Op::Rmw, Order::relaxed, "arrive"));
MUTATION(Fork, "the parent goes on once, after all children",
         weaken("word_", Op::Rmw, Order::relaxed, "settle"));

MODEL(Fork, "what two threads need is made once") {
  MadeOnce once;
  model::Plain<int> rest{0};
  for (const char* name : {"parent", "thief", "other thief"}) {
    run.thread(name, [&] {
      once.need([&] { ++rest; });
      check(rest == 1, "it is there, and whole");
    });
  }
  run.join();
}

MUTATION(Fork, "what two threads need is made once", split("word_", Op::Cas, "need"));
MUTATION(Fork, "what two threads need is made once",
         weaken("word_", Op::Store, Order::relaxed, "need"));
MUTATION(Fork, "what two threads need is made once",
         weaken("word_", Op::Load, Order::relaxed, "need"));

}  // namespace
