// Memory for coroutine frames and the small objects that live as long as one (tasks, futures).
//
// Each thread keeps a free list per size class, so that a frame costs a pop and a push. A list
// that grows too long (frames freed on another thread than the one that made them) gives a batch
// to a shared depot, from which an empty list takes one. Where threads are bound to NUMA nodes,
// each node has a depot, and a batch goes back to those of the nodes that its blocks come from.
// Invariant: a block belongs to exactly one list; sizes up to frame_size_max come from a class.
// Under AddressSanitizer everything goes to operator new, so that a freed frame is poisoned.
//
// Both functions are out of line on purpose: a thread_local that is read inside a coroutine's
// body may be cached across a suspension, after which the body runs on another thread.
#pragma once

#include <cstddef>

namespace coil::detail {

inline constexpr std::size_t frame_size_max = 2048;

[[nodiscard, gnu::returns_nonnull]] void* frame_allocate(std::size_t size);
void frame_deallocate(void* block, std::size_t size) noexcept;

// The calling thread is bound to NUMA node `node` from here on: its memory comes from there.
void frame_thread_is_on(unsigned node) noexcept;

// Base for objects that come from the frame allocator.
struct FrameAllocated {
  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept {
    frame_deallocate(block, size);
  }
};

}  // namespace coil::detail
