#include <coil/event.hpp>

namespace coil {

void Event::set() noexcept {
  detail::Waiter* waiter = line_.set();
  while (waiter != nullptr) {
    detail::Waiter* next = waiter->next;
    waiter->task->wake();
    waiter = next;
  }
}

namespace detail {

constinit const LeafKind EventWait::leaf_kind{"event", &EventWait::leave};

HookResult EventWait::leave(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<EventWait&>(leaf);
  HookResult result;
  result.taken = self.event_.leave(self);
  if (!result.taken) return result;  // set() wakes it
  self.aborted = kind;
  self.task->wake();
  return result;
}

}  // namespace detail
}  // namespace coil
