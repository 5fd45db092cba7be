#include "signal_handlers.hpp"

#include <coil/exceptions.hpp>
#include <coil/loop.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "worker_pool.hpp"

namespace coil {
namespace detail {

SignalHandler::SignalHandler(Worker& worker, UniqueFunction<void()> fn) noexcept
    : worker_(worker), call_(std::move(fn)) {
  run = &on_turn;
}

void SignalHandler::signal_arrived(int) noexcept {
  auto idle = State::Idle;
  if (!state_.compare_exchange_strong(idle, State::Queued)) return;
  add_ref();
  if (!worker_.post_from_signal(*this)) release();  // closed; the table holds one more
}

bool SignalHandler::retire() noexcept { return state_.exchange(State::Removed) == State::Queued; }

void SignalHandler::on_turn(Runnable& item) noexcept {
  const Ref<SignalHandler> self(static_cast<SignalHandler*>(&item), AdoptRef{});
  auto queued = State::Queued;
  if (!self->state_.compare_exchange_strong(queued, State::Idle)) return;
  self->call_.call("Exception in signal handler");
}

void SignalHandlers::set(int signal, Worker& worker, UniqueFunction<void()> fn) {
  const Ref<SignalHandler> next(new SignalHandler(worker, std::move(fn)), AdoptRef{});
  Ref<SignalHandler> old;  // goes when the lock has gone
  const std::lock_guard lock(mutex_);
  if (closed_) throw LoopClosed("add_signal_handler");
  const auto [at, fresh] = entries_.try_emplace(signal);
  try {
    at->second.claim.claim(signal, *next, owner_);
  } catch (...) {
    if (fresh) entries_.erase(at);
    throw;
  }
  old = std::exchange(at->second.handler, next);
  if (old && old->retire()) next->signal_arrived(signal);
}

bool SignalHandlers::remove(int signal) noexcept {
  Ref<SignalHandler> old;
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(signal);
  if (at == entries_.end()) return false;
  old = std::move(at->second.handler);
  entries_.erase(at);
  (void)old->retire();
  return true;
}

void SignalHandlers::close() noexcept {
  std::map<int, Entry> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    all.swap(entries_);
  }
  for (auto& [signal, entry] : all) {
    entry.claim.release();
    (void)entry.handler->retire();
  }
}

}  // namespace detail

namespace {

void require_signal(int signal, const char* operation) {
  if (signal < 1 || signal >= NSIG)
    throw std::invalid_argument(std::string(operation) + ": " + std::to_string(signal) +
                                " is no signal: expected 1 to " + std::to_string(NSIG - 1));
}

}  // namespace

void Loop::set_signal_handler(int signal, detail::UniqueFunction<void()> fn) {
  require_signal(signal, "add_signal_handler");
  require_inside("add_signal_handler");
  const detail::LoopEntry entry(*this, "add_signal_handler");
  worker_->pool().signal_handlers().set(signal, *worker_, std::move(fn));
}

bool Loop::remove_signal_handler(int signal) {
  require_signal(signal, "remove_signal_handler");
  require_inside("remove_signal_handler");
  return worker_->pool().signal_handlers().remove(signal);
}

}  // namespace coil
