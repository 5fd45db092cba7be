#include "frame_slabs.hpp"

#include <sys/mman.h>

#include <array>
#include <coil/detail/spin_lock.hpp>
#include <new>

namespace coil::detail {
namespace {

struct Chunk {
  std::byte* next = nullptr;
  std::byte* end = nullptr;
};

struct Source {
  SpinLock lock;
  Chunk chunk;
};

constinit std::array<Source, frame_homes> sources;

// A node's chunk is what a huge page covers: one that the kernel puts together out of small pages
// then never mixes those of two nodes. Without nodes it is less, so that it does not become one.
struct Shape {
  std::size_t size;
  std::size_t alignment;
};
constexpr Shape shape_of_chunk(unsigned home) noexcept {
  constexpr std::size_t huge_page = 2 * 1024 * 1024;
  return home == 0 ? Shape{huge_page / 2, slab_size} : Shape{huge_page, huge_page};
}

void unmap(std::byte* begin, const std::byte* end) noexcept {
  if (begin != end) munmap(begin, static_cast<std::size_t>(end - begin));
}

Chunk map_chunk(Shape shape) {
  const std::size_t mapped = shape.size + shape.alignment;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(memory);
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(begin) & (shape.alignment - 1);
  std::byte* next = beyond == 0 ? begin : begin + (shape.alignment - beyond);
  unmap(begin, next);
  unmap(next + shape.size, begin + mapped);
  return {next, next + shape.size};
}

std::byte* cut(Chunk& chunk) noexcept {
  if (chunk.next == chunk.end) return nullptr;
  std::byte* slab = chunk.next;
  chunk.next += slab_size;
  return slab;
}

std::byte* take_pages(Source& source, Shape shape) {
  {
    const SpinGuard guard(source.lock);
    if (std::byte* slab = cut(source.chunk)) return slab;
  }
  Chunk chunk = map_chunk(shape);
  std::byte* slab = nullptr;
  {
    const SpinGuard guard(source.lock);
    slab = cut(source.chunk);
    if (slab == nullptr) {
      slab = cut(chunk);
      source.chunk = chunk;
      return slab;
    }
  }
  unmap(chunk.next, chunk.end);  // somebody else was faster
  return slab;
}

}  // namespace

std::byte* take_slab(unsigned home) {
  std::byte* slab = take_pages(sources[home], shape_of_chunk(home));
  ::new (slab) unsigned(home);
  return slab;
}

}  // namespace coil::detail
