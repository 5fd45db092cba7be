// The receive buffers that the kernel picks from, and the chains in which filled ones wait to be
// sent back.
//
// Invariant: each buffer is in exactly one place: with the kernel, or in one Chain. give_back() is
// the only way home, and the kernel sees it at the next publish().
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace echo_bench {

class BufferPool {
 public:
  static constexpr std::uint16_t kGroup = 0;

  // count is a power of two of at most 32768.
  BufferPool(io_uring& ring, unsigned count, unsigned size);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  std::byte* data(std::uint16_t id) const { return memory_ + std::size_t{id} * size_; }

  // The kernel filled one and handed it over.
  void taken() { --with_kernel_; }

  void give_back(std::uint16_t id) {
    io_uring_buf_ring_add(entries_, data(id), size_, id, io_uring_buf_ring_mask(count_), returned_);
    ++returned_;
  }

  void publish() {
    if (returned_ == 0) return;
    io_uring_buf_ring_advance(entries_, returned_);
    with_kernel_ += returned_;
    returned_ = 0;
  }

  bool exhausted() const { return with_kernel_ <= 0; }

 private:
  friend class Chain;
  struct Link {
    std::uint32_t length;
    std::uint16_t next;
  };

  io_uring& ring_;
  unsigned count_;
  unsigned size_;
  int returned_ = 0;
  int with_kernel_ = 0;
  std::byte* memory_ = nullptr;
  std::size_t memory_size_ = 0;
  io_uring_buf_ring* entries_ = nullptr;
  std::vector<Link> links_;
};

// Filled buffers in the order in which they arrived. The links live in the pool, so that an idle
// connection has no memory for them.
class Chain {
 public:
  unsigned size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push(BufferPool& pool, std::uint16_t id, std::uint32_t length) {
    pool.links_[id].length = length;
    if (size_++ == 0) {
      head_ = id;
    } else {
      pool.links_[tail_].next = id;
    }
    tail_ = id;
  }

  // The unsent bytes as at most `most` pieces; gives the number of pieces.
  unsigned gather(const BufferPool& pool, iovec* pieces, unsigned most) const {
    unsigned n = 0;
    std::uint16_t id = head_;
    for (; n < size_ && n < most; ++n, id = pool.links_[id].next) {
      std::uint32_t skip = n == 0 ? sent_ : 0;
      pieces[n] = {pool.data(id) + skip, pool.links_[id].length - skip};
    }
    return n;
  }

  // Drops `bytes` sent bytes from the front.
  void consume(BufferPool& pool, std::uint32_t bytes) {
    while (size_ > 0) {
      std::uint32_t left = pool.links_[head_].length - sent_;
      if (bytes < left) {
        sent_ += bytes;
        return;
      }
      bytes -= left;
      pop(pool);
    }
  }

  void clear(BufferPool& pool) {
    while (size_ > 0) pop(pool);
  }

 private:
  void pop(BufferPool& pool) {
    std::uint16_t id = head_;
    head_ = pool.links_[id].next;
    sent_ = 0;
    --size_;
    pool.give_back(id);
  }

  std::uint16_t head_ = 0;
  std::uint16_t tail_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t sent_ = 0;  // bytes of the head that are out already
};

}  // namespace echo_bench
