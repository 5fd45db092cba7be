// What the thread of a process pool does.
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <coil/detail/processors.hpp>
#include <system_error>
#include <utility>

#include "process_pool.hpp"

namespace coil::detail {
namespace {

using namespace std::chrono_literals;

// Workers that end by themselves before they can be called, one after the other: there is no hope.
constexpr int failed_starts_max = 3;
// Those that somebody kills are started again, but from so many on not at once.
constexpr int killed_starts_at_once = 8;
constexpr int killed_starts_max = 100;
constexpr auto start_pause = 50ms;
// A worker that was let go and is still there after this is killed.
constexpr auto leaving_max = 2s;
// A call that was sent ahead and waits for this long behind another one is taken back.
constexpr auto ahead_time_max = 1ms;
constexpr auto rescue_pause = 500us;
// A worker gets more when it has no more than this, so several with one packet.
constexpr std::size_t refill_at = 3;
// From when on without anything to do shared memory is given back.
constexpr int quiet_ms = 10'000;
constexpr int packets_max = 32;  // of one worker, before the next one's turn

// In epoll's data: which of a worker's descriptors. A null pointer: the pool's own.
constexpr std::uintptr_t process_bit = 1;

void watch(int events, int fd, WorkerProcess* worker, std::uintptr_t bit) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = reinterpret_cast<std::uintptr_t>(worker) | bit;
  if (::epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl of a worker process");
}

std::string about(const WorkerProcess& worker) { return "worker " + std::to_string(worker.pid()); }

}  // namespace

void ProcessPool::serve() noexcept {
  pthread_setname_np(pthread_self(), "coil-processes");
  unbind_thread();
  Lock lock(mutex_);
  while (manage(lock)) {
    const int limit = timeout_ms();
    lock.unlock();
    wait_for_events(limit);
    lock.lock();
  }
  gone_ = true;
  std::vector<Future<void>> closers;
  closers.swap(closers_);
  lock.unlock();
  for (const auto& closer : closers) closer.try_set_result();
}

// False: all is done.
bool ProcessPool::manage(Lock& lock) {
  std::erase_if(workers_, [](const auto& worker) { return worker->state == State::Dead; });
  if (!refused_.empty()) give_up_refused(lock);
  while (Clock::now() >= start_after_ && wanted_workers() > 0 && start_worker(lock)) {
  }
  const bool through = line_.empty() && std::all_of(workers_.begin(), workers_.end(),
                                                    [](const auto& w) { return w->calls.empty(); });
  if (through && (closing_ || !broken_.empty())) dismiss_workers();
  for (const auto& worker : workers_)
    if (worker->state == State::Leaving && Clock::now() - worker->front_since > leaving_max)
      worker->signal(SIGKILL);
  return !(closing_ && through && workers_.empty());
}

int ProcessPool::timeout_ms() const noexcept {
  const bool soon =
      Clock::now() < start_after_ || std::any_of(
                                         workers_.begin(), workers_.end(),
                                         [](const auto& w) { return w->state == State::Leaving; });
  return soon ? 20 : quiet_ms;
}

// How many to start.
std::size_t ProcessPool::wanted_workers() const noexcept {
  if (!broken_.empty()) return 0;
  std::size_t there = 0;
  std::size_t starting = 0;
  for (const auto& worker : workers_) {
    if (worker->state == State::Starting || worker->state == State::Ready) ++there;
    if (worker->state == State::Starting) ++starting;
  }
  if (there >= target_) return 0;
  if (!closing_) return target_ - there;
  return line_.size() > starting ? std::min(target_ - there, line_.size() - starting) : 0;
}

bool ProcessPool::start_worker(Lock& lock) {
  lock.unlock();
  std::unique_ptr<WorkerProcess> worker;
  std::string why;
  try {
    worker = std::make_unique<WorkerProcess>(environment_, welcome_);
    watch(events_.get(), worker->channel().descriptor(), worker.get(), 0);
    watch(events_.get(), worker->process(), worker.get(), process_bit);
  } catch (const std::exception& error) {
    why = error.what();
    worker = nullptr;
  }
  lock.lock();
  if (worker) {
    if (ended_by_ != 0) worker->signal(ended_by_);
    workers_.push_back(std::move(worker));
    return true;
  }
  // Others may go on; and perhaps it is better later.
  start_after_ = Clock::now() + start_pause;
  if (workers_.empty()) {
    target_ = 0;
    break_down(lock, "a worker process cannot be started: " + why, false);
  }
  return false;
}

void ProcessPool::dismiss_workers() {
  for (const auto& worker : workers_) {
    if (worker->state == State::Ready) --ready_;
    if (worker->state == State::Ready || worker->state == State::Starting) worker->dismiss();
  }
  idle_.clear();
}

void ProcessPool::wait_for_events(int timeout) {
  std::array<epoll_event, 64> events;
  const int count =
      ::epoll_wait(events_.get(), events.data(), static_cast<int>(events.size()), timeout);
  if (count == 0 && timeout == quiet_ms) regions_->trim();
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
    if (data == 0) {
      std::uint64_t times = 0;
      (void)!::read(wake_.get(), &times, sizeof times);
      continue;
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): what watch() has put there
    auto& worker = *reinterpret_cast<WorkerProcess*>(data & ~process_bit);
    if (worker.reaped()) continue;  // it goes in manage()
    if ((data & process_bit) == 0) {
      on_socket(worker);
    } else {
      on_end(worker);
    }
  }
}

