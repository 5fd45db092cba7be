// What scoped() gives: holds something for as long as it lives.
#pragma once

#include <coil/detail/permits.hpp>
#include <coroutine>
#include <utility>

namespace coil::detail {

// Calls owner.release() once: at its end, or earlier by hand. Movable; releases synchronously, on
// whatever thread it ends. Its end is noexcept: if somebody else has released the lock meanwhile,
// so that this release throws, the program ends.
template <class Owner>
class [[nodiscard(
    "dropped at once, a guard guards nothing: auto guard = co_await x.scoped();")]] Guard {
 public:
  Guard() noexcept = default;
  // Takes over what is held already (std::adopt_lock).
  explicit Guard(Owner& owner) noexcept : owner_(&owner) {}
  Guard(Guard&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
  Guard& operator=(Guard&& other) noexcept {
    Guard taken(std::move(other));
    std::swap(owner_, taken.owner_);
    return *this;
  }
  ~Guard() {
    if (owner_ != nullptr) owner_->release();
  }

  // Releases now. Does nothing if it holds nothing.
  void release() {
    if (owner_ != nullptr) std::exchange(owner_, nullptr)->release();
  }
  // It holds something.
  [[nodiscard]] explicit operator bool() const noexcept { return owner_ != nullptr; }

 private:
  Owner* owner_ = nullptr;
};

template <class Owner>
class ScopedPermitWait : public PermitWait {
 public:
  ScopedPermitWait(Permits& permits, const LeafKind& kind, Owner& owner) noexcept
      : PermitWait(permits, kind), owner_(owner) {}
  [[nodiscard]] Guard<Owner> await_resume() {
    PermitWait::await_resume();
    return Guard<Owner>(owner_);
  }

 private:
  Owner& owner_;
};

// What acquire() and scoped() return: may be copied and handed on, where the awaiter may not.
struct [[nodiscard("nothing is acquired until it is awaited")]] Acquire {
  Permits& permits;
  const LeafKind& kind;
  [[nodiscard]] PermitWait operator co_await() const noexcept { return {permits, kind}; }
};
template <class Owner>
struct [[nodiscard("nothing is acquired until it is awaited")]] AcquireScoped {
  Permits& permits;
  const LeafKind& kind;
  Owner& owner;
  [[nodiscard]] ScopedPermitWait<Owner> operator co_await() const noexcept {
    return {permits, kind, owner};
  }
};

}  // namespace coil::detail
