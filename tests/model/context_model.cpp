// core/context_slot.cpp: a task reads and sets its variables while others ask for its context.
#include <coil/detail/context_slot.hpp>
#include <new>

#include "model/model.hpp"

namespace coil::detail {

// What the library takes from its free lists; here the explorer watches every block.
void* frame_allocate(std::size_t size) { return ::operator new(size); }
void frame_deallocate(void* block, std::size_t) noexcept { ::operator delete(block); }

}  // namespace coil::detail

namespace {

using coil::detail::AdoptRef;
using coil::detail::ContextNode;
using coil::detail::ContextSlot;
using coil::detail::ContextValue;
using coil::detail::ContextValueRef;
using coil::detail::HeldContextValue;
using model::check;
using model::Order;
using model::Run;

constexpr std::uint64_t key = 3;

ContextValueRef value(int n) { return {new HeldContextValue<int>(n), AdoptRef{}}; }
int number(const ContextValue* held) {
  return held != nullptr ? static_cast<const HeldContextValue<int>*>(held)->value : 0;
}
int get(const ContextSlot& slot) {
  ContextValueRef keep;
  return number(slot.find(key, keep));
}

MODEL(Context, "what the owner sets is in the object that others make of it") {
  ContextSlot slot;
  (void)slot.set(key, value(1));
  run.thread("owner", [&] {
    check(get(slot) == 1, "nobody else sets it");
    const auto change = slot.set(key, value(2));
    check(number(change.old.get()) == 1, "what it was before");
    check(get(slot) == 2, "set");
    check(slot.restore(key, change), "its own change");
    check(get(slot) == 1, "restored");
  });
  run.thread("other", [&] {
    const auto cell = slot.cell();
    const auto map = cell->map();
    const int seen = number(ContextNode::find(map.get(), key));
    check(seen == 1 || seen == 2, "one or the other");
  });
  run.join();
  check(number(ContextNode::find(slot.cell()->map().get(), key)) == 1, "nothing is lost");
}

MODEL(Context, "what the owner reads stays there while others set it in the object") {
  ContextSlot slot;
  (void)slot.set(key, value(1));
  run.thread("owner", [&] {
    ContextSlot child;
    const int seen = get(slot);
    check(seen == 1 || seen == 2, "one or the other");
    child.inherit(slot);
    check(get(child) == 1 || get(child) == 2, "copied");
  });
  run.thread("other", [&] { (void)slot.cell()->set(key, value(2)); });
  run.join();
  check(get(slot) == 2, "it is the same context");
}

MODEL(Context, "two who make an object of it make the same") {
  ContextSlot slot;
  (void)slot.set(key, value(1));
  run.thread("one", [&] { (void)slot.cell()->set(key, value(2)); });
  run.thread("two", [&] { (void)slot.cell()->set(key + 1, value(3)); });
  run.join();
  check(get(slot) == 2, "set through one");
  ContextValueRef keep;
  check(number(slot.find(key + 1, keep)) == 3, "set through the other");
}

MUTATION(Context, "what the owner sets is in the object that others make of it",
         split("word_", Op::Cas, "replace_map"));
MUTATION(Context, "what the owner sets is in the object that others make of it",
         split("word_", Op::Cas, "cell"));
MUTATION(Context, "what the owner sets is in the object that others make of it",
         weaken("word_", Op::Cas, Order::acquire, "replace_map"));
MUTATION(Context, "what the owner reads stays there while others set it in the object",
         hook("context.forget_first"));
MUTATION(Context, "two who make an object of it make the same", split("word_", Op::Cas, "cell"));

}  // namespace
