// The executor of those who name none. It belongs to the Runner.
#pragma once

#include <coil/detail/box.hpp>
#include <utility>

namespace coil {
class Executor;
class Loop;
}  // namespace coil

namespace coil::detail {

// An owning pointer to an executor, whatever its type.
class HeldExecutor {
 public:
  HeldExecutor(const HeldExecutor&) = delete;
  HeldExecutor& operator=(const HeldExecutor&) = delete;
  virtual ~HeldExecutor() = default;
  [[nodiscard]] virtual Executor& executor() const noexcept = 0;

 protected:
  HeldExecutor() = default;
};
template <class P>
class HeldExecutorOf final : public HeldExecutor {
 public:
  explicit HeldExecutorOf(P owner) noexcept : owner_(std::move(owner)) {}
  [[nodiscard]] Executor& executor() const noexcept override { return *owner_; }

 private:
  P owner_;
};

// Of the running loop's Runner, made if need be. Throws NoRunningLoop naming the operation,
// std::runtime_error after shutdown_default_executor().
[[nodiscard]] Executor& default_executor(const char* operation);
// Of that loop's Runner; empty: Coil's own.
void set_default_executor(Loop& loop, Box<HeldExecutor> held);

}  // namespace coil::detail
