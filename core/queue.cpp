// What queues throw, and what a task that waits in one is said to do.
#include <coil/queue.hpp>

namespace coil::detail {

const LeafKind QueueErrors::put_leaf{.name = "Queue.put", .cancel = &WaitLine::leave};
const LeafKind QueueErrors::get_leaf{.name = "Queue.get", .cancel = &WaitLine::leave};
const LeafKind QueueErrors::join_leaf{.name = "Queue.join", .cancel = &WaitLine::leave};

void QueueErrors::throw_put(Transfer /*outcome*/) {
  throw QueueShutDown("put: the queue has been shut down");
}
void QueueErrors::throw_get(Transfer /*outcome*/) {
  throw QueueShutDown("get: the queue has been shut down, and nothing is left in it");
}
void QueueErrors::throw_put_nowait(Transfer outcome) {
  if (outcome == Transfer::Waiting)
    throw QueueFull("put_nowait: the queue is full; co_await put() waits for a place");
  throw_put(outcome);
}
void QueueErrors::throw_get_nowait(Transfer outcome) {
  if (outcome == Transfer::Waiting)
    throw QueueEmpty("get_nowait: the queue is empty; co_await get() waits for an item");
  throw_get(outcome);
}

}  // namespace coil::detail
