// The operations of a thread on atomic and plain data.
//
// Each looks whether another thread shall go first, then happens in one step.
#include <utility>

#include "model/arena.hpp"
#include "model/machine.hpp"
#include "model/mutate.hpp"

namespace model {

namespace {

[[noreturn]] void fail_dead(std::uint32_t execution, const Site& site) {
  const char* what = execution == execution_dead ? "used after it was destroyed"
                                                 : "not alive: never made, destroyed, or left over";
  fail("an object is " + std::string(what) + ", at " + short_site(site));
}

Word without(Word word, std::uint64_t bits) {
  word.low &= ~bits;
  return word;
}

}  // namespace

// The location of a live object, registered at its first touch.
unsigned Machine::locate(const Access& access) {
  Cell& cell = access.cell;
  if (cell.execution != execution_now) fail_dead(cell.execution, access.site);
  require_ordered(cell.born_in, cell.born_at, "is used before its construction by", access.site);
  if (cell.location == 0) {
    const unsigned location = memory_.add(access.initial, access.site);
    cell.location = static_cast<std::uint16_t>(location + 1);
  }
  return cell.location - 1U;
}

void Machine::require_ordered(unsigned thread, Stamp stamp, const char* what, const Site& site) {
  if (threads_[current_].view.clock(thread) >= stamp) return;
  fail("data race: an object " + std::string(what) + " " + thread_name(thread) + " is visible to " +
       thread_name(current_) + ", at " + short_site(site));
}

Order Machine::broken(Op op, Order order, const Access& access, unsigned location) {
  fault_ = Fault::None;
  ignored_ = 0;
  if (access.kernel) return order;
  const Effect effect = effect_on(op, order, memory_[location].name, access.site);
  fault_ = effect.fault;
  ignored_ = effect.ignored;
  return effect.order;
}

void Machine::store_delayed() {
  Thread::Delayed& delayed = threads_[current_].delayed;
  if (!std::exchange(delayed.pending, false)) return;
  delayed.next_begun = false;
  point();
  if (trace_ != nullptr) {
    arena::Pause pause;
    trace_->add(steps_, thread_name(current_), "(mutation: the swapped store happens here)");
  }
  write(delayed.location, delayed.order, delayed.value, memory_[delayed.location].newest(), false);
}

unsigned Machine::pick() {
  if (candidates_.size() == 1 || stale_left_ == 0) return candidates_.front();
  const unsigned choice = schedule_->choose(static_cast<unsigned>(candidates_.size()));
  if (choice != 0) --stale_left_;
  return candidates_[choice];
}

// The messages down to the oldest one that this thread may deal with, if `fits` says so.
template <class F>
void Machine::collect(unsigned location, Order order, F fits) {
  arena::Pause pause;
  candidates_.clear();
  const unsigned oldest = memory_.oldest(location, threads_[current_].view, current_, order);
  for (unsigned i = memory_[location].newest() + 1; i-- > oldest;) {
    if (fits(i)) candidates_.push_back(i);
  }
}

void Machine::write(unsigned location, Order order, const Word& value, unsigned behind, bool rmw) {
  const Location& at = memory_[location];
  // A store that comes late changes nothing for who waits: there is a newer value already.
  if (behind == at.newest() && at.messages[behind].value != value) {
    ++changes_;
    ++threads_[current_].own_changes;
  }
  memory_.write(location, threads_[current_].view, current_, order, value, behind, rmw);
}

Word Machine::load(const Access& access, Order order) {
  point();
  const unsigned location = locate(access);
  order = broken(Op::Load, order, access, location);
  Thread& thread = threads_[current_];
  collect(location, order, [](unsigned) { return true; });
  const unsigned index = fault_ == Fault::Blind ? 0 : pick();
  memory_.read(location, thread.view, current_, order, index);
  memory_.looked(location, current_, thread.turn, index);
  if (trace_ != nullptr) trace_read(access, location, order, index);
  return without(memory_[location].messages[index].value, ignored_);
}

void Machine::store(const Access& access, Order order, const Word& value) {
  point();
  const unsigned location = locate(access);
  order = broken(Op::Store, order, access, location);
  if (fault_ == Fault::Late || fault_ == Fault::Skip) {
    store_delayed();
    if (fault_ == Fault::Late) {
      threads_[current_].delayed = {true, false, location, order, value};
    }
    if (trace_ == nullptr) return;
    arena::Pause pause;
    trace_call(access, location, order, access.print(value), " (mutation)");
    return;
  }
  collect(location, order, [&](unsigned i) { return memory_.open(location, i); });
  const unsigned behind = pick();
  const bool late = behind != memory_[location].newest();
  write(location, order, value, behind, false);
  if (trace_ == nullptr) return;
  arena::Pause pause;
  trace_call(access, location, order, access.print(value), late ? " (late: not the newest)" : "");
}

Word Machine::rmw_begin(const Access& access, Order& order) {
  point();
  const unsigned location = locate(access);
  order = broken(Op::Rmw, order, access, location);
  collect(location, order, [&](unsigned i) { return memory_.open(location, i); });
  carried_ = pick();
  Thread& thread = threads_[current_];
  memory_.read(location, thread.view, current_, order, carried_);
  if (carried_ != memory_[location].newest())
    memory_.looked(location, current_, thread.turn, carried_);
  return without(memory_[location].messages[carried_].value, ignored_);
}

void Machine::rmw_end(const Access& access, Order order, const Word& desired) {
  const unsigned location = access.cell.location - 1U;
  const Location& at = memory_[location];
  const Fault fault = fault_;
  const unsigned read = carried_;
  const Word old = at.messages[read].value;
  const bool late = read != at.newest();
  Word value = desired;
  value.low |= old.low & ignored_;
  if (fault == Fault::Split) {
    point();
    write(location, order, value, at.newest(), false);
  } else if (fault != Fault::Skip) {
    write(location, order, value, read, true);
    // What it read and wrote was the newest: a pause need not wait for more.
    if (!late) memory_.looked(location, current_, threads_[current_].turn, at.newest());
  }
  if (trace_ == nullptr) return;
  arena::Pause pause;
  const bool whole = fault == Fault::None;
  trace_call(access, location, order, access.print(old) + " -> " + access.print(value),
             !whole ? " (mutation)"
             : late ? " (late: not the newest)"
                    : "");
}

Compared Machine::cas_begin(const Access& access, Order& success, Order failure,
                            const Word& expected) {
  point();
  const unsigned location = locate(access);
  const Order asked = success;
  success = broken(Op::Cas, success, access, location);
  if (success != asked && failure != Order::relaxed) {
    failure = acquires(success) ? std::min(failure, success) : Order::relaxed;
    if (failure == Order::acq_rel) failure = Order::acquire;
  }
  Thread& thread = threads_[current_];
  Location& at = memory_[location];
  // It succeeds on a message behind which there is a place, and fails on any other value; the two
  // orders may differ in how old a message may be.
  const unsigned oldest = memory_.oldest(location, thread.view, current_, success);
  collect(location, failure, [&](unsigned i) {
    const bool equal = without(at.messages[i].value, ignored_) == expected;
    return !equal || (i >= oldest && memory_.open(location, i));
  });
  carried_ = pick();
  const Word seen = without(at.messages[carried_].value, ignored_);
  if (seen == expected) {
    memory_.read(location, thread.view, current_, success, carried_);
    return {seen, true};
  }
  memory_.read(location, thread.view, current_, failure, carried_);
  memory_.looked(location, current_, thread.turn, carried_);
  if (trace_ != nullptr) trace_read(access, location, failure, carried_);
  return {seen, false};
}

void Machine::await(const Access& access, bool (*ready)(const Word&)) {
  point();
  const unsigned location = locate(access);
  Thread& thread = threads_[current_];
  store_delayed();
  if (!ready(memory_[location].messages.back().value)) {
    if (trace_ != nullptr) {
      arena::Pause pause;
      trace_->add(steps_, thread_name(current_),
                  std::string(memory_[location].name) + "." + access.what + " sleeps", access.site);
    }
    thread.location = location;
    thread.ready = ready;
    thread.site = access.site;
    thread.state = State::Waiting;
    give_way();
  }
  thread.fresh = true;  // the rmw that follows belongs to this step
}

void Machine::name(const Access& access, const char* text) { memory_[locate(access)].name = text; }

void Machine::destroy(const Cell& cell) {
  if (cell.execution != execution_now || cell.location == 0) return;
  const Location& at = memory_[cell.location - 1U];
  for (unsigned i = 0; i < thread_count_; ++i) {
    if (threads_[current_].view.clock(i) >= at.accessed[i]) continue;
    fail("data race: " + (at.name != nullptr ? at.name : object_text(at.first_site)) +
         " is destroyed by " + thread_name(current_) + " while " + thread_name(i) +
         " may still be using it");
  }
}

void Machine::read_plain(Race& race, const Site& site) {
  if (race.execution != execution_now) fail_dead(race.execution, site);
  if (trace_ != nullptr) {
    arena::Pause pause;
    trace_->add(steps_, thread_name(current_), "reads " + object_text(site), site);
  }
  require_ordered(race.written_in, race.written_at, "is read before its write by", site);
  race.read_at[current_] = clock();
}

void Machine::write_plain(Race& race, const Site& site) {
  if (race.execution != execution_now) fail_dead(race.execution, site);
  if (trace_ != nullptr) {
    arena::Pause pause;
    trace_->add(steps_, thread_name(current_), "writes " + object_text(site), site);
  }
  require_ordered(race.written_in, race.written_at, "is written before its write by", site);
  for (unsigned i = 0; i < thread_count_; ++i) {
    require_ordered(i, race.read_at[i], "is written before its read by", site);
  }
  race.written_in = static_cast<std::uint8_t>(current_);
  race.written_at = clock();
}

void Machine::trace_call(const Access& access, unsigned location, Order order,
                         const std::string& arguments, const char* remark) {
  const char* name = memory_[location].name;
  trace_->add(steps_, thread_name(current_),
              (name != nullptr ? std::string(name) : object_text(access.site)) + "." + access.what +
                  "(" + arguments + ", " + order_text(order) + ")" + remark,
              access.site);
}

void Machine::trace_read(const Access& access, unsigned location, Order order, unsigned index) {
  arena::Pause pause;
  const Location& at = memory_[location];
  const char* name = at.name;
  std::string text = (name != nullptr ? std::string(name) : object_text(access.site)) + "." +
                     access.what + "(" + order_text(order) +
                     ") = " + access.print(at.messages[index].value);
  if (index != at.newest()) text += " (stale: " + access.print(at.messages.back().value) + ")";
  trace_->add(steps_, thread_name(current_), text, access.site);
}

}  // namespace model
