#include "arena_pool.hpp"

#include <sched.h>
#include <tbb/info.h>

#include <algorithm>
#include <utility>

namespace coil::detail {
namespace {

// Whose call this thread makes.
thread_local const OpenCalls* making = nullptr;

// Where its library for NUMA is installed, oneTBB knows the nodes too. On one node nobody asks: it
// would load that library, in a way that sanitizers do not allow.
tbb::task_arena::constraints constraints_of(const ArenaPlace& place) {
  tbb::task_arena::constraints constraints;
  if (node_processors().size() == 1) return constraints.set_max_concurrency(place.threads);
  const auto nodes = tbb::info::numa_nodes();
  const auto node = static_cast<tbb::numa_node_id>(place.on.node);
  if (std::find(nodes.begin(), nodes.end(), node) != nodes.end()) constraints.set_numa_id(node);
  return constraints.set_max_concurrency(place.threads);
}

}  // namespace

void ArenaNode::Binder::on_scheduler_entry(bool worker) {
  if (worker) bind_thread_to(processors_);
}
void ArenaNode::Binder::on_scheduler_exit(bool worker) {
  if (worker) unbind_thread();  // the next arena may be the program's own
}

// No place is kept for a thread that is not oneTBB's: nobody but tokens comes in.
ArenaNode::ArenaNode(ArenaPlace place, Ref<OpenCalls> calls)
    : TokenLine(std::move(calls)),
      place_(std::move(place)),
      arena_(constraints_of(place_), 0),
      binder_(arena_, place_.on.processors) {}

// The reference that the token holds is a plain pointer: oneTBB calls a const copy of it.
void ArenaNode::execute(Work& work) {
  add(work, [this] {
    add_ref();
    try {
      arena_.enqueue([token = this] { run_token(token); });
    } catch (...) {
      release();
      throw;
    }
  });
}

// Counted out last: who waits for that may then end the arena on a thread that is not in it.
// Isolated: a function that waits for its own parallel_for shall not do a piece of another's, which
// may want a lock that the function holds.
void ArenaNode::run_token(ArenaNode* token) noexcept {
  Ref<ArenaNode> node(token, AdoptRef{});
  const Ref<OpenCalls> calls = node->calls();
  const auto* const before = std::exchange(making, calls.get());
  tbb::this_task_arena::isolate([&] { node->run_next(); });
  making = before;
  node = {};
  calls->end();
}

ArenaPool::ArenaPool(const ArenaOptions& options)
    : places_(place_arenas(node_processors(), options, loop_count())),
      threads_(concurrency(),
               options.concurrency == 0 ? ArenaThreads::Kind::Default : ArenaThreads::Kind::Asked) {
  for (const ArenaPlace& place : places_) {
    for (const unsigned processor : place.on.processors) {
      if (processor >= node_of_.size()) node_of_.resize(processor + 1);
      node_of_[processor] = nodes_.size();
    }
    nodes_.emplace_back(new ArenaNode(place, calls_), AdoptRef{});
  }
}

int ArenaPool::concurrency() const noexcept {
  int threads = 0;
  for (const ArenaPlace& place : places_) threads += place.threads;
  return threads;
}

// The first one's for a node that has none.
ArenaNode& ArenaPool::nearest() noexcept {
  if (nodes_.size() == 1) return *nodes_.front();
  const int here = sched_getcpu();
  const auto processor = static_cast<std::size_t>(here < 0 ? 0 : here);
  return *nodes_[processor < node_of_.size() ? node_of_[processor] : 0];
}

void ArenaPool::execute(Work& work) { nearest().execute(work); }

Future<void> ArenaPool::close(const ShutdownOptions& options) {
  auto ended = calls_->close();
  if (options.cancel_futures)
    for (const auto& node : nodes_) node->cancel_all();
  if (!options.wait) ended.try_set_result();
  return ended;
}

void ArenaPool::wait() noexcept {
  if (making != calls_.get()) calls_->wait();
}

}  // namespace coil::detail