void ProcessPool::on_socket(WorkerProcess& worker) {
  MessageChannel& channel = worker.channel();
  try {
    InMessage message;
    for (int i = 0; i < packets_max; ++i) {
      const auto received = channel.receive(MSG_DONTWAIT);
      if (received == MessageChannel::Received::Nothing) return;
      if (received == MessageChannel::Received::End) break;
      while (channel.next(message)) on_message(worker, message);
      if (expects_nothing(worker)) return;
      if (i + 1 == packets_max) return;
    }
  } catch (const std::exception&) {
    // Damaged, or out of descriptors: either way what it says cannot be read any more.
  }
  // Nothing more will come: either it is dying, or it shall.
  ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, channel.descriptor(), nullptr);
  worker.signal(SIGKILL);
}

// Then it is no use to ask the kernel for more; if there is, epoll says so.
bool ProcessPool::expects_nothing(const WorkerProcess& worker) const {
  const Lock lock(mutex_);
  return worker.calls.empty() && !worker.reaped();
}

void ProcessPool::on_message(WorkerProcess& worker, const InMessage& message) {
  switch (message.kind) {
    case MessageKind::Hello: {
      Unpacker in = message.unpack();
      const bool same = Pack<std::string>::read(in) == identity_;
      Lock lock(mutex_);
      if (same) return make_ready(worker);
      return break_down(lock, "a worker process runs another executable than the program", true);
    }
    case MessageKind::InitializerFailed: {
      Unpacker in = message.unpack();
      const auto type = Pack<std::string>::read(in);
      const auto text = Pack<std::string>::read(in);
      Lock lock(mutex_);
      return break_down(
          lock, "the initializer of the process pool has thrown " + type + ": " + text, true);
    }
    case MessageKind::Result:
    case MessageKind::Error:
    case MessageKind::Refused:
      return on_result(worker, message);
    default:
      throw PackError("a worker sends what no worker sends");
  }
}

void ProcessPool::make_ready(WorkerProcess& worker) {
  if (worker.state != State::Starting) return;
  failed_starts_ = 0;
  killed_starts_ = 0;
  worker.state = State::Ready;
  ++ready_;
  next_calls(worker);
}

void ProcessPool::on_result(WorkerProcess& worker, const InMessage& message) {
  CallRef call;
  {
    const Lock lock(mutex_);
    call = worker.take(message.sequence);
    if (!call) throw PackError("a worker answers a call that it has not got");
    if (worker.state == State::Ready) next_calls(worker);
  }
  complete(call, message, worker);
}

// It may have run out of them.
void ProcessPool::next_calls(WorkerProcess& worker) {
  rescue();
  const std::size_t calls_max = options_.max_tasks_per_child;
  if (worker.calls.empty() && calls_max != 0 && worker.calls_made >= calls_max) {
    --ready_;
    return worker.dismiss();
  }
  if (!worker.calls.empty() && (line_.empty() || worker.calls.size() > refill_at)) return;
  if (line_.empty()) {
    // One that has calls behind the one that it runs gives them away.
    const auto most = std::max_element(
        workers_.begin(), workers_.end(),
        [](const auto& a, const auto& b) { return a->calls.size() < b->calls.size(); });
    if (most != workers_.end() && (*most)->calls.size() > 1) take_back_from(**most);
  }
  if (!refill(worker) && worker.state == State::Ready) idle_.push_back(&worker);
}

