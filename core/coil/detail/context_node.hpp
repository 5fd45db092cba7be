// The variables of a context: an immutable map from a variable's number to its value, shared by
// all contexts that were copied from one another.
//
// A tree of degree 16 over the digits of the number, so no two keys collide and a program with up
// to 16 variables has one node. A change copies the nodes on its way and shares the rest.
// Invariant: a node never changes once it is made, so a count is all that a copy costs.
// Thread-safety: nodes and values may be read and released by any thread.
#pragma once

#include <coil/detail/atomic.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/ref.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace coil::detail {

// What a variable was set to.
class ContextValue : public FrameAllocated {
 public:
  ContextValue() noexcept = default;
  ContextValue(const ContextValue&) = delete;
  ContextValue& operator=(const ContextValue&) = delete;
  virtual ~ContextValue() = default;

  void add_ref() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    // Acquire and release: the last one sees what the others wrote.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  mutable Atomic<std::uint32_t> references_{1};
};

using ContextValueRef = Ref<const ContextValue>;

template <class T>
struct HeldContextValue final : ContextValue {
  template <class U>
    requires(!std::same_as<std::remove_cvref_t<U>, HeldContextValue>)
  explicit HeldContextValue(U&& v) : value(std::forward<U>(v)) {}
  const T value;
};

class ContextNode {
 public:
  ContextNode(const ContextNode&) = delete;
  ContextNode& operator=(const ContextNode&) = delete;

  // The value of `key`, or null. `root` may be null: no variable was ever set.
  [[nodiscard]] static const ContextValue* find(const ContextNode* root,
                                                std::uint64_t key) noexcept;
  // A map like `root`, except that `key` has this value (null: none); `context` is the number of
  // the context it is made for.
  [[nodiscard]] static Ref<const ContextNode> with(const ContextNode* root, std::uint64_t key,
                                                   const ContextValueRef& value,
                                                   std::uint64_t context);
  [[nodiscard]] static std::size_t count(const ContextNode* root) noexcept;

  // Of a root: which context it was made for.
  [[nodiscard]] std::uint64_t context() const noexcept { return context_; }
  void add_ref() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(this);
  }

 private:
  static constexpr unsigned digit_bits = 4;
  static constexpr std::uint64_t degree = 1U << digit_bits;

  ContextNode(unsigned shift, unsigned size) noexcept;
  static ContextNode* make(unsigned shift, unsigned size);
  static void destroy(const ContextNode* node) noexcept;
  static ContextNode* copy(const ContextNode* old, unsigned shift, std::uint64_t key,
                           const ContextValueRef& value);
  static std::size_t bytes(unsigned size) noexcept;
  void share_entry(const ContextNode& from, unsigned index) noexcept;

  // After the node itself: `size_` pointers, to values if shift_ is 0, else to nodes; or null.
  [[nodiscard]] const void** entries() noexcept { return reinterpret_cast<const void**>(this + 1); }
  [[nodiscard]] const void* const* entries() const noexcept {
    return reinterpret_cast<const void* const*>(this + 1);
  }

  mutable Atomic<std::uint32_t> references_{1};
  Plain<std::uint8_t> shift_;
  Plain<std::uint8_t> size_;
  std::uint64_t context_ = 0;
};

}  // namespace coil::detail
