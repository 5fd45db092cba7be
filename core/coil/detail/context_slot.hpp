// Where a context stands: in a task, in a callback that waits for its turn, in a thread.
//
// A slot is nothing (no variable was ever set), or a map of its own, or a cell: the object behind
// a coil::Context, which several tasks and threads may share. Most never become a cell.
//
//   the owner (the task's thread)            get_context(), any thread: cell()
//   1. get: reads the word, then the map     a. compare-exchange map -> cell, which keeps that map
//   2. set: makes a new map, then a             as long as it lives
//      compare-exchange map -> new map       b. fills the cell under its lock
//
// Only the owner lets go of the map in its word, and a map that a cell took over stays with the
// cell, which the word keeps: what 1 reads is there until the owner's next step. Whoever finds a
// cell takes its lock, and so waits for b.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/context_node.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>

namespace coil::detail {

// Set for good by the first variable that is set: a program that uses none pays for this load.
inline constinit Atomic<bool> context_used{false};
[[nodiscard]] inline bool context_in_use() noexcept {
  return context_used.load(std::memory_order_relaxed);
}

// What a variable was before it was set, and the number of the context where that was.
struct ContextChange {
  ContextValueRef old;
  std::uint64_t context;
};

// A context as an object with an identity.
class ContextCell final : public Counted<ContextCell> {
 public:
  explicit ContextCell(Ref<const ContextNode> map = {}) noexcept;
  ~ContextCell() = default;

  [[nodiscard]] Ref<const ContextNode> map() const noexcept;
  [[nodiscard]] ContextChange set(std::uint64_t key, const ContextValueRef& value);
  // False: the change was not made here.
  [[nodiscard]] bool restore(std::uint64_t key, const ContextChange& change);
  void rewind(Ref<const ContextNode> map) noexcept;
  // Context::run: one at a time. False: entered already.
  [[nodiscard]] bool enter() noexcept { return !entered_.exchange(true); }
  void leave() noexcept { entered_.store(false); }

 private:
  friend class ContextSlot;

  mutable SpinLock lock_;
  Ref<const ContextNode> map_;    // under lock_
  Ref<const ContextNode> first_;  // what the slot had, see above
  std::uint64_t number_;          // written once, under lock_
  Atomic<bool> entered_{false};
};

// What a slot held at some moment.
struct ContextSnapshot {
  Ref<const ContextNode> map;
  bool own = false;
};

class ContextSlot {
 public:
  constexpr ContextSlot() noexcept = default;
  ContextSlot(const ContextSlot&) = delete;
  ContextSlot& operator=(const ContextSlot&) = delete;
  ~ContextSlot() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return word_.load(std::memory_order_acquire) == 0; }
  // Any thread: the context as an object. Makes it one.
  [[nodiscard]] Ref<ContextCell> cell();

  // All below: the owner. These four want an empty slot.
  void inherit(const ContextSlot& from) noexcept;  // a copy, of which changes are its own
  void inherit(const ContextSnapshot& from) noexcept;
  void inherit_current() noexcept;               // the same of the running task's or callback's
  void share(ContextCell& cell) noexcept;        // the same context
  void share(const ContextSlot& from) noexcept;  // the same context, whose owner is no more
  void clear() noexcept {
    if (!empty()) [[unlikely]]
      let_go();
  }

  // What is found is there until the slot is changed, or `keep` goes.
  [[nodiscard]] const ContextValue* find(std::uint64_t key, ContextValueRef& keep) const noexcept;
  [[nodiscard]] Ref<const ContextNode> map() const noexcept;
  [[nodiscard]] ContextChange set(std::uint64_t key, const ContextValueRef& value);
  [[nodiscard]] bool restore(std::uint64_t key, const ContextChange& change);
  [[nodiscard]] bool is(const ContextCell& cell) const noexcept;
  [[nodiscard]] ContextSnapshot snapshot() const noexcept;
  // Takes back what was changed since then.
  void rewind(const ContextSnapshot& then) noexcept;

 private:
  // Beside the pointer: what it points to, and whether the map is still the one that was copied,
  // so that this context has no number yet.
  static constexpr std::uintptr_t cell_bit = 1;
  static constexpr std::uintptr_t inherited_bit = 2;

  [[nodiscard]] static ContextCell& cell_of(std::uintptr_t word) noexcept;
  [[nodiscard]] static const ContextNode* map_of(std::uintptr_t word) noexcept;
  [[nodiscard]] static bool own_map(std::uintptr_t word) noexcept {
    return word != 0 && (word & inherited_bit) == 0;
  }
  void let_go() noexcept;
  static std::uintptr_t add_ref(std::uintptr_t word) noexcept;
  bool replace_map(std::uintptr_t& word, std::uint64_t key, const ContextValueRef& value,
                   std::uint64_t number);

  Atomic<std::uintptr_t> word_{0};
};

// As long as it lives, code of this thread that runs where it was made (in the same task, the same
// callback, or outside both) finds `slot` as its context. Scopes of one thread nest.
class ContextEntry {
 public:
  explicit ContextEntry(ContextSlot& slot) noexcept;
  ~ContextEntry();
  ContextEntry(const ContextEntry&) = delete;
  ContextEntry& operator=(const ContextEntry&) = delete;

 private:
  friend ContextSlot& current_context() noexcept;

  ContextSlot* slot_;
  const ContextSlot* over_;
  ContextEntry* previous_;
};

// The context that variables are looked up in now, on this thread. Never inline: see
// frame_allocator.hpp.
[[nodiscard]] ContextSlot& current_context() noexcept;
// That of a thread which is no loop.
[[nodiscard]] ContextSlot& thread_context() noexcept;

}  // namespace coil::detail
