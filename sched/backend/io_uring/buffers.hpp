// The memory that multishot receives write into: one group of buffers per loop, shared by all of
// its connections, so that an idle connection holds none.
//
// Invariant: a buffer belongs to the kernel (published in the ring), to a completion's reader
// (from the completion until recycle()), or to us (recycled, published at the next publish()).
#pragma once

#include <liburing.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace coil::detail::uring {

class Ring;

class ProvidedBuffers {
 public:
  static constexpr std::uint16_t group = 0;
  // Measured, one receive per message: 64 B and 1 KB cost the same from buffers of 2 to 16 KiB
  // (only the first page of each is ever touched), 64 KiB cost 15.4, 9.4, 6.7 and 5.4 us from
  // buffers of 2, 4, 8 and 16 KiB.
  static constexpr std::size_t buffer_size = 16 * 1024;

  explicit ProvidedBuffers(Ring& ring) noexcept : ring_(ring) {}
  ProvidedBuffers(const ProvidedBuffers&) = delete;
  ProvidedBuffers& operator=(const ProvidedBuffers&) = delete;
  ~ProvidedBuffers();

  // Allocates on first use. False: there is no memory for it, see error().
  [[nodiscard]] bool prepare() noexcept {
    if (table_ != nullptr) return true;
    const int result = set_up();
    if (result < 0) error_ = result;
    return result == 0;
  }
  [[nodiscard]] int error() const noexcept { return error_; }  // of the last failure, -errno
  // The kernel ran out of them: provides more, up to a limit.
  void grow() noexcept;

  [[nodiscard]] std::span<std::byte> buffer(std::uint16_t id) noexcept;
  void recycle(std::uint16_t id) noexcept;
  // Before the ring is entered: shows the kernel what was recycled.
  void publish() noexcept;

 private:
  static constexpr unsigned slab_buffers = 256;  // 1 MiB once small messages have touched all
  static constexpr unsigned slabs_max = 8;
  static constexpr unsigned entries = slab_buffers * slabs_max;

  int set_up() noexcept;
  void add(std::uint16_t id) noexcept;

  Ring& ring_;
  io_uring_buf_ring* table_ = nullptr;
  std::array<std::byte*, slabs_max> slabs_{};
  unsigned slab_count_ = 0;
  int error_ = 0;
  std::uint16_t tail_ = 0;
  std::uint16_t published_ = 0;
};

}  // namespace coil::detail::uring
