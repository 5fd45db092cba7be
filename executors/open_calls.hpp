// How many calls an executor has that have not ended, and who waits for the last one's end.
//
// Invariant: whoever gets a future of close() sees it done, once nothing is left.
#pragma once

#include <coil/detail/counted.hpp>
#include <coil/future.hpp>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace coil::detail {

// Any thread.
class OpenCalls : public Counted<OpenCalls> {
 public:
  // Throws std::runtime_error after close().
  void begin();
  void end() noexcept;

  // Lets no more calls begin. Done once none is left.
  Future<void> close();
  // After close(): blocks until then.
  void wait() noexcept;

 private:
  std::mutex mutex_;  // all that follows
  std::condition_variable none_left_;
  std::size_t count_ = 0;
  bool closed_ = false;
  std::vector<Future<void>> waiting_;  // one for each caller: it may cancel its own
};

}  // namespace coil::detail
