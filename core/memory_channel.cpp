// What memory channels throw, and what a task that waits in one is said to do.
#include <coil/memory_channel.hpp>

namespace coil::detail {

const LeafKind ChannelErrors::put_leaf{.name = "channel send", .cancel = &WaitLine::leave};
const LeafKind ChannelErrors::get_leaf{.name = "channel receive", .cancel = &WaitLine::leave};

void ChannelErrors::throw_put(Transfer outcome) {
  if (outcome == Transfer::Waiting) throw WouldBlock();
  if (outcome == Transfer::Closed)
    throw ClosedResourceError("send: this handle of the channel has been closed");
  throw BrokenResourceError("send: every receiver of the channel has been closed");
}
void ChannelErrors::throw_get(Transfer outcome) {
  if (outcome == Transfer::Waiting) throw WouldBlock();
  if (outcome == Transfer::Closed)
    throw ClosedResourceError("receive: this handle of the channel has been closed");
  throw EndOfChannel("receive: the channel is empty, and every sender has been closed");
}

}  // namespace coil::detail
