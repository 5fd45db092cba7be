// The asynchronous generators that were started on a loop and have not finished: what asyncio's
// async generator hooks are for.
//
// Invariant: a generator is linked from its first step until it finishes, on whatever loop or
// thread, or until the Runner takes it to close it; links and GeneratorBase::registry change under
// the lock. Threads of the same Runner keep the registry alive by being there. All others hold
// `visitors` from reading GeneratorBase::registry until they are done with it, and a Runner that
// closes disowns what is left under it.
#pragma once

#include <coil/detail/generator_base.hpp>
#include <coil/detail/spin_lock.hpp>
#include <vector>

namespace coil::detail {

class Worker;
class WorkerPool;

class GeneratorRegistry {
 public:
  explicit GeneratorRegistry(Worker& worker) noexcept : worker_(worker) {}

  void add(GeneratorBase& generator) noexcept;
  // `here`: the Runner whose loop this thread drives, or null.
  static void remove(GeneratorBase& generator, const WorkerPool* here) noexcept;
  // False: its Runner has gone.
  [[nodiscard]] static bool post_to_home(GeneratorBase& generator) noexcept;
  // Unlinks all that no task is about to close (GeneratorState::handed_over), and appends
  // references to them; and to the others.
  void take_all(std::vector<GeneratorRef>& to);
  void disown_all() noexcept;

 private:
  void unlink(GeneratorBase& generator) noexcept;
  void unlink_if_linked(GeneratorBase& generator) noexcept;

  Worker& worker_;
  SpinLock lock_;
  GeneratorBase* first_ = nullptr;
};

}  // namespace coil::detail
