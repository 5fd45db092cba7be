// Bytes on their way out, in one block. Small blocks come from the frame allocator, because every
// reply needs one for a moment.
#pragma once

#include <coil/detail/frame_allocator.hpp>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace coil::detail {

class SendBuffer {
 public:
  SendBuffer() noexcept = default;
  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;
  ~SendBuffer() { release(); }

  [[nodiscard]] bool empty() const noexcept { return start_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - start_; }
  [[nodiscard]] const std::byte* data() const noexcept { return memory_ + start_; }

  void append(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (capacity_ - end_ < bytes.size()) grow(bytes.size());
    std::memcpy(memory_ + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void consume(std::size_t n) noexcept {
    start_ += n;
    if (empty()) release();
  }
  void release() noexcept {
    if (memory_ != nullptr) frame_deallocate(memory_, capacity_);
    memory_ = nullptr;
    start_ = end_ = capacity_ = 0;
  }
  void swap(SendBuffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(start_, other.start_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  static constexpr std::size_t smallest = 256;

  void grow(std::size_t more) {
    const std::size_t needed = size() + more;
    std::size_t capacity = capacity_ < smallest ? smallest : capacity_ * 2;
    if (capacity < needed) capacity = needed;
    auto* memory = static_cast<std::byte*>(frame_allocate(capacity));
    const std::size_t kept = size();
    if (kept != 0) std::memcpy(memory, data(), kept);
    release();
    memory_ = memory;
    end_ = kept;
    capacity_ = capacity;
  }

  std::byte* memory_ = nullptr;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace coil::detail
