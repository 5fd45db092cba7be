// The state that the children of one gather share with who awaits it; see gather_state.hpp.
#include <coil/detail/check.hpp>
#include <coil/detail/gather_state.hpp>
#include <coil/detail/scheduler.hpp>
#include <new>
#include <stdexcept>

namespace coil::detail {
namespace {

constexpr std::size_t block_size(std::size_t capacity) noexcept {
  return sizeof(GatherState) + capacity * sizeof(GatherNode);
}

}  // namespace

static_assert(sizeof(GatherState) % alignof(GatherNode) == 0);
static_assert(alignof(GatherNode) > 1, "the outcome keeps a flag in the lowest bit");

GatherState::Owner GatherState::make(std::size_t capacity, GatherMode mode) {
  void* block = frame_allocate(block_size(capacity));
  return Owner(::new (block) GatherState(capacity, mode));
}

GatherState::GatherState(std::size_t capacity, GatherMode mode) noexcept
    : capacity_(capacity),
      pending_(capacity),
      references_(capacity == 0 ? 1 : 2),
      mode_(mode),
      outcome_(capacity == 0 ? settled_bit : open) {}

GatherState::~GatherState() { std::destroy_n(nodes(), size_); }

void GatherState::release() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::size_t size = block_size(capacity_);
  this->~GatherState();
  frame_deallocate(this, size);
}

GatherNode& GatherState::append(FutureRef target, void* holder, bool own) noexcept {
  COIL_CHECK(size_ < capacity_, "gather has more children than it was made for");
  auto* child = ::new (nodes() + size_++) GatherNode;
  child->wake = &child_done;
  child->target = std::move(target);
  child->holder = holder;
  child->state = this;
  child->own = own;
  return *child;
}

void GatherState::add(FutureRef target, void* holder, bool own) noexcept {
  GatherNode& child = append(std::move(target), holder, own);
  has_given_ |= !own;
  if (!child.target->completion().add(child)) child_done(child);
}

void GatherState::add_own(FutureRef target, void* holder) noexcept {
  GatherNode& child = append(std::move(target), holder, true);
  child.target->completion().add_alone(child);
}

void GatherState::child_done(FutureWaiter& waiter) noexcept {
  auto& child = static_cast<GatherNode&>(waiter);
  GatherState& self = *child.state;
  if (self.decides(child)) [[unlikely]]
    self.settle(&child);
  self.count_down(1);
}

TaskBase* GatherState::task_of(const FutureWaiter& waiter) noexcept {
  if (waiter.wake != &child_done) return nullptr;
  const auto& node = static_cast<const GatherNode&>(waiter);
  const auto outcome = node.state->outcome_.load(std::memory_order_acquire);
  return (outcome & settled_bit) == 0 ? reinterpret_cast<TaskBase*>(outcome) : nullptr;
}

// Acquire and release: the last one's settle() comes after what every other child did.
void GatherState::count_down(std::size_t children) noexcept {
  if (pending_.fetch_sub(children, std::memory_order_acq_rel) != children) return;
  settle(nullptr);
  release();
}

bool GatherState::decides(const GatherNode& child) const noexcept {
  switch (mode_) {
    case GatherMode::FirstError:
      return child.target->phase() != FutureBase::Phase::Value;
    case GatherMode::AllDone:
      return false;
    case GatherMode::FirstDone:
      return true;
    case GatherMode::FirstException:
      return child.target->phase() == FutureBase::Phase::Exception;
  }
  __builtin_unreachable();
}

// A task that is found in the outcome is suspended and stays so until the caller wakes it.
TaskBase* GatherState::try_settle(GatherNode* culprit) noexcept {
  auto old = outcome_.load(std::memory_order_relaxed);
  do {
    if ((old & settled_bit) != 0) return nullptr;
  } while (!outcome_.compare_exchange_weak(old,
                                           reinterpret_cast<std::uintptr_t>(culprit) | settled_bit,
                                           std::memory_order_acq_rel, std::memory_order_relaxed));
  return reinterpret_cast<TaskBase*>(old);
}

