#include <algorithm>
#include <array>
#include <atomic>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/rare_call.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>
#include <new>

#include "frame_slabs.hpp"

namespace coil::detail {

// Under AddressSanitizer each frame is an allocation of its own, so that a use after free shows.
#if defined(__has_feature) && __has_feature(address_sanitizer)

void* frame_allocate(std::size_t size) { return ::operator new(size); }
void frame_deallocate(void* block, std::size_t size) noexcept { ::operator delete(block, size); }
void frame_thread_is_on(unsigned) noexcept {}

#else

namespace {

constexpr std::size_t granule = 32;
constexpr std::size_t class_count = frame_size_max / granule + 1;
constexpr std::uint32_t batch_length = 64;  // blocks that move to or from the depot at once
// A list keeps what a burst of tasks frees at once, in bytes and in blocks.
constexpr std::size_t list_bytes = 512 * 1024;
constexpr std::size_t list_limit = 2048;

struct Block {
  Block* next;
  Block* next_batch;     // first block of a batch in the depot only
  std::uint32_t length;  // of the batch, likewise: an ended thread leaves batches of any length
};
static_assert(sizeof(Block) <= granule);

constexpr std::int32_t limit_of(std::size_t size_class) noexcept {
  return static_cast<std::int32_t>(std::min(list_limit, list_bytes / (size_class * granule)));
}

// Closed until its thread has registered the hook for its end.
struct FreeList {
  Block* head = nullptr;
  std::int32_t room = 0;  // how many blocks may be added; none to a closed list
  bool open = false;

  [[nodiscard]] std::uint32_t length(std::size_t size_class) const noexcept {
    return open ? static_cast<std::uint32_t>(limit_of(size_class) - room) : 0;
  }
};

struct Chain {
  Block* head = nullptr;
  std::uint32_t length = 0;
};

// Shared by the threads of one home, one per size class.
struct Depot {
  SpinLock lock;
  Block* batches = nullptr;

  void put(Block* batch, std::uint32_t length) noexcept {
    batch->length = length;
    const SpinGuard guard(lock);
    batch->next_batch = batches;
    batches = batch;
  }
  Block* take() noexcept {
    const SpinGuard guard(lock);
    Block* batch = batches;
    if (batch != nullptr) batches = batch->next_batch;
    return batch;
  }
};

struct alignas(64) Depots {
  std::array<Depot, class_count> of_class;
};

constinit std::array<Depots, frame_homes> depots;
constinit std::atomic<bool> several_homes{false};
constinit thread_local unsigned this_home = 0;
constinit thread_local std::array<FreeList, class_count> lists{};

// Every block to the depot of its home, whoever freed it. If it stayed with the node that frees
// it, a node that makes what another one ends would take new memory for ever.
void put_home(Block* blocks, std::uint32_t length, std::size_t size_class) noexcept {
  if (!several_homes.load(std::memory_order_relaxed))
    return depots[0].of_class[size_class].put(blocks, length);
  std::array<Chain, frame_homes> sorted{};
  while (blocks != nullptr) {
    Block* next = blocks->next;
    Chain& chain = sorted[home_of(blocks)];
    blocks->next = chain.head;
    chain.head = blocks;
    ++chain.length;
    blocks = next;
  }
  for (unsigned home = 0; home < frame_homes; ++home)
    if (sorted[home].head != nullptr)
      depots[home].of_class[size_class].put(sorted[home].head, sorted[home].length);
}

void give_lists_away() noexcept {
  for (std::size_t i = 0; i < class_count; ++i) {
    if (lists[i].head != nullptr) put_home(lists[i].head, lists[i].length(i), i);
    lists[i] = {};
  }
}

// Gives this thread's lists to the depots when the thread ends.
struct ListsOwner {
  bool alive = true;
  ~ListsOwner() { give_lists_away(); }
};
thread_local ListsOwner lists_owner;

// Cuts a new slab into blocks.
Chain carve(std::size_t size_class) {
  const std::size_t size = size_class * granule;
  std::byte* slab = take_slab(this_home);
  Chain blocks;
  for (std::size_t at = slab_header; at + size <= slab_size; at += size) {
    auto* block = reinterpret_cast<Block*>(slab + at);
    block->next = blocks.head;
    blocks.head = block;
    ++blocks.length;
  }
  return blocks;
}

void open(FreeList& list, std::size_t size_class) noexcept {
  if (list.open) return;
  (void)lists_owner.alive;  // registers the thread-exit hook
  list.open = true;
  list.room = limit_of(size_class);
}

// Null: out of memory.
COIL_RARE_CALL void* refill(std::size_t size_class) noexcept {
  FreeList& list = lists[size_class];
  open(list, size_class);
  Chain blocks{depots[this_home].of_class[size_class].take()};
  if (blocks.head != nullptr) {
    blocks.length = blocks.head->length;
  } else {
    try {
      blocks = carve(size_class);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  list.head = blocks.head->next;
  list.room -= static_cast<std::int32_t>(blocks.length - 1);
  return blocks.head;
}

void spill(FreeList& list, std::size_t size_class) noexcept {
  Block* batch = list.head;
  Block* last = batch;
  for (std::uint32_t i = 1; i < batch_length; ++i) last = last->next;
  list.head = last->next;
  list.room += batch_length;
  last->next = nullptr;
  put_home(batch, batch_length, size_class);
}

// There is no room, which counts the block already.
COIL_RARE_CALL void push_unusual(Block* block, std::size_t size_class) noexcept {
  FreeList& list = lists[size_class];
  if (!list.open) {
    open(list, size_class);
    --list.room;
  }
  block->next = list.head;
  list.head = block;
  if (list.room < 0) spill(list, size_class);
}

}  // namespace

void frame_thread_is_on(unsigned node) noexcept {
  const unsigned home = 1 + node % (frame_homes - 1);
  if (home == this_home) return;
  several_homes.store(true, std::memory_order_relaxed);  // before this thread has such a block
  give_lists_away();
  this_home = home;
}

void* frame_allocate(std::size_t size) {
  const std::size_t size_class = (size + granule - 1) / granule;
  if (size_class >= class_count) [[unlikely]]
    return ::operator new(size);
  FreeList& list = lists[size_class];
  Block* block = list.head;
  if (block == nullptr) [[unlikely]] {
    void* first = refill(size_class);
    if (first == nullptr) throw std::bad_alloc();
    return first;
  }
  list.head = block->next;
  ++list.room;
  return block;
}

void frame_deallocate(void* memory, std::size_t size) noexcept {
  const std::size_t size_class = (size + granule - 1) / granule;
  if (size_class >= class_count) [[unlikely]]
    return ::operator delete(memory, size);
  FreeList& list = lists[size_class];
  auto* block = static_cast<Block*>(memory);
  if (--list.room < 0) [[unlikely]]
    return push_unusual(block, size_class);
  block->next = list.head;
  list.head = block;
}

#endif

}  // namespace coil::detail
