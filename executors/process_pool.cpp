#include "process_pool.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/processors.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "worker_main.hpp"

extern char** environ;

namespace coil::detail {
namespace {

// So many calls at most are with one worker, and so large may those be that it has not begun.
constexpr std::size_t ahead_max = 8;
constexpr std::size_t ahead_bytes_max = 4096;
static_assert(ahead_max <= WorkerControl::slots_max);

std::size_t max_of(int asked) {
  if (asked < 0)
    throw std::invalid_argument("ProcessPoolExecutor: max_workers must not be negative, not " +
                                std::to_string(asked));
  return asked == 0 ? processor_count() : static_cast<std::size_t>(asked);
}

Environment environment_now() {
  Environment all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return all;
}

Descriptor checked(int fd, const char* what) {
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(),
                            std::string(what) + " for a ProcessPoolExecutor");
  return Descriptor(fd);
}

void write_place(Packer& out, const FunctionPlace& place) {
  Pack<std::string>::write(out, place.image);
  Pack<std::string>::write(out, place.identity);
  out.add_plain(place.offset);
}

}  // namespace

ProcessPool::ProcessPool(ProcessPoolOptions options)
    : options_(std::move(options)),
      workers_max_(max_of(options_.max_workers)),
      environment_(environment_now()),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      events_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  link_worker_hook();
  const ProcessInitializer& initializer = options_.initializer;
  welcome_.add_plain(static_cast<std::uint32_t>(initializer.kind_));
  if (initializer.kind_ != ProcessInitializer::Kind::None) {
    write_place(welcome_, initializer.place_);
    const auto& arguments = initializer.arguments_.bytes();
    welcome_.add_block(arguments.data(), arguments.size(), pack_alignment);
  }
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl of a ProcessPoolExecutor");
}

void ProcessPool::check_open() const {
  if (!broken_.empty()) throw BrokenProcessPool(broken_);
  if (closing_) throw std::runtime_error("submit: cannot schedule new futures after shutdown");
}

void ProcessPool::pack(ExecutorCall& call) {
  RemoteFunction* remote = call.remote();
  if (remote == nullptr)
    throw std::invalid_argument(
        "submit: a ProcessPoolExecutor takes functions that are known when the program is "
        "compiled, with arguments that can go to another process: use submit<&fn>(args...)");
  remote->packed = Box<PackedCall, DropPackedCall>(new PackedCall(*regions_));
  Packer& content = remote->packed->content;
  write_place(content, remote->place());
  remote->pack(content);
  content.spill_above(MessageChannel::body_max);
}

void ProcessPool::execute(Work& work) {
  {
    const Lock lock(mutex_);
    check_open();
  }
  const bool patient = work.patient();
  CallRef call = std::move(work).take();
  try {
    pack(*call);
    Lock lock(mutex_);
    check_open();
    if (!started_) start_thread(lock);
    call->set_host(Ref<CallHost>(this));
    line_.add(std::move(call));
    if (!idle_.empty() && line_.size() == 1) {
      WorkerProcess& worker = *idle_.back();
      idle_.pop_back();
      if (refill(worker)) return;
      if (worker.state == State::Ready) idle_.push_back(&worker);
    }
    const std::size_t starting = target_ - std::min(ready_, target_);
    if (target_ < workers_max_ && line_.size() > starting) {
      ++target_;
      wake();
    }
  } catch (...) {
    if (call) work = Work(std::move(call), patient);
    throw;
  }
}

