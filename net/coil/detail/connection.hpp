// One connected stream: what StreamReader, StreamWriter and a server share.
//
//   receiving  one multishot receive, on the loop on which a read first had to wait; what it
//              brings is copied out of the loop's provided buffers at once, on that loop, into
//              received_, and wakes the task that waits for it, wherever that is. Or, where it
//              might bring too much, a poll and a bounded receive
//   sending    writes of one turn are gathered in a Sender and leave in one send, from the loop
//              that wrote first; the Sender goes when all is sent
//   pipes      one end of a pipe (a subprocess's) is a connection of which one half is missing: it
//   is
//              polled, then read or written on the spot; the end of what is written is its closing
//   closing    what was written is flushed, the receive cancelled; when neither is in flight any
//              more the descriptor is closed, and not before
//
// Invariant: everything but the counts and hints is touched under lock_ only. receiving_, sending_
// and flush_queued_ tell what is in flight: it keeps the connection alive as a reference does, and
// under the lock it may be cancelled. Waiters are woken after unlocking. Submitting and cancelling
// happen under the lock; they take a system call only if the ring is full, or to wake another loop
// for a cancel.
#pragma once

#include <coil/address.hpp>
#include <coil/detail/atomic.hpp>
#include <coil/detail/connection_wait.hpp>
#include <coil/detail/detached_operation.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/receive_buffer.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace coil::detail {

class ReadOperation;
struct Sender;

// Told once, from any thread and under no lock, that a connection's descriptor has been given back.
struct ClosedHook {
  void (*closed)(ClosedHook& hook) noexcept = nullptr;
};

class Connection : public FrameAllocated, private DetachedOperation {
 public:
  static constexpr std::size_t default_limit = 64 * 1024;
  static constexpr std::size_t limit_max = std::size_t{1} << 31;
  // Above: drain() waits; until below.
  static constexpr std::size_t high_water = 64 * 1024;
  static constexpr std::size_t low_water = 16 * 1024;

  // Below this limit each receive is bounded, so that a small limit means little memory.
  static constexpr std::size_t multishot_limit_min = 32 * 1024;

