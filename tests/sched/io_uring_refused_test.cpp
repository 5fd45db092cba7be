// A kernel that gives no ring: the error says which, why and what to do, and nothing leaks.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <coil/run.hpp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <kit/needs_kernel.hpp>

#include "io_uring_kit.hpp"

namespace coil::detail::testing {
namespace {

// The process gets `error` for this system call from here on.
void forbid(int system_call, int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(system_call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::perror("seccomp");
    std::_Exit(2);
  }
}

// The same for registration with this opcode alone.
void forbid_registration(unsigned opcode, int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_register, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, opcode, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::perror("seccomp");
    std::_Exit(2);
  }
}

void restrict_to(__rlimit_resource resource, rlim_t limit) {
  const rlimit limits{limit, limit};
  if (setrlimit(resource, &limits) != 0) std::_Exit(2);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// In a child: tries to make a backend, prints the error and ends with its errno; 0 if it works.
template <class Before>
[[noreturn]] void try_in_child(Before before) {
  const std::size_t descriptors = open_descriptors();
  before();
  int code = 0;
  try {
    const auto backend = make_io_uring_backend({});
    backend->attach();
    RecordedOperation nop;
    backend->submit(nop);
    while (!nop.ended()) backend->park(never);
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = error.code().value();
  }
  rlimit limits{};
  rlimit space{};
  getrlimit(RLIMIT_NOFILE, &limits);
  getrlimit(RLIMIT_AS, &space);
  // Counting them takes a descriptor, and memory.
  const bool countable = limits.rlim_cur > descriptors + 8 && space.rlim_cur == RLIM_INFINITY;
  if (countable && open_descriptors() != descriptors) {
    std::fprintf(stderr, "descriptors leaked\n");
    code = 255;
  }
  std::_Exit(code);
}

// In a child: runs a coroutine on this many loops, and tells what became of it.
[[noreturn]] void try_to_run(int loops) {
  bool ran = false;
  int code = 0;
  try {
    coil::run(
        [&]() -> Coro<> {
          ran = true;
          co_return;
        }(),
        {.loops = loops});
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "caught %s\n", error.what());
    code = error.code().value();
  }
  std::_Exit(ran ? 254 : code);
}

class IoUringRefusedDeathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    COIL_SKIP_WITHOUT_IO_URING();
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

TEST_F(IoUringRefusedDeathTest, by_a_seccomp_filter) {
  EXPECT_EXIT(try_in_child([] { forbid(__NR_io_uring_setup, EPERM); }),
              ::testing::ExitedWithCode(EPERM),
              "io_uring_setup.512 submissions.*seccomp filter.*allow.*"
              "Operation not permitted");
}

TEST_F(IoUringRefusedDeathTest, by_a_filter_that_plays_an_old_kernel) {
  EXPECT_EXIT(try_in_child([] { forbid(__NR_io_uring_setup, ENOSYS); }),
              ::testing::ExitedWithCode(ENOSYS), "has no io_uring.*use Linux 6.1");
}

TEST_F(IoUringRefusedDeathTest, by_a_kernel_that_does_not_know_the_flags) {
  EXPECT_EXIT(try_in_child([] { forbid(__NR_io_uring_setup, EINVAL); }),
              ::testing::ExitedWithCode(EINVAL), "does not know.*use Linux 6.1");
}

TEST_F(IoUringRefusedDeathTest, half_way_by_a_filter_on_registration) {
  EXPECT_EXIT(try_in_child([] { forbid(__NR_io_uring_register, EPERM); }),
              ::testing::ExitedWithCode(EPERM), "io_uring_register.*seccomp");
}

TEST_F(IoUringRefusedDeathTest, by_a_filter_on_entering_it_alone) {
  EXPECT_EXIT(try_in_child([] { forbid(__NR_io_uring_enter, EPERM); }),
              ::testing::ExitedWithCode(EPERM), "io_uring_enter failed.*seccomp filter.*allow");
}

TEST_F(IoUringRefusedDeathTest, when_the_loops_start_it_is_an_error_of_the_runner) {
  KIT_NEEDS_KERNEL("rings");
  for (const int loops : {1, 2, 4}) {
    EXPECT_EXIT(
        {
          forbid_registration(IORING_REGISTER_ENABLE_RINGS, ENOMEM);
          try_to_run(loops);
        },
        ::testing::ExitedWithCode(ENOMEM), "^caught io_uring: .*ENABLE_RINGS");
    EXPECT_EXIT(
        {
          forbid(__NR_io_uring_enter, EPERM);
          try_to_run(loops);
        },
        ::testing::ExitedWithCode(EPERM), "^caught io_uring: io_uring_enter failed: .*seccomp");
  }
}

TEST_F(IoUringRefusedDeathTest, without_descriptors) {
  if (sanitized) GTEST_SKIP() << "sanitizers need descriptors and memory of their own";
  EXPECT_EXIT(try_in_child([] { restrict_to(RLIMIT_NOFILE, 3); }),
              ::testing::ExitedWithCode(EMFILE), "RLIMIT_NOFILE is 3.*raise it");
}

TEST_F(IoUringRefusedDeathTest, without_memory) {
  EXPECT_EXIT(try_in_child([] { forbid(__NR_io_uring_setup, ENOMEM); }),
              ::testing::ExitedWithCode(ENOMEM), "32 submissions.*RLIMIT_MEMLOCK is.*raise");
}

TEST_F(IoUringRefusedDeathTest, or_not_where_locked_memory_is_limited) {
  // Since 5.12 a ring's memory does not count here; where it does, the error has to say so.
  EXPECT_EXIT(
      try_in_child([] { restrict_to(RLIMIT_MEMLOCK, 0); }),
      [](int status) {
        return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == ENOMEM);
      },
      "");
}

TEST_F(IoUringRefusedDeathTest, buffers_refused_later_are_the_operation_s_error) {
  EXPECT_EXIT(
      {
        IoUringBackend backend{BackendLimits{}};
        backend.attach();
        forbid(__NR_io_uring_register, ENOMEM);
        SocketPair pair;
        RecordedOperation recv(OpCode::RecvMultishot, pair[0]);
        for (int i = 0; i < 3; ++i) {
          backend.submit(recv);
          if (recv.ends != i || !backend.wants_poll()) std::_Exit(1);
          backend.park(never);
          if (recv.ends != i + 1) std::_Exit(2);
        }
        std::_Exit(-recv.result());
      },
      ::testing::ExitedWithCode(ENOMEM), "");
}

TEST_F(IoUringRefusedDeathTest, by_a_limit_on_address_space) {
  if (sanitized) GTEST_SKIP() << "sanitizers need descriptors and memory of their own";
  EXPECT_EXIT(try_in_child([] { restrict_to(RLIMIT_AS, 1 << 20); }),
              ::testing::ExitedWithCode(ENOMEM), "RLIMIT_AS is 1048576");
}

}  // namespace
}  // namespace coil::detail::testing
