// A call of a function that is known when this is compiled: it can be made in another process.
#pragma once

#include <coil/detail/executor_call.hpp>

namespace coil::detail {

template <auto fn, class R, class Fn, class... Args>
class ConstantCall final : public FunctionCall<false, R, Fn, Args...> {
 public:
  using FunctionCall<false, R, Fn, Args...>::FunctionCall;
};

}  // namespace coil::detail
