// See buffer_pool.hpp.
#include "buffer_pool.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <system_error>

namespace echo_bench {
namespace {

// Anonymous memory of its own pages, there from the start: no page fault is measured later.
std::byte* map(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "mmap of receive buffers");
  }
  return static_cast<std::byte*>(memory);
}

}  // namespace

BufferPool::BufferPool(io_uring& ring, unsigned count, unsigned size)
    : ring_(ring), count_(count), size_(size), links_(count) {
  const std::size_t ring_bytes = (count * sizeof(io_uring_buf) + 4095) / 4096 * 4096;
  memory_size_ = std::size_t{count} * size + ring_bytes;
  memory_ = map(memory_size_);
  entries_ = reinterpret_cast<io_uring_buf_ring*>(memory_ + std::size_t{count} * size);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries_);
  registration.ring_entries = count;
  registration.bgid = kGroup;
  int error = io_uring_register_buf_ring(&ring_, &registration, 0);
  if (error != 0) {
    munmap(memory_, memory_size_);
    throw std::system_error(-error, std::generic_category(),
                            "io_uring_register_buf_ring (needs Linux 5.19)");
  }
  io_uring_buf_ring_init(entries_);
  for (unsigned id = 0; id < count; ++id) give_back(static_cast<std::uint16_t>(id));
  publish();
}

BufferPool::~BufferPool() {
  io_uring_unregister_buf_ring(&ring_, kGroup);
  munmap(memory_, memory_size_);
}

}  // namespace echo_bench
