#include "worker_main.hpp"

#include <cxxabi.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <coil/detail/function_place.hpp>
#include <coil/detail/pack.hpp>
#include <coil/exceptions.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

#include "message_channel.hpp"
#include "worker_control.hpp"

namespace coil::detail {
namespace {

// How it ended, where the pool is not told otherwise.
enum Exit : int { Done = 0, NoPool = 124, BadMessage = 125, BadInitializer = 126 };

void flush_output() noexcept {
  std::cout.flush();
  std::fflush(nullptr);
}

[[noreturn]] void leave(Exit code) noexcept {
  flush_output();
  ::_exit(code);
}

std::string name_of(const std::type_info& type) {
  int status = 0;
  char* name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string text = status == 0 && name != nullptr ? name : type.name();
  std::free(name);  // NOLINT(cppcoreguidelines-no-malloc): __cxa_demangle has allocated it
  return text;
}

// In a handler: type and text of what was thrown.
void write_current_exception(Packer& out) {
  const std::type_info* type = abi::__cxa_current_exception_type();
  Pack<std::string>::write(out, type != nullptr ? name_of(*type) : "unknown");
  try {
    throw;
  } catch (const std::exception& error) {
    Pack<std::string>::write(out, error.what());
  } catch (const std::string& text) {
    Pack<std::string>::write(out, text);
  } catch (const char* text) {
    Pack<std::string>::write(out, text != nullptr ? text : "");
  } catch (...) {
    Pack<std::string>::write(out, describe(std::current_exception()));
  }
}

FunctionPlace read_place(Unpacker& in) {
  FunctionPlace place;
  place.image = Pack<std::string>::read(in);
  place.identity = Pack<std::string>::read(in);
  place.offset = in.read_plain<std::uint64_t>();
  return place;
}

// Ends the process when its pool has gone, whatever the function is doing meanwhile. (The signal of
// PR_SET_PDEATHSIG does the same, but not if the pool's process keeps on running without the pool.)
void* watch_socket(void*) noexcept {
  pollfd watched{.fd = worker_socket, .events = POLLRDHUP, .revents = 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
  ::_exit(Exit::Done);
}

class WorkerMain {
 public:
  WorkerMain() : channel_(Descriptor(worker_socket)) {}

  [[noreturn]] void run() {
    welcome();
    Packer hello;
    Pack<std::string>::write(hello, executable_identity());
    send(MessageKind::Hello, {}, hello);
    InMessage message;
    for (;;) {
      if (channel_.receive(0) != MessageChannel::Received::Packet) leave(Exit::Done);
      while (channel_.next(message)) {
        if (message.kind != MessageKind::Call) leave(Exit::BadMessage);
        if (control_->slots[message.slot % WorkerControl::slots_max].begin(message.sequence))
          call(message);
      }
    }
  }

 private:
  void welcome() {
    InMessage message;
    if (channel_.receive(0) != MessageChannel::Received::Packet) leave(Exit::NoPool);
    const Descriptor control = channel_.take_descriptor();
    void* page = ::mmap(nullptr, sizeof(WorkerControl), PROT_READ | PROT_WRITE, MAP_SHARED,
                        control.get(), 0);
    if (page == MAP_FAILED || !channel_.next(message) || message.kind != MessageKind::Welcome)
      leave(Exit::BadMessage);
    control_ = static_cast<WorkerControl*>(page);
    Unpacker in = message.unpack();
    const auto kind = in.read_plain<std::uint32_t>();
    if (kind == 0) return;
    try {
      initialize(kind, in);
    } catch (...) {
      Packer error;
      write_current_exception(error);
      send(MessageKind::InitializerFailed, {}, error);
      leave(Exit::BadInitializer);
    }
    flush_output();
  }
  static void initialize(std::uint32_t kind, Unpacker& in) {
    const void* function = function_at(read_place(in));
    if (kind == 1) return reinterpret_cast<void (*)()>(const_cast<void*>(function))();
    Unpacker arguments(in.read_block(pack_alignment));
    Packer nothing;
    reinterpret_cast<PackedFunction>(const_cast<void*>(function))(arguments, nothing);
  }

  void call(const InMessage& message) {
    Unpacker in = message.unpack();
    forget_read_results();
    Packer out(regions_.get());
    const void* function = nullptr;
    auto kind = MessageKind::Result;
    try {
      function = function_at(read_place(in));
      reinterpret_cast<PackedFunction>(const_cast<void*>(function))(in, out);
      out.spill_above(MessageChannel::body_max);
    } catch (...) {
      out = Packer(regions_.get());
      kind = function == nullptr ? MessageKind::Refused : MessageKind::Error;
      write_current_exception(out);
      out.spill_above(MessageChannel::body_max);
    }
    flush_output();
    send(kind, message, out);
    if (!out.regions().empty()) unread_.emplace_back(++results_, std::move(out));
  }

  // Their regions are free again.
  void forget_read_results() {
    const auto read = control_->results_read.load(std::memory_order_acquire);
    while (!unread_.empty() && static_cast<std::int32_t>(read - unread_.front().first) >= 0)
      unread_.pop_front();
  }

  void send(MessageKind kind, const InMessage& about, const Packer& content) {
    const OutMessage message{
        .kind = kind, .sequence = about.sequence, .slot = about.slot, .content = &content};
    if (channel_.send({&message, 1}, 0) != 0) leave(Exit::NoPool);
  }

  MessageChannel channel_;
  WorkerControl* control_ = nullptr;
  Ref<RegionStore> regions_{new RegionStore, AdoptRef{}};
  std::uint32_t results_ = 0;                            // that lay in regions
  std::deque<std::pair<std::uint32_t, Packer>> unread_;  // by the pool, as far as is known
};

}  // namespace

void run_worker(long parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(Exit::NoPool);
  ::fcntl(worker_socket, F_SETFD, FD_CLOEXEC);  // not for what a function starts
  // Ctrl-C goes to all processes of the terminal; what becomes of a call is the pool's affair. Not
  // ignored: what a function starts would ignore it as well.
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &nothing, nullptr);

  pthread_t watcher{};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  if (::pthread_create(&watcher, nullptr, &watch_socket, nullptr) != 0) ::_exit(Exit::NoPool);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  try {
    WorkerMain().run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "coil: a worker process ends: %s\n", error.what());
    leave(Exit::BadMessage);
  }
}

}  // namespace coil::detail
