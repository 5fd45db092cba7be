#include "descriptor_watch.hpp"

#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <coil/loop.hpp>
#include <string>
#include <system_error>

#include "worker_pool.hpp"

namespace coil {
namespace detail {
namespace {

const char* name_of(Readiness what) {
  return what == Readiness::Readable ? "add_reader" : "add_writer";
}

std::system_error watch_error(int error, Readiness what, int fd) {
  return {error, std::system_category(),
          std::string(name_of(what)) + " of descriptor " + std::to_string(fd)};
}

}  // namespace

DescriptorWatch::DescriptorWatch(DescriptorWatches& table, int descriptor, Readiness what,
                                 UniqueFunction<void()> fn) noexcept
    : table_(table), readiness_(what), call_(std::move(fn)) {
  code = OpCode::Poll;
  Operation::fd = descriptor;
  Operation::flags = what == Readiness::Readable ? POLLIN : POLLOUT;
  complete = &on_polled;
  finish = &on_poll_end;
}

bool DescriptorWatch::removed() noexcept {
  const SpinGuard guard(lock_);
  return removed_;
}

bool DescriptorWatch::start(Worker& worker) noexcept {
  if (current_worker() == &worker) {
    arm();
    return true;
  }
  run = &on_first_turn;
  add_ref();
  if (worker.post(*this)) return true;
  release();
  return false;
}

void DescriptorWatch::arm() noexcept {
  const SpinGuard guard(lock_);
  if (removed_) return;
  polling_ = true;
  add_ref();
  submit_detached(*this);
}

void DescriptorWatch::remove() noexcept {
  const SpinGuard guard(lock_);
  removed_ = true;
  if (polling_) (void)cancel_operation(*this);
}

void DescriptorWatch::on_first_turn(Runnable& item) noexcept {
  const Ref<DescriptorWatch> self(static_cast<DescriptorWatch*>(&item), AdoptRef{});
  self->arm();
}

void DescriptorWatch::on_polled(Operation& op, std::int32_t result, CompletionFlags) noexcept {
  static_cast<DescriptorWatch&>(op).result_ = result;
  op.end();
}

void DescriptorWatch::on_poll_end(Operation& op) noexcept {
  Ref<DescriptorWatch> self(static_cast<DescriptorWatch*>(&op), AdoptRef{});
  end_detached(*self);
  {
    const SpinGuard guard(self->lock_);
    self->polling_ = false;
    if (self->removed_) return;
  }
  switch (-self->result_) {
    case ECANCELED:  // the loop closes
      return;
    case EINTR:
      return self->arm();
    default:
      if (self->result_ < 0) return self->fail();
  }
  self->run = &on_turn;
  current_worker()->push_pinned(*self.detach());
}

void DescriptorWatch::on_turn(Runnable& item) noexcept {
  const Ref<DescriptorWatch> self(static_cast<DescriptorWatch*>(&item), AdoptRef{});
  if (self->removed()) return;
  self->call_.call(self->readiness_ == Readiness::Readable ? "Exception in callback of add_reader"
                                                           : "Exception in callback of add_writer");
  self->arm();
}

// It was closed and opened anew as something else, say.
void DescriptorWatch::fail() noexcept {
  table_.forget(*this);
  try {
    ExceptionContext context;
    context.message = "a descriptor cannot be polled any more, its callback is removed";
    context.exception = std::make_exception_ptr(watch_error(-result_, readiness_, Operation::fd));
    report(context);
  } catch (...) {  // out of memory: the report is lost
  }
}

void DescriptorWatches::add(int fd, Readiness what, Worker& worker, UniqueFunction<void()> fn) {
  const Ref<DescriptorWatch> watch(new DescriptorWatch(*this, fd, what, std::move(fn)), AdoptRef{});
  Ref<DescriptorWatch> old;  // goes when the lock has gone
  const std::lock_guard lock(mutex_);
  if (closed_) throw LoopClosed(name_of(what));
  Ref<DescriptorWatch>& place = watches_[watch->key()];
  old = std::exchange(place, watch);
  if (old) old->remove();
  if (watch->start(worker)) return;
  watches_.erase(watch->key());
  throw LoopClosed(name_of(what));
}

bool DescriptorWatches::remove(int fd, Readiness what) noexcept {
  Ref<DescriptorWatch> old;
  const std::lock_guard lock(mutex_);
  const auto at = watches_.find({fd, what});
  if (at == watches_.end()) return false;
  old = std::move(at->second);
  watches_.erase(at);
  old->remove();
  return true;
}

void DescriptorWatches::forget(const DescriptorWatch& watch) noexcept {
  Ref<DescriptorWatch> old;
  const std::lock_guard lock(mutex_);
  const auto at = watches_.find(watch.key());
  if (at == watches_.end() || at->second.get() != &watch) return;  // replaced
  old = std::move(at->second);
  watches_.erase(at);
}

void DescriptorWatches::close() noexcept {
  Table all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    all.swap(watches_);
  }
  for (auto& [key, watch] : all) watch->remove();
}

}  // namespace detail

using detail::Readiness;

namespace {

// As epoll does, which asyncio asks: a file is always ready, so there is nothing to wait for.
void require_pollable(int fd, Readiness what) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) throw detail::watch_error(errno, what, fd);
  if (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) throw detail::watch_error(EPERM, what, fd);
}

}  // namespace

void Loop::watch(int fd, Readiness what, detail::UniqueFunction<void()> fn) {
  require_inside(detail::name_of(what));
  const detail::LoopEntry entry(*this, detail::name_of(what));
  if (is_simulated()) throw detail::watch_error(ENOTSUP, what, fd);
  require_pollable(fd, what);
  worker_->pool().watches().add(fd, what, *worker_, std::move(fn));
}

bool Loop::unwatch(int fd, Readiness what) {
  require_inside(what == Readiness::Readable ? "remove_reader" : "remove_writer");
  return worker_->pool().watches().remove(fd, what);
}

}  // namespace coil
