// One connection of a server, from the moment it is accepted until its handler's task has ended and
// its descriptor has been given back, whichever comes last: what a handler has written is sent
// after it has ended, and its streams may live on in another task.
//
// Invariant: linked in its server's list (under that one's lock) for all of its life; the later of
// the two ends deletes it. A task ends also unstarted, when it was cancelled first.
#pragma once

#include <coil/detail/completion.hpp>
#include <coil/detail/connection.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/ref.hpp>
#include <coil/task_ref.hpp>
#include <exception>

namespace coil::detail {

class ServerState;

class Served : public FrameAllocated, private FutureWaiter, private ClosedHook {
 public:
  Served(ServerState& server, Connection& connection) noexcept;
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  // Waits for the task, or finishes at once if that has ended already.
  void wait_for(TaskBase& task) noexcept;
  // The handler has ended, with an error or null: reports it, and closes the connection then.
  void finish(std::exception_ptr error, TaskBase* task) noexcept;

 private:
  friend class ServerState;

  static void on_done(FutureWaiter& waiter) noexcept;
  static void on_closed(ClosedHook& hook) noexcept;
  void end_part() noexcept;
  void report_error(std::exception_ptr error, TaskBase* task) noexcept;

  Ref<ServerState> server_;
  ConnectionRef connection_;
  TaskBase* task_ = nullptr;
  Served* previous_in_server_ = nullptr;
  Served* next_in_server_ = nullptr;
  int parts_left_ = 2;  // the task and the descriptor; under the server's lock
};

}  // namespace coil::detail
