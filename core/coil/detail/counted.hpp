// Base of objects that are shared by Ref<> and counted in themselves.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail {

template <class Derived>
class Counted {
 public:
  void add_ref() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    // Acquire and release: the last one sees what the others wrote.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete static_cast<const Derived*>(this);
  }

 private:
  friend Derived;
  Counted() noexcept = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() = default;

  mutable Atomic<std::uint32_t> references_{1};
};

}  // namespace coil::detail
