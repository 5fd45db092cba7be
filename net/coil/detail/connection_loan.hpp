// What an awaitable of a stream holds: nothing but the connection's address while it is awaited
// where it was made, beside the stream; a handle of its own once it is moved (into a task, into
// wait_for), or when it was made from a temporary stream.
//
// Invariant: two locked instructions are paid only where the stream may go before the await ends.
#pragma once

namespace coil::detail {

class Connection;

class ConnectionLoan {
 public:
  ConnectionLoan(Connection& connection, bool owns) noexcept : connection_(&connection) {
    if (owns) own();
  }
  ConnectionLoan(ConnectionLoan&& other) noexcept : ConnectionLoan(*other.connection_, true) {}
  ConnectionLoan& operator=(ConnectionLoan&&) = delete;
  ~ConnectionLoan() {
    if (owns_) give_back();
  }
  [[nodiscard]] Connection& operator*() const noexcept { return *connection_; }
  [[nodiscard]] Connection* operator->() const noexcept { return connection_; }

 private:
  void own() noexcept;
  void give_back() noexcept;

  Connection* connection_;
  bool owns_ = false;
};

}  // namespace coil::detail
