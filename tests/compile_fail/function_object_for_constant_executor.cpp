// expect: functions that are known when this is compiled
#include <coil/run_in_executor.hpp>

struct ConstantsOnly : coil::Executor {
  static constexpr bool constant_functions_only = true;
};

int answer() { return 42; }

void ask(ConstantsOnly& executor) {
#ifdef COIL_FIXED
  (void)coil::run_in_executor<&answer>(&executor);
#else
  (void)coil::run_in_executor(&executor, answer);
#endif
}
