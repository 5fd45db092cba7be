// What a connection has received and nobody has read yet.
//
// Invariant: empty, it holds no memory: what is read is moved out of it where that is possible. And
// what one burst has made large is given back before it is empty: of a large block at least a
// quarter is in use.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace coil::detail {

class ReceiveBuffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return text_.size() - start_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return text_.capacity(); }
  [[nodiscard]] std::string_view view() const noexcept {
    return std::string_view(text_).substr(start_);
  }

  void append(std::span<const std::byte> bytes) {
    // What was read makes room once it is more than what is left: each byte moves once at most.
    if (start_ > size()) {
      text_.erase(0, start_);
      start_ = 0;
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  // The first n bytes; n is at most size().
  [[nodiscard]] std::string take(std::size_t n) {
    if (n == size()) return take_all();
    std::string first(text_, start_, n);
    start_ += n;
    if (text_.capacity() > spare_max && text_.capacity() / 4 > size()) give_back_spare();
    return first;
  }
  [[nodiscard]] std::string take_all() {
    if (start_ != 0) {
      text_.erase(0, start_);
      start_ = 0;
    }
    return std::exchange(text_, std::string());
  }
  void drop(std::size_t n) { (void)take(n); }
  void clear() noexcept {
    std::string().swap(text_);
    start_ = 0;
  }

 private:
  static constexpr std::size_t spare_max = 16 * 1024;

  // Each byte is moved once for three that have been read. Without memory for it all stays.
  void give_back_spare() noexcept {
    try {
      std::string(view()).swap(text_);
      start_ = 0;
    } catch (const std::bad_alloc&) {
    }
  }

  std::string text_;
  std::size_t start_ = 0;
};

}  // namespace coil::detail