void ProcessPool::take_back_from(WorkerProcess& worker) {
  while (CallRef call = worker.take_back()) put_back(std::move(call));
}

// Calls that were sent ahead to a worker that does not get to them.
void ProcessPool::rescue() {
  if (sent_ahead_ == 0) return;
  const auto now = Clock::now();
  if (now - rescued_ < rescue_pause) return;
  rescued_ = now;
  sent_ahead_ = 0;
  for (const auto& worker : workers_) {
    if (worker->calls.size() < 2) continue;
    if (now - worker->front_since > ahead_time_max) {
      take_back_from(*worker);
    } else {
      sent_ahead_ += worker->calls.size() - 1;
    }
  }
}

void ProcessPool::on_end(WorkerProcess& worker) {
  on_socket(worker);  // what it has said before
  CallLine failed;
  {
    Lock lock(mutex_);
    if (!worker.reap()) return;
    const bool starting = worker.state == State::Starting;
    if (worker.state == State::Ready) --ready_;
    std::erase(idle_, &worker);
    take_back_from(worker);
    while (!worker.calls.empty()) failed.add(worker.take(worker.calls.front().sequence));
    worker.state = State::Dead;
    const std::string end = about(worker) + " " + worker.how_it_ended();
    if (starting && broken_.empty()) {
      ++(worker.failed() ? failed_starts_ : killed_starts_);
      if (failed_starts_ >= failed_starts_max || killed_starts_ >= killed_starts_max)
        break_down(lock, end + " before it could be called, as others before it", true);
      if (killed_starts_ > killed_starts_at_once) start_after_ = Clock::now() + start_pause;
    }
    if (ended_by_ != 0)
      while (CallRef call = line_.take()) failed.add(std::move(call));
  }
  give_up(failed, about(worker) + " " + worker.how_it_ended() + " while it ran the call");
}

// All calls that wait fail; for good: and those that are submitted later.
void ProcessPool::break_down(Lock& lock, const std::string& why, bool for_good) {
  if (for_good && broken_.empty()) broken_ = why;
  CallLine left;
  for (const auto& worker : workers_) take_back_from(*worker);
  while (CallRef call = line_.take()) left.add(std::move(call));
  lock.unlock();
  give_up(left, why);
  lock.lock();
}

void ProcessPool::give_up_refused(Lock& lock) {
  CallLine refused;
  while (CallRef call = refused_.take()) refused.add(std::move(call));
  const std::string why = "the call cannot be sent to a worker: " + refused_why_;
  lock.unlock();
  give_up(refused, why);
  lock.lock();
}

void ProcessPool::give_up(CallLine& calls, const std::string& why) noexcept {
  const auto error = std::make_exception_ptr(BrokenProcessPool(why));
  while (const CallRef call = calls.take()) {
    RemoteFunction& remote = *call->remote();
    const bool begun = remote.packed->begun;
    if (!begun) {
      call->fail(error);
      continue;
    }
    remote.packed = {};
    remote.give_error(error);
    call->finished();
  }
}

void ProcessPool::complete(const CallRef& call, const InMessage& message, WorkerProcess& worker) {
  RemoteFunction& remote = *call->remote();
  remote.packed = {};  // the memory that its arguments lay in can be used again
  try {
    Unpacker in = message.unpack();
    if (message.kind == MessageKind::Result) {
      remote.give_result(in);
    } else {
      auto type = Pack<std::string>::read(in);
      const auto text = Pack<std::string>::read(in);
      if (message.kind == MessageKind::Error)
        throw RemoteError(std::move(type), text, worker.pid());
      throw BrokenProcessPool(about(worker) + " cannot make the call: " + text);
    }
  } catch (const PackError& error) {
    remote.give_error(std::make_exception_ptr(
        BrokenProcessPool(about(worker) + " gave back what is no result: " + error.what())));
  } catch (...) {
    remote.give_error(std::current_exception());
  }
  if (!message.regions.empty())
    worker.control().results_read.fetch_add(1, std::memory_order_release);
  call->finished();
}

}  // namespace coil::detail
