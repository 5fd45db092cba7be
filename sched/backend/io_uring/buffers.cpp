#include "buffers.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <coil/detail/check.hpp>

#include "ring.hpp"

namespace coil::detail::uring {
namespace {

// Pages that cost nothing until they are touched.
void* map_pages(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

int ProvidedBuffers::set_up() noexcept {
  void* memory = map_pages(entries * sizeof(io_uring_buf));
  if (memory == nullptr) return -ENOMEM;
  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uint64_t>(memory);
  request.ring_entries = entries;
  request.bgid = group;
  if (const int result = ring_.register_with(IORING_REGISTER_PBUF_RING, &request, 1); result < 0) {
    munmap(memory, entries * sizeof(io_uring_buf));
    return result;
  }
  table_ = static_cast<io_uring_buf_ring*>(memory);
  grow();
  return 0;
}

ProvidedBuffers::~ProvidedBuffers() {
  if (table_ == nullptr) return;
  // The ring's owner may be gone, and then nobody may unregister; the kernel keeps its own hold
  // on these pages until the ring is closed.
  for (unsigned i = 0; i < slab_count_; ++i) munmap(slabs_[i], slab_buffers * buffer_size);
  munmap(table_, entries * sizeof(io_uring_buf));
}

// Without memory for more we go on with what there is: receives end with ENOBUFS and are
// submitted again, which is slow and correct.
void ProvidedBuffers::grow() noexcept {
  if (slab_count_ == slabs_max) return;
  void* memory = map_pages(slab_buffers * buffer_size);
  if (memory == nullptr) return;
  slabs_[slab_count_] = static_cast<std::byte*>(memory);
  const unsigned first = slab_count_++ * slab_buffers;
  for (unsigned i = 0; i < slab_buffers; ++i) add(static_cast<std::uint16_t>(first + i));
}

std::span<std::byte> ProvidedBuffers::buffer(std::uint16_t id) noexcept {
  COIL_CHECK(id < slab_count_ * slab_buffers, "a provided buffer's number is one of ours");
  return {slabs_[id / slab_buffers] + (id % slab_buffers) * buffer_size, buffer_size};
}

void ProvidedBuffers::recycle(std::uint16_t id) noexcept { add(id); }

void ProvidedBuffers::add(std::uint16_t id) noexcept {
  const std::span<std::byte> memory = buffer(id);
  // Entry by entry: the tail overlays the last field of entry 0, which we must not touch.
  io_uring_buf& entry = table_->bufs[tail_++ & (entries - 1)];
  entry.addr = reinterpret_cast<std::uint64_t>(memory.data());
  entry.len = static_cast<unsigned>(memory.size());
  entry.bid = id;
}

void ProvidedBuffers::publish() noexcept {
  if (published_ == tail_) return;
  published_ = tail_;
  std::atomic_ref<std::uint16_t>(table_->tail).store(tail_, std::memory_order_release);
}

}  // namespace coil::detail::uring
