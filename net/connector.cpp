#include "connector.hpp"

#include <coil/detail/future_awaiter.hpp>
#include <coil/exceptions.hpp>
#include <coil/future.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace coil::detail {
namespace {

using Errors = std::vector<std::system_error>;

[[noreturn]] void throw_all(const Errors& errors) {
  std::string text;
  for (const auto& error : errors) {
    if (text.find(error.what()) != std::string::npos) continue;
    text += (text.empty() ? "" : "; ") + std::string(error.what());
  }
  if (text == errors.front().what()) throw std::system_error(errors.front());
  // Its own text ends with the error's name, which the last reason already carries.
  throw std::system_error(errors.back().code(), "all addresses failed: " + text);
}

Coro<Socket> connect_one(Address address) {
  Socket socket = Socket::tcp(address.family());
  std::exception_ptr error;
  try {
    co_await socket.connect(address);
  } catch (...) {
    error = std::current_exception();
  }
  if (!error) co_return socket;
  co_await socket.close();
  std::rethrow_exception(error);
}

// RFC 8305, section 4: the families alternate, beginning with the resolver's first choice.
std::vector<Address> interleave_families(std::vector<Address> addresses) {
  std::vector<Address> first, second, mixed;
  for (const auto& address : addresses)
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  for (std::size_t i = 0; i < first.size() || i < second.size(); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

// Shared by the attempts of one race, and the task that started them.
struct Race {
  SpinLock lock;
  std::optional<Socket> winner;
  Errors errors;
  Future<> changed;  // of this round

  // Takes the socket if it is the first.
  void finish(std::optional<Socket>& socket, const std::optional<std::system_error>& error) {
    Future<> wake;
    {
      const SpinGuard guard(lock);
      if (error) errors.push_back(*error);
      if (socket && !winner) winner.swap(socket);
      wake = changed;
    }
    wake.try_set_result();
  }
};

// What an attempt holds as an argument: it counts also if it is cancelled, and one that is
// cancelled before it starts never runs.
class Entry {
 public:
  Entry(std::shared_ptr<Race> race, const Address& address)
      : race_(std::move(race)), address_(address) {}
  Entry(Entry&& other) noexcept = default;
  Entry& operator=(Entry&&) = delete;
  ~Entry() {
    if (!race_) return;
    std::optional<Socket> nothing;
    race_->finish(nothing, std::system_error(std::make_error_code(std::errc::operation_canceled),
                                             "connect to " + address_.to_string()));
  }
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  void finish(std::optional<Socket>& socket, const std::optional<std::system_error>& error) {
    std::exchange(race_, nullptr)->finish(socket, error);
  }

 private:
  std::shared_ptr<Race> race_;
  Address address_;
};

Coro<> attempt(Entry entry) {
  std::optional<Socket> socket;
  std::optional<std::system_error> failure;
  try {
    socket = co_await connect_one(entry.address());
  } catch (const std::system_error& error) {
    failure.emplace(error);
  } catch (const std::exception& error) {
    failure.emplace(std::make_error_code(std::errc::io_error), error.what());
  }
  entry.finish(socket, failure);
  if (socket) co_await socket->close();
}

Coro<> end_attempts(std::vector<Task<>>& attempts) {
  for (const auto& task : attempts) task.cancel();
  for (const auto& task : attempts) {
    co_await FutureWait(FutureAccess::ref(task), joining_leaf);
    FutureAccess::ref(task)->mark_retrieved();
  }
}

// Until an attempt has ended, or it is time for the next one.
Coro<> wait_for_change(Future<> changed, TimeLimit delay) {
  try {
    co_await wait_for(std::move(changed), delay);
  } catch (const TimeoutError&) {
  }
}

Coro<> run_race(std::shared_ptr<Race> race, std::vector<Address> addresses, TimeLimit delay,
                std::vector<Task<>>& attempts) {
  for (;;) {
    Future<> changed = create_future();
    {
      const SpinGuard guard(race->lock);
      if (race->winner || race->errors.size() == addresses.size()) co_return;
      race->changed = changed;
    }
    if (attempts.size() < addresses.size())
      attempts.push_back(create_task(attempt(Entry(race, addresses[attempts.size()]))));
    const bool last = attempts.size() == addresses.size();
    co_await wait_for_change(changed, last ? TimeLimit() : delay);
  }
}

Coro<Socket> race_to(std::vector<Address> addresses, TimeLimit delay) {
  auto race = std::make_shared<Race>();
  std::vector<Task<>> attempts;
  std::exception_ptr error;
  try {
    co_await run_race(race, interleave_families(std::move(addresses)), delay, attempts);
  } catch (...) {
    error = std::current_exception();
  }
  co_await end_attempts(attempts);
  if (error) std::rethrow_exception(error);
  if (!race->winner) throw_all(race->errors);
  co_return std::move(*race->winner);
}

}  // namespace

Coro<Socket> connect_to_any(std::vector<Address> addresses, TimeLimit delay) {
  if (delay.has_value() && addresses.size() > 1)
    co_return co_await race_to(std::move(addresses), delay);
  Errors errors;
  for (const auto& address : addresses) {
    try {
      co_return co_await connect_one(address);
    } catch (const std::system_error& error) {
      errors.push_back(error);
    }
  }
  throw_all(errors);
}

}  // namespace coil::detail
