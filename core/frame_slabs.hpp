// Where the blocks of the frame allocator come from: slabs, cut from chunks of pages that nobody
// has touched before. The kernel gives a page from the NUMA node of the thread that touches it
// first, so a slab must have one home: a node, or (0) none in particular.
//
// Invariant: a slab starts at a multiple of its size and begins with its home, so that each block
// tells where it belongs. Chunks are never given back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace coil::detail {

inline constexpr std::size_t slab_size = 64 * 1024;
inline constexpr std::size_t slab_header = 64;

// 0, and 16 nodes; a machine with more has some that share.
inline constexpr unsigned frame_homes = 17;

// Any thread; whoever calls touches the slab first. The header is written. Throws std::bad_alloc.
[[nodiscard]] std::byte* take_slab(unsigned home);

// Of the slab that a block lies in.
[[nodiscard]] inline unsigned home_of(const void* block) noexcept {
  const auto slab = reinterpret_cast<std::uintptr_t>(block) & ~std::uintptr_t{slab_size - 1};
  return *reinterpret_cast<const unsigned*>(slab);
}

}  // namespace coil::detail