void GatherState::settle(GatherNode* culprit) noexcept {
  if (TaskBase* task = try_settle(culprit)) task->wake();
}

void GatherState::refuse_child(const TaskBase& task) {
  if (!has_given_) return;
  for (std::size_t i = 0; i < size_; ++i)
    if (node(i).target.get() == &task) task.throw_awaits_itself();
}

bool GatherState::arm(TaskBase& task) {
  auto expected = open;
  if (outcome_.compare_exchange_strong(expected, reinterpret_cast<std::uintptr_t>(&task),
                                       std::memory_order_acq_rel, std::memory_order_acquire))
    return true;
  if ((expected & settled_bit) == 0)
    throw std::runtime_error("coil: a gather is awaited by two tasks at once");
  return false;
}

void GatherState::ask_children(TaskBase& waiter, Abort kind, HookResult& result) noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    FutureRef& target = node(i).target;
    if (TaskBase* child = target->as_task()) {
      const auto request = child->request_for(waiter, kind);
      if (request == TaskState::Request::Done) continue;
      if (request == TaskState::Request::Hook) result.also.push_back(target);
      result.taken = true;
    } else {
      result.taken |= target->cancel({});
    }
  }
}

void GatherState::check(TaskBase* task, Abort aborted) {
  const auto outcome = outcome_.load(std::memory_order_acquire);
  auto* culprit = reinterpret_cast<GatherNode*>(outcome & ~settled_bit);
  if (culprit == nullptr && aborted == Abort::None) [[likely]]
    return;
  disregard_children();
  // A child that was cancelled with the gather shows as the gather's own cancellation; a scope
  // around both may have reached the child first.
  if (culprit == nullptr || culprit->target->cancelled()) {
    TaskBase* self = running_task();
    if (aborted == Abort::None && self != nullptr && effectively_cancelled(self->scope()))
      aborted = Abort::Level;
    if (aborted != Abort::None) self->throw_cancelled(aborted);
  }
  if (aborted == Abort::Edge) task->edge_swallowed();
  if (!culprit->target->cancelled()) TaskBase::adopt_trace(*culprit->target);
  std::rethrow_exception(culprit->target->error());
}

void GatherState::disregard_children() noexcept {
  for (std::size_t i = 0; i < size_; ++i) node(i).target->mark_retrieved();
  unlink_children();
}

void GatherState::unlink_children() noexcept {
  if (unlinked_) return;
  unlinked_ = true;
  std::size_t gone = capacity_ - size_;  // those that could not be made
  for (std::size_t i = 0; i < size_; ++i)
    if (node(i).target->completion().remove(node(i))) ++gone;
  if (gone != 0) count_down(gone);
}

void GatherState::drop() noexcept {
  if (pending_.load(std::memory_order_acquire) != 0) unlink_children();
  release();
}

constinit const LeafKind GatherWait::leaf_kind{"gather", &GatherWait::ask_children, nullptr, true,
                                               &GatherWait::leave_children};

GatherWait::GatherWait(GatherState& state) noexcept : Suspension(leaf_kind), state_(state) {}

HookResult GatherWait::leave_children(Suspension& leaf, Abort kind) noexcept {
  HookResult result;
  TaskBase* task = static_cast<GatherWait&>(leaf).state_.give_up();
  if (task == nullptr) return result;
  leaf.aborted = kind;
  result.taken = true;
  task->wake();
  return result;
}

HookResult GatherWait::ask_children(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<GatherWait&>(leaf);
  HookResult result;
  if (self.state_.settled()) return result;
  self.state_.ask_children(*self.task, kind, result);
  if (result.taken && self.aborted != Abort::Edge) self.aborted = kind;
  return result;
}

}  // namespace coil::detail
