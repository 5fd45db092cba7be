// std::atomic's stand-in: same members, same signatures, every operation a point at which the
// explorer may switch threads, every load one that may see an older value.
//
// Weak compare-exchange never fails spuriously: that adds no behaviour a retry loop can tell from
// losing to another thread.
#pragma once

#include <concepts>

#include "model/cell.hpp"
#include "model/mutex.hpp"
#include "model/plain.hpp"
#include "model/print.hpp"

namespace model {

// What std gives a compare-exchange that names only one order.
constexpr Order failure_of(Order success) {
  if (success == Order::acq_rel) return Order::acquire;
  return success == Order::release ? Order::relaxed : success;
}

template <class T>
class Atomic {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  constexpr Atomic() noexcept : value_{} {}
  constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  bool is_lock_free() const { return true; }

  T load(Order order = Order::seq_cst, Site site = Site::current()) const {
    if (!cell_.modelled()) return value_;
    return unpack<T>(atomic_load(access("load", site), order));
  }
  void store(T value, Order order = Order::seq_cst, Site site = Site::current()) {
    if (cell_.modelled()) atomic_store(access("store", site), order, pack(value));
    value_ = value;
  }
  T exchange(T value, Order order = Order::seq_cst, Site site = Site::current()) {
    return change("exchange", order, site, [value](T) { return value; });
  }

  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure,
                               Site site = Site::current()) {
    return compare_exchange(expected, desired, success, failure, site);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = Order::seq_cst,
                               Site site = Site::current()) {
    return compare_exchange(expected, desired, order, failure_of(order), site);
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure,
                             Site site = Site::current()) {
    return compare_exchange(expected, desired, success, failure, site);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = Order::seq_cst,
                             Site site = Site::current()) {
    return compare_exchange(expected, desired, order, failure_of(order), site);
  }

  template <class D>
  T fetch_add(D by, Order order = Order::seq_cst, Site site = Site::current()) {
    return change("fetch_add", order, site, [by](T old) { return static_cast<T>(old + by); });
  }
  template <class D>
  T fetch_sub(D by, Order order = Order::seq_cst, Site site = Site::current()) {
    return change("fetch_sub", order, site, [by](T old) { return static_cast<T>(old - by); });
  }
  T fetch_and(T with, Order order = Order::seq_cst, Site site = Site::current()) {
    return change("fetch_and", order, site, [with](T old) { return static_cast<T>(old & with); });
  }
  T fetch_or(T with, Order order = Order::seq_cst, Site site = Site::current()) {
    return change("fetch_or", order, site, [with](T old) { return static_cast<T>(old | with); });
  }
  T fetch_xor(T with, Order order = Order::seq_cst, Site site = Site::current()) {
    return change("fetch_xor", order, site, [with](T old) { return static_cast<T>(old ^ with); });
  }

  operator T() const { return load(); }
  T operator=(T value) {
    store(value);
    return value;
  }
  T operator++() { return static_cast<T>(fetch_add(1) + 1); }
  T operator--() { return static_cast<T>(fetch_sub(1) - 1); }
  T operator++(int) { return fetch_add(1); }
  T operator--(int) { return fetch_sub(1); }
  T operator+=(T by) { return static_cast<T>(fetch_add(by) + by); }
  T operator-=(T by) { return static_cast<T>(fetch_sub(by) - by); }
  T operator&=(T with) { return static_cast<T>(fetch_and(with) & with); }
  T operator|=(T with) { return static_cast<T>(fetch_or(with) | with); }
  T operator^=(T with) { return static_cast<T>(fetch_xor(with) ^ with); }

  // What the trace and weaken() call it, instead of the text it is reached by in the source.
  void set_name(const char* name) {
    if (cell_.modelled()) name_cell(access("name", Site::current()), name);
  }

 private:
  Access access(const char* what, const Site& site) const {
    return {cell_, pack(value_), site, &print_word<T>, what};
  }

  template <class F>
  T change(const char* what, Order order, const Site& site, F f) {
    if (!cell_.modelled()) {
      const T old = value_;
      value_ = f(old);
      return old;
    }
    const Access at = access(what, site);
    const T old = unpack<T>(rmw_begin(at, order));
    value_ = f(old);
    rmw_end(at, order, pack(value_));
    return old;
  }

  bool compare_exchange(T& expected, T desired, Order success, Order failure, const Site& site) {
    if (!cell_.modelled()) {
      const bool equal = pack(value_) == pack(expected);
      if (equal) {
        value_ = desired;
      } else {
        expected = value_;
      }
      return equal;
    }
    const Access at = access("compare_exchange", site);
    const Compared result = cas_begin(at, success, failure, pack(expected));
    if (!result.equal) {
      expected = unpack<T>(result.seen);
      return false;
    }
    value_ = desired;
    rmw_end(at, success, pack(value_));
    return true;
  }

  mutable Cell cell_;
  T value_;  // the newest value; before the first touch also the first
};

template <class T>
void name(Atomic<T>& atomic, const char* text) {
  atomic.set_name(text);
}

}  // namespace model
