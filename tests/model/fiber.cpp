// Switching stacks on x86-64 and AArch64: the callee-saved registers go on the old stack, the
// stack pointer changes, and they come back from the new one.
#include "model/fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" void model_switch(void** save, void* load);
extern "C" void model_enter();

#if defined(__x86_64__)
asm(R"(
.text
.globl model_switch
.type model_switch,@function
model_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size model_switch,.-model_switch
.globl model_enter
.type model_enter,@function
model_enter:
  xorl %ebp, %ebp
  callq *%rbx
  ud2
.size model_enter,.-model_enter
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl model_switch
.type model_switch,%function
model_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size model_switch,.-model_switch
.globl model_enter
.type model_enter,%function
model_enter:
  mov x29, #0
  blr x19
  brk #1
.size model_enter,.-model_enter
)");
#else
#error "the model explorer switches stacks by hand: only x86-64 and AArch64 are known"
#endif

namespace model {

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;
constexpr std::size_t guard_bytes = 64 * 1024;  // at least a page on every supported kernel

void* map_stack() {
  void* base = mmap(nullptr, stack_bytes + guard_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED || mprotect(base, guard_bytes, PROT_NONE) != 0) {
    std::perror("model: mapping a fiber's stack");
    std::abort();
  }
  return base;
}

}  // namespace

Fiber::~Fiber() {
  if (stack_ != nullptr) munmap(stack_, stack_bytes + guard_bytes);
}

void Fiber::prepare(Entry entry) {
  if (stack_ == nullptr) stack_ = map_stack();
  handled_ = {};
  const auto top = reinterpret_cast<std::uintptr_t>(stack_) + guard_bytes + stack_bytes;
#if defined(__x86_64__)
  // r15 r14 r13 r12 rbx rbp, return address; model_enter then calls with rsp 16-byte aligned.
  auto* frame = reinterpret_cast<std::uintptr_t*>(top - 64 - 7 * 8);
  std::memset(frame, 0, 7 * 8);
  frame[4] = reinterpret_cast<std::uintptr_t>(entry);
  frame[6] = reinterpret_cast<std::uintptr_t>(&model_enter);
#else
  auto* frame = reinterpret_cast<std::uintptr_t*>(top - 64 - 160);
  std::memset(frame, 0, 160);
  frame[0] = reinterpret_cast<std::uintptr_t>(entry);          // x19
  frame[11] = reinterpret_cast<std::uintptr_t>(&model_enter);  // x30
#endif
  stack_pointer_ = frame;
}

void Fiber::switch_to(Fiber& from, Fiber& to) {
  static auto* const handled = reinterpret_cast<Handled*>(abi::__cxa_get_globals());
  from.handled_ = *handled;
  *handled = to.handled_;
  model_switch(&from.stack_pointer_, to.stack_pointer_);
}

}  // namespace model
