// How many threads oneTBB may have in this process: enough for our arenas.
//
// Invariant: as many as all arenas together that have asked for a number, beside the largest of
// those that have not; and never fewer than oneTBB would have without us.
#pragma once

namespace coil::detail {

// As long as it lives, an arena has its threads. Any thread.
class ArenaThreads {
 public:
  enum class Kind : bool { Asked, Default };

  ArenaThreads(int threads, Kind kind);
  ~ArenaThreads();
  ArenaThreads(const ArenaThreads&) = delete;
  ArenaThreads& operator=(const ArenaThreads&) = delete;

 private:
  const int threads_;
  const Kind kind_;
};

}  // namespace coil::detail
