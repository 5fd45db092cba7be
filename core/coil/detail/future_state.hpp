// A future with its value: FutureBase or TaskBase plus a slot of type T.
#pragma once

#include <coil/detail/future_base.hpp>
#include <coil/detail/value_slot.hpp>

namespace coil::detail {

// The value's address does not depend on whether a task or a plain future holds it.
template <class T>
class ValueHolder {
 public:
  [[nodiscard]] ValueSlot<T>& slot() noexcept { return slot_; }

 private:
  ValueSlot<T> slot_;
};

template <class T>
class FutureState : public FutureBase, public ValueHolder<T> {
 public:
  using FutureBase::FutureBase;
  ~FutureState() override {
    if (phase() == Phase::Value) this->slot().destroy();
  }

  // False: completed or claimed by somebody else. Throws what T's constructor throws.
  template <class... Args>
  bool try_set_value(Args&&... args) {
    if (!completion().claim()) return false;
    try {
      this->slot().build(std::forward<Args>(args)...);
    } catch (...) {
      completion().unclaim();
      throw;
    }
    finish_value();
    return true;
  }
};

}  // namespace coil::detail
