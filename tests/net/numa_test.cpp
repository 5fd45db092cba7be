// On a machine with several NUMA nodes: what a loop receives lies on the node that it runs on.
#include <coil/runner.hpp>
#include <kit/nodes.hpp>

#include "../../sched/worker.hpp"
#include "net_kit.hpp"

namespace {

using coil::Coro;
using coil::detail::Worker;

TEST(numa, connections_receive_into_memory_of_their_loops_node) {
  KIT_NEEDS_TWO_NODES();
  const kit::Watchdog watchdog;
  coil::Runner runner;
  runner.run([&]() -> Coro<> {
    for (coil::Loop* loop : runner.loops())
      co_await loop->create_task([&]() -> Coro<> {
        auto ends = co_await kit::connected();
        for (int i = 0; i < 20; ++i) {
          ends.near.writer.write(std::string(1000, 'x') + "\n");
          EXPECT_EQ((co_await ends.far.reader.readline()).size(), 1001U);
        }
        const auto buffer = Worker::of(*loop).backend().provided_buffer(0);
        const auto pages =
            kit::count_pages(buffer.data(), 256 * buffer.size(), kit::node_of_this_thread());
        EXPECT_GE(pages.here, 20U);
        EXPECT_EQ(pages.elsewhere, 0U);
        for (auto* end : {&ends.near, &ends.far}) {
          end->writer.close();
          co_await end->writer.wait_closed();
        }
      });
  });
}

}  // namespace
