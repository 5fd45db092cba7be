// Memory for what a model allocates during one execution.
//
// Invariant: nothing freed is used again before the execution ends, so an access after free finds
// poison, and every replay of a schedule sees the same addresses.
#pragma once

#include <cstddef>

namespace model::arena {

// From here to the next reset() `new` is served from the arena, unless a Pause is alive.
void start();
void stop();
void reset();

// Blocks that were allocated since the last reset and not yet freed.
std::size_t live();

// The explorer's own allocations, made while a model runs, are not the model's.
class Pause {
 public:
  Pause();
  ~Pause();
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  bool was_;
};

}  // namespace model::arena
