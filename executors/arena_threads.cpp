#include "arena_threads.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>

#include <algorithm>
#include <coil/detail/processors.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace coil::detail {
namespace {

// oneTBB counts the processors that the first thread to ask it may use, and a loop is bound to one.
int threads_of_tbb() {
  static const int count = [] {
    int found = 1;
    std::thread([&found] {
      unbind_thread();
      found = tbb::info::default_concurrency();
    }).join();
    return found;
  }();
  return count;
}

class Limit {
 public:
  static Limit& process() {
    static auto& limit = *new Limit;  // arenas may be static objects
    return limit;
  }

  void change(int threads, ArenaThreads::Kind kind, bool add) {
    const int usual = threads_of_tbb();
    const std::lock_guard lock(mutex_);
    if (kind == ArenaThreads::Kind::Asked) {
      asked_ += add ? threads : -threads;
    } else if (add) {
      defaults_.insert(threads);
    } else {
      defaults_.erase(defaults_.find(threads));
    }
    // One more: the thread that oneTBB supposes the work to come from does none of it here.
    const int wanted = asked_ + (defaults_.empty() ? 0 : *defaults_.rbegin()) + 1;
    control_.reset();  // first: of two controls the smaller one holds
    if (wanted > usual)
      control_ = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                       static_cast<std::size_t>(wanted));
  }

 private:
  std::mutex mutex_;  // all that follows
  int asked_ = 0;
  std::multiset<int> defaults_;
  std::unique_ptr<tbb::global_control> control_;
};

}  // namespace

ArenaThreads::ArenaThreads(int threads, Kind kind) : threads_(threads), kind_(kind) {
  Limit::process().change(threads, kind, true);
}
ArenaThreads::~ArenaThreads() { Limit::process().change(threads_, kind_, false); }

}  // namespace coil::detail
