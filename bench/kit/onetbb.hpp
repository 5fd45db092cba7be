// oneTBB on as many threads as the program was told, the calling one among them.
#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <utility>

namespace bench {

class TbbThreads {
 public:
  explicit TbbThreads(int threads)
      : limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)),
        arena_(threads) {}

  template <class Fn>
  auto run(Fn fn) {
    return arena_.execute(std::move(fn));
  }

 private:
  tbb::global_control limit_;
  tbb::task_arena arena_;
};

}  // namespace bench
