// Replaces the global operator new and delete: a bump allocator while a model runs, malloc else.
#include "model/arena.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "model/explorer.hpp"

namespace model::arena {

namespace {

constexpr std::size_t arena_bytes = std::size_t{64} << 20;
constexpr std::uint32_t block_alive = 0xa11ce5;
constexpr std::uint32_t block_freed = 0xdeadb10c;
constexpr int poison = 0xdd;

// In front of every block.
struct Header {
  std::uint64_t bytes;
  std::uint32_t state;
};

struct State {
  std::uintptr_t base = 0;
  std::uintptr_t next = 0;
  std::size_t live = 0;
  bool active = false;
};
constinit State state;

void* allocate(std::size_t bytes, std::size_t alignment) {
  const std::size_t align = alignment < 16 ? 16 : alignment;
  const std::uintptr_t at = (state.next + sizeof(Header) + align - 1) & ~(align - 1);
  if (at + bytes > state.base + arena_bytes) fail("the model allocates more than 64 MiB");
  state.next = at + bytes;
  auto* header = reinterpret_cast<Header*>(at - sizeof(Header));
  *header = {bytes, block_alive};
  ++state.live;
  return reinterpret_cast<void*>(at);
}

bool owns(void* block) {
  const auto at = reinterpret_cast<std::uintptr_t>(block);
  return state.base != 0 && at >= state.base && at < state.base + arena_bytes;
}

void release(void* block) {
  auto* header = reinterpret_cast<Header*>(static_cast<char*>(block) - sizeof(Header));
  if (header->state == block_freed) fail("memory is freed twice");
  if (header->state != block_alive) fail("memory is freed that was never allocated");
  header->state = block_freed;
  std::memset(block, poison, header->bytes);
  --state.live;
}

}  // namespace

void start() {
  if (state.base == 0) {
    void* base = mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
      std::perror("model: mapping the arena");
      std::abort();
    }
    state.base = state.next = reinterpret_cast<std::uintptr_t>(base);
  }
  state.active = true;
}

void stop() { state.active = false; }

void reset() {
  state.next = state.base;
  state.live = 0;
}

std::size_t live() { return state.live; }

Pause::Pause() : was_(state.active) { state.active = false; }
Pause::~Pause() { state.active = was_; }

}  // namespace model::arena

namespace {

void* allocate_any(std::size_t bytes, std::size_t alignment) {
  namespace arena = model::arena;
  if (arena::state.active) return arena::allocate(bytes, alignment);
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void release_any(void* block) noexcept {
  if (model::arena::owns(block)) {
    model::arena::release(block);
  } else {
    std::free(block);
  }
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate_any(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return allocate_any(bytes, align < 16 ? 16 : align);
}
void operator delete(void* block) noexcept { release_any(block); }
void operator delete(void* block, std::size_t) noexcept { release_any(block); }
void operator delete(void* block, std::align_val_t) noexcept { release_any(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release_any(block); }
