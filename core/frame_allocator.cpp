#include <algorithm>
#include <array>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstdint>
#include <new>

namespace coil::detail {

// Under AddressSanitizer each frame is an allocation of its own, so that a use after free shows.
#if defined(__has_feature) && __has_feature(address_sanitizer)

void* frame_allocate(std::size_t size) { return ::operator new(size); }
void frame_deallocate(void* block, std::size_t size) noexcept { ::operator delete(block, size); }

#else

namespace {

constexpr std::size_t granule = 32;
constexpr std::size_t class_count = frame_size_max / granule + 1;
constexpr std::uint32_t batch_length = 64;  // blocks that move to or from the depot at once
constexpr std::size_t slab_size = 64 * 1024;
// A list keeps what a burst of tasks frees at once, in bytes and in blocks.
constexpr std::size_t list_bytes = 512 * 1024;
constexpr std::size_t list_limit = 2048;

struct Block {
  Block* next;
  Block* next_batch;     // first block of a batch in the depot only
  std::uint32_t length;  // of the batch, likewise: an ended thread leaves batches of any length
};
static_assert(sizeof(Block) <= granule);

struct FreeList {
  Block* head = nullptr;
  std::uint32_t length = 0;
  std::uint32_t limit = 0;
};

constexpr std::array<FreeList, class_count> empty_lists() noexcept {
  std::array<FreeList, class_count> all;
  for (std::size_t i = 1; i < class_count; ++i)
    all[i].limit = static_cast<std::uint32_t>(std::min(list_limit, list_bytes / (i * granule)));
  return all;
}

// Shared by all threads, one per size class.
struct Depot {
  SpinLock lock;
  Block* batches = nullptr;
  Block* slabs = nullptr;  // never given back; kept reachable for leak checkers

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
  void keep_slab(Block* slab) noexcept {
    const SpinGuard guard(lock);
    slab->next = slabs;
    slabs = slab;
  }
};

constinit std::array<Depot, class_count> depots;
constinit thread_local std::array<FreeList, class_count> lists = empty_lists();

// Gives this thread's lists to the depot when the thread ends.
struct ListsOwner {
  bool alive = true;
  ~ListsOwner() {
    for (std::size_t i = 0; i < class_count; ++i) {
      if (lists[i].head != nullptr) depots[i].put(lists[i].head, lists[i].length);
      lists[i].head = nullptr;
      lists[i].length = 0;
    }
  }
};
thread_local ListsOwner lists_owner;

// Cuts a new slab into blocks; the first granule links the slabs.
Block* carve(std::size_t size_class, std::uint32_t& length) {
  const std::size_t size = size_class * granule;
  auto* slab = static_cast<std::byte*>(::operator new(slab_size, std::align_val_t{64}));
  depots[size_class].keep_slab(reinterpret_cast<Block*>(slab));
  Block* head = nullptr;
  length = 0;
  for (std::size_t at = 64; at + size <= slab_size; at += size) {
    auto* block = reinterpret_cast<Block*>(slab + at);
    block->next = head;
    head = block;
    ++length;
  }
  return head;
}

[[gnu::noinline]] void* refill(std::size_t size_class) {
  (void)lists_owner.alive;  // registers the thread-exit hook
  FreeList& list = lists[size_class];
  list.head = depots[size_class].take();
  if (list.head != nullptr) {
    list.length = list.head->length;
  } else {
    list.head = carve(size_class, list.length);
  }
  Block* block = list.head;
  list.head = block->next;
  --list.length;
  return block;
}

[[gnu::noinline]] void spill(std::size_t size_class) noexcept {
  (void)lists_owner.alive;
  FreeList& list = lists[size_class];
  Block* batch = list.head;
  Block* last = batch;
  for (std::uint32_t i = 1; i < batch_length; ++i) last = last->next;
  list.head = last->next;
  list.length -= batch_length;
  last->next = nullptr;
  depots[size_class].put(batch, batch_length);
}

// The block is the first of its list, or one too many.
[[gnu::noinline]] void push_unusual(Block* block, std::size_t size_class) noexcept {
  (void)lists_owner.alive;  // a thread that only frees has blocks to give back when it ends, too
  FreeList& list = lists[size_class];
  block->next = list.head;
  list.head = block;
  ++list.length;
  if (list.length > list.limit) spill(size_class);
}

}  // namespace

void* frame_allocate(std::size_t size) {
  const std::size_t size_class = (size + granule - 1) / granule;
  if (size_class >= class_count) [[unlikely]]
    return ::operator new(size);
  FreeList& list = lists[size_class];
  Block* block = list.head;
  if (block == nullptr) [[unlikely]]
    return refill(size_class);
  list.head = block->next;
  --list.length;
  return block;
}

void frame_deallocate(void* memory, std::size_t size) noexcept {
  const std::size_t size_class = (size + granule - 1) / granule;
  if (size_class >= class_count) [[unlikely]]
    return ::operator delete(memory, size);
  FreeList& list = lists[size_class];
  auto* block = static_cast<Block*>(memory);
  if (list.head == nullptr || list.length >= list.limit) [[unlikely]]
    return push_unusual(block, size_class);
  block->next = list.head;
  list.head = block;
  ++list.length;
}

#endif

}  // namespace coil::detail