  // Takes over a connected socket. `limit`: of a line; reading ahead stops at twice that.
  Connection(int fd, const coil::Address& peer, std::size_t limit) noexcept;
  // Takes over one end of a pipe, in non-blocking mode.
  enum class PipeEnd : bool { Reading, Writing };
  Connection(int fd, PipeEnd end, std::size_t limit) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) orphan();
  }
  // The user's handles. When the last one goes, the connection is closed as by close().
  void add_handle() noexcept { handles_.fetch_add(1, std::memory_order_relaxed); }
  void drop_handle() noexcept;

  // Before anybody else knows the connection: whom to tell when its descriptor has gone.
  void set_closed_hook(ClosedHook& hook) noexcept { closed_hook_ = &hook; }

  // connection_receive.cpp
  // True: the read is decided. False: it may have to wait.
  [[nodiscard]] bool try_read(ReadOperation& read) {
    return readable_.load(std::memory_order_relaxed) && try_read_locked(read);
  }
  // False: it was decided after all, or another one waits already.
  [[nodiscard]] bool wait_for_data(ReadOperation& read) noexcept;
  [[nodiscard]] bool stop_waiting(ReadOperation& read) noexcept;
  [[nodiscard]] bool at_eof() noexcept;
  [[noreturn]] static void fail_second_read();

  // connection_send.cpp
  void write(std::span<const std::byte> data);
  void write_eof();
  [[nodiscard]] std::size_t unsent() noexcept;

  // connection_close.cpp
  void close() noexcept { begin_close(false); }
  void abort() noexcept { begin_close(true); }
  [[nodiscard]] bool closing() noexcept;
  // Whether drain() has anything to wait for or to tell.
  [[nodiscard]] bool congested_or_lost() const noexcept {
    return congested_or_lost_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool ready(ConnectionWait::For what) noexcept;
  [[nodiscard]] bool add_waiter(ConnectionWait& waiter) noexcept;
  [[nodiscard]] bool remove_waiter(ConnectionWait& waiter) noexcept;
  // Throws if the connection was lost; what drain() and wait_closed() end with.
  void check_lost(ConnectionWait::For what);

  [[nodiscard]] const coil::Address& peername() const noexcept { return peer_; }
  [[nodiscard]] std::string peer_text() const;  // for messages
  [[nodiscard]] coil::Address sockname() noexcept;

 private:
  friend struct Sender;

  // What is to be done after unlocking.
  struct Aftermath {
    ReadOperation* read = nullptr;
    ConnectionWait* waiters = nullptr;
    Connection* corpse = nullptr;
    ClosedHook* closed_hook = nullptr;
    int fd = -1;
    void carry_out() noexcept;
  };

  void orphan() noexcept;
  [[nodiscard]] bool busy() const noexcept { return receiving_ || sending_ || flush_queued_; }

  [[nodiscard]] bool try_read_locked(ReadOperation& read);
  [[nodiscard]] bool attempt(ReadOperation& read);
  [[nodiscard]] bool attempt_or_lose(ReadOperation& read) noexcept;
  void decide_reader(Aftermath& after) noexcept;
  [[nodiscard]] bool wants_data() const noexcept;
  void start_receiving() noexcept;
  void stop_receiving() noexcept;
  [[nodiscard]] bool keep(std::span<const std::byte> bytes) noexcept;
  void take_result(std::int32_t result, std::span<const std::byte> bytes, bool more,
                   Aftermath& after) noexcept;
  static void on_readable(Operation& op, std::int32_t result, CompletionFlags flags) noexcept;
  static void on_receive(Operation& op, std::int32_t result, CompletionFlags flags) noexcept;
  static void on_receive_end(Operation& op) noexcept;

  [[nodiscard]] bool send_directly(std::span<const std::byte>& data);
  [[nodiscard]] bool keep_rest(std::span<const std::byte> data) noexcept;
  [[nodiscard]] Sender& sender();
  void start_sending() noexcept;
  void sent(std::int32_t result, Aftermath& after) noexcept;
  void flush(Aftermath& after) noexcept;
  void drop_unsent() noexcept;
  void rest_if_idle() noexcept;

  void begin_close(bool abort) noexcept;
  void close_if_lost() noexcept;
  void lose(int error) noexcept;
  void settle(Aftermath& after) noexcept;
  void update_hints() noexcept;
  [[nodiscard]] bool is_ready(ConnectionWait::For what) const noexcept;
  void report_unclosed() noexcept;

  Atomic<std::uint32_t> references_{1};  // the handles together hold one
  Atomic<std::uint32_t> handles_{1};
  // Hints, so that the common case takes no lock: written under it, right for the task that did
  // what they tell about; another one sees them a moment later, as it would see the rest.
  Atomic<bool> readable_{false};           // there is something to read, or the end
  Atomic<bool> congested_or_lost_{false};  // drain() has to look
  SpinLock lock_;
  bool receiving_ : 1 = false;   // the receive is in flight ...
  bool stop_asked_ : 1 = false;  // ... and being cancelled
  bool eof_ : 1 = false;         // nothing more will be received
  bool sending_ : 1 = false;     // a send is in flight, or write() is inside the kernel
  bool flush_queued_ : 1 = false;
  bool eof_wanted_ : 1 = false;  // write_eof() was called
  bool eof_sent_ : 1 = false;
  bool closing_ : 1 = false;
  bool orphaned_ : 1 = false;  // nobody holds a reference any more
  bool aborted_ : 1 = false;
  bool read_before_ : 1 = false;  // somebody had to wait for data: reading ahead is worth it
  const bool pipe_ = false;       // not under the lock
  int socket_;
  int error_ = 0;  // why the connection was lost, an errno
  std::uint32_t limit_;
  coil::Address peer_;
  ReadOperation* reader_ = nullptr;
  ConnectionWait* waiters_ = nullptr;
  Sender* sender_ = nullptr;
  ClosedHook* closed_hook_ = nullptr;
  ReceiveBuffer received_;
};

using ConnectionRef = Ref<Connection>;

// What a user's StreamReader or StreamWriter holds.
class ConnectionHandle {
 public:
  // Takes over the handle that a new connection counts already.
  explicit ConnectionHandle(Connection* connection) noexcept : connection_(connection) {}
  ConnectionHandle(const ConnectionHandle& other) noexcept : connection_(other.connection_) {
    if (connection_ != nullptr) connection_->add_handle();
  }
  ConnectionHandle(ConnectionHandle&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  ConnectionHandle& operator=(ConnectionHandle other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~ConnectionHandle() {
    if (connection_ != nullptr) connection_->drop_handle();
  }

  // Throws std::logic_error if it was moved from.
  [[nodiscard]] Connection& get() const {
    if (connection_ == nullptr) [[unlikely]]
      fail_moved();
    return *connection_;
  }
  [[nodiscard]] Connection* operator->() const noexcept { return connection_; }

 private:
  [[noreturn]] static void fail_moved();
  Connection* connection_;
};

}  // namespace coil::detail
