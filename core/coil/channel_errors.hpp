// What queues (asyncio) and memory channels (Trio) throw when they cannot give or take an item.
#pragma once

#include <coil/would_block.hpp>
#include <stdexcept>
#include <string>

namespace coil {

// get_nowait() on a queue without items (asyncio.QueueEmpty).
class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : std::runtime_error("the queue is empty") {}
  explicit QueueEmpty(const std::string& what) : std::runtime_error(what) {}
};

// put_nowait() on a queue that holds maxsize items (asyncio.QueueFull).
class QueueFull : public std::runtime_error {
 public:
  QueueFull() : std::runtime_error("the queue is full") {}
  explicit QueueFull(const std::string& what) : std::runtime_error(what) {}
};

// put() after shutdown(), or get() after it once the queue is empty (asyncio.QueueShutDown).
class QueueShutDown : public std::runtime_error {
 public:
  QueueShutDown() : std::runtime_error("the queue has been shut down") {}
  explicit QueueShutDown(const std::string& what) : std::runtime_error(what) {}
};

// An operation on a handle that was closed, before it or while it waited
// (trio.ClosedResourceError).
class ClosedResourceError : public std::runtime_error {
 public:
  ClosedResourceError() : std::runtime_error("this handle has been closed") {}
  explicit ClosedResourceError(const std::string& what) : std::runtime_error(what) {}
};

// Nobody is left to receive what is sent (trio.BrokenResourceError).
class BrokenResourceError : public std::runtime_error {
 public:
  BrokenResourceError() : std::runtime_error("every receiver of the channel has been closed") {}
  explicit BrokenResourceError(const std::string& what) : std::runtime_error(what) {}
};

// Nothing is left to receive, and every sender has been closed (trio.EndOfChannel).
class EndOfChannel : public std::runtime_error {
 public:
  EndOfChannel() : std::runtime_error("the channel is empty, and every sender has been closed") {}
  explicit EndOfChannel(const std::string& what) : std::runtime_error(what) {}
};

}  // namespace coil
