// The arenas of an ArenaExecutor, one for each NUMA node.
//
// Calls stand in a line of ours, one for each arena, and the arena is given a token for each: so a
// call that is cancelled is gone at once, which oneTBB's own queue knows nothing of.
#pragma once

#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <coil/arena_executor.hpp>
#include <coil/detail/counted.hpp>
#include <cstddef>
#include <vector>

#include "arena_places.hpp"
#include "arena_threads.hpp"
#include "token_line.hpp"

namespace coil::detail {

class ArenaNode final : public TokenLine {
 public:
  ArenaNode(ArenaPlace place, Ref<OpenCalls> calls);

  void execute(Work& work);

 private:
  // oneTBB's threads inherit the binding of the thread that made them, which may be a loop's. Where
  // its library for NUMA is not installed, its own constraints do nothing about that.
  class Binder final : public tbb::task_scheduler_observer {
   public:
    Binder(tbb::task_arena& arena, const std::vector<unsigned>& processors)
        : task_scheduler_observer(arena), processors_(processors) {
      observe(true);
    }
    ~Binder() override { observe(false); }
    void on_scheduler_entry(bool worker) override;
    void on_scheduler_exit(bool worker) override;

   private:
    const std::vector<unsigned>& processors_;
  };

  ~ArenaNode() override = default;
  static void run_token(ArenaNode* token) noexcept;

  const ArenaPlace place_;
  tbb::task_arena arena_;
  Binder binder_;
};

class ArenaPool : public Counted<ArenaPool> {
 public:
  explicit ArenaPool(const ArenaOptions& options);

  void execute(Work& work);
  Future<void> close(const ShutdownOptions& options);
  // After that: until the last call has ended. Not if this thread is making one of them.
  void wait() noexcept;
  [[nodiscard]] int concurrency() const noexcept;

 private:
  [[nodiscard]] ArenaNode& nearest() noexcept;

  const std::vector<ArenaPlace> places_;
  const ArenaThreads threads_;
  const Ref<OpenCalls> calls_{new OpenCalls, AdoptRef{}};
  std::vector<Ref<ArenaNode>> nodes_;
  std::vector<std::size_t> node_of_;  // by processor
};

}  // namespace coil::detail