void ProcessPool::start_thread(Lock& lock) {
  if (worker_is_starting())
    throw std::runtime_error(
        "ProcessPoolExecutor: the global objects of a worker process start workers, and those "
        "would start more");
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  try {
    thread_ = std::thread([pool = Ref(this)] { pool->serve(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  started_ = true;
  (void)lock;  // held: the thread's handle is there before anybody looks for it
}

void ProcessPool::wake() const noexcept {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

// It has left the line before, so it does not ask again whether it may begin.
void ProcessPool::put_back(CallRef call) { line_.add_first(std::move(call)); }

bool ProcessPool::refill(WorkerProcess& worker) {
  if (worker.state != State::Ready) return false;
  // What is left is shared out when there is little.
  const std::size_t share =
      std::clamp<std::size_t>(line_.size() / (2 * std::max<std::size_t>(ready_, 1)), 1, ahead_max);
  const std::size_t calls_max = options_.max_tasks_per_child;
  std::vector<CallRef> batch;
  while (worker.calls.size() + batch.size() < share && !line_.empty()) {
    const std::size_t made = worker.calls_made + batch.size();
    if (calls_max != 0 && made >= calls_max) break;
    CallRef call = line_.take();
    PackedCall& packed = *call->remote()->packed;
    const bool small =
        packed.content.regions().empty() && packed.content.bytes().size() <= ahead_bytes_max;
    if (!small && worker.calls.size() + batch.size() != 0) {
      line_.add_first(std::move(call));
      break;
    }
    if (packed.begun) {
      if (call->future().done()) {  // cancelled after it had left the line
        call->finished();
        continue;
      }
    } else if (!call->begin()) {
      continue;  // dropped
    }
    packed.begun = true;
    batch.push_back(std::move(call));
    if (!small) break;
  }
  if (batch.empty()) return !worker.calls.empty();
  if (const int error = worker.send(batch)) return not_sent(worker, batch, error);
  if (worker.calls.size() > 1) sent_ahead_ += worker.calls.size() - 1;
  return true;
}

bool ProcessPool::not_sent(WorkerProcess& worker, std::vector<CallRef>& batch, int error) {
  const bool dying = error == EPIPE || error == ECONNRESET || error == ENOTCONN;
  // Its socket is full: there will be room when it answers.
  const bool later = error == EAGAIN && !worker.calls.empty();
  if (!dying && !later) {
    // Nothing is wrong with the worker. Only the pool's thread may tell who waits for the call.
    refused_.add(std::move(batch.front()));
    refused_why_ = std::generic_category().message(error);
    batch.erase(batch.begin());
    wake();
  }
  for (; !batch.empty(); batch.pop_back()) put_back(std::move(batch.back()));
  if (!dying) return refill_again(worker, later);
  // Its end is seen by the pool's thread, and then another one is started.
  worker.state = State::Leaving;
  --ready_;
  worker.signal(SIGKILL);
  wake();
  return false;
}

bool ProcessPool::refill_again(WorkerProcess& worker, bool later) {
  return later || line_.empty() ? !worker.calls.empty() : refill(worker);
}

Future<void> ProcessPool::close(ShutdownOptions options) {
  CallLine cancelled;
  const auto closed = create_future<void>();
  bool done = !options.wait;
  {
    const Lock lock(mutex_);
    closing_ = true;
    if (options.cancel_futures) {
      while (CallRef call = line_.take()) cancelled.add(std::move(call));
    }
    done = done || !started_ || gone_;
    if (!done) closers_.push_back(closed);
    wake();
  }
  while (const CallRef call = cancelled.take()) {
    call->future().cancel("the executor was shut down");
    if (call->remote()->packed->begun) call->finished();
  }
  if (done) closed.set_result();
  return closed;
}

void ProcessPool::end_workers(int signal) {
  CallLine left;
  {
    const Lock lock(mutex_);
    closing_ = true;
    ended_by_ = signal;
    if (broken_.empty()) broken_ = "the workers of the pool were ended";
    while (CallRef call = line_.take()) left.add(std::move(call));
    for (const auto& worker : workers_)
      if (worker->state != State::Dead) worker->signal(signal);
  }
  wake();
  give_up(left, "the workers of the pool were ended before the call had begun");
}

void ProcessPool::join() noexcept {
  std::thread thread;
  {
    const Lock lock(mutex_);
    thread.swap(thread_);
  }
  if (!thread.joinable()) return;
  // The pool's last owner may be a callback that its own thread calls.
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();
  } else {
    thread.join();
  }
}

void ProcessPool::remove(ExecutorCall& call) noexcept {
  CallRef removed;
  const Lock lock(mutex_);
  removed = line_.remove(call);
  if (removed) removed->remote()->packed = {};
}

}  // namespace coil::detail
