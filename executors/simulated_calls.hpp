// The calls of an executor under simulation: made on the loop's own thread, in order, as if that
// were no loop.
#pragma once

#include <coil/executor.hpp>
#include <coil/future.hpp>
#include <coil/loop.hpp>

#include "token_line.hpp"

namespace coil::detail {

class SimulatedCalls {
 public:
  void execute(Loop& loop, Work& work);
  Future<void> close(const ShutdownOptions& options);

 private:
  const Ref<OpenCalls> calls_{new OpenCalls, AdoptRef{}};
  const Ref<TokenLine> line_{new TokenLine(calls_), AdoptRef{}};
};

}  // namespace coil::detail
