// A set of addresses, in one piece of memory: open addressing, at most half full.
//
// Invariant: between an address and the slot it hashes to there is no empty one. Once reserve(n)
// has returned, nothing throws until more than n are in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coil::detail {

class AddressSet {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool contains(const void* address) const noexcept {
    return size_ != 0 && slots_[find(address)] == address;
  }
  // Room for `n`, all in all.
  void reserve(std::size_t n);
  // False: it is in already. Not null. There is room for it.
  [[nodiscard]] bool insert(const void* address) noexcept;
  // False: it was not in.
  [[nodiscard]] bool erase(const void* address) noexcept;

 private:
  // Where it is, or else would be put.
  [[nodiscard]] std::size_t find(const void* address) const noexcept;
  [[nodiscard]] std::size_t home(const void* address) const noexcept {
    return (reinterpret_cast<std::uintptr_t>(address) * 0x9e37'79b9'7f4a'7c15U >> 32) & mask();
  }
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }

  std::vector<const void*> slots_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace coil::detail
