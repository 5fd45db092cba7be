// Which context is current on this thread.
#include <coil/detail/context_slot.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/scheduler.hpp>
#include <utility>

namespace coil::detail {
namespace {

constinit thread_local ContextEntry* innermost_entry = nullptr;

struct ThreadContext {
  // The thread's free lists are made first, so that they go last and get the values back.
  ThreadContext() { frame_deallocate(frame_allocate(1), 1); }
  ContextSlot slot;
};
thread_local ThreadContext this_thread;

}  // namespace

ContextSlot& thread_context() noexcept { return this_thread.slot; }

// An entry counts where it was made: a task that starts eagerly inside has its own context.
ContextSlot& current_context() noexcept {
  ContextSlot& base = running_context();
  const ContextEntry* entry = innermost_entry;
  return entry != nullptr && entry->over_ == &base ? *entry->slot_ : base;
}

ContextEntry::ContextEntry(ContextSlot& slot) noexcept
    : slot_(&slot), over_(&running_context()), previous_(std::exchange(innermost_entry, this)) {}

ContextEntry::~ContextEntry() { innermost_entry = previous_; }

void ContextSlot::inherit_current() noexcept { inherit(current_context()); }

}  // namespace coil::detail
