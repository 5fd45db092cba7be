// How fork_each (parallel.hpp) runs its children: by halves down to a few, which are one fork. So
// an element that waits leaves the others to this loop and the rest, and there are a quarter as
// many frames beyond the elements' own.
#pragma once

#include <coil/detail/ranges.hpp>
#include <coil/detail/reference_to.hpp>
#include <coil/detail/unique_ptr.hpp>
#include <coil/fork.hpp>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace coil::detail {

// Where results lie until all are there.
template <class T>
class EachResults {
 public:
  using Element = std::conditional_t<std::is_reference_v<T>,
                                     ReferenceTo<std::remove_reference_t<T>>, NonVoid<T>>;
  explicit EachResults(std::size_t size) : size_(size), values_(new KeptValue<T>[size]) {}
  template <class U>
  void put(std::size_t index, U&& value) {
    values_[index].build(std::forward<U>(value));
  }
  [[nodiscard]] std::vector<Element> collect() {
    std::vector<Element> all;
    all.reserve(size_);
    for (std::size_t i = 0; i < size_; ++i) all.emplace_back(values_[i].take());
    return all;
  }

 private:
  std::size_t size_;
  std::unique_ptr<KeptValue<T>[]> values_;
};

// In their vector, if it may hold what is no result yet and its elements are objects of their own.
template <class T>
  requires(std::is_trivially_default_constructible_v<T> && std::is_trivially_copyable_v<T> &&
           !std::same_as<T, bool>)
class EachResults<T> {
 public:
  using Element = T;
  explicit EachResults(std::size_t size) : values_(size) {}
  void put(std::size_t index, const T& value) noexcept { values_[index] = value; }
  [[nodiscard]] std::vector<T> collect() noexcept { return std::move(values_); }

 private:
  std::vector<T> values_;
};

template <>
class EachResults<void> {
 public:
  using Element = std::monostate;
  explicit EachResults(std::size_t size) noexcept : size_(size) {}
  void put(std::size_t /*index*/, std::monostate /*value*/) noexcept {}
  [[nodiscard]] std::vector<std::monostate> collect() const {
    return std::vector<std::monostate>(size_);
  }

 private:
  std::size_t size_;
};

// The elements of a range, by number.
template <class It>
class ElementsOf {
 public:
  template <class R>
  explicit ElementsOf(R& range) {
    for (auto it = std::ranges::begin(range); it != std::ranges::end(range); ++it)
      at_.push_back(it);
  }
  [[nodiscard]] std::size_t size() const noexcept { return at_.size(); }
  [[nodiscard]] It at(std::size_t index) const { return at_[index]; }

 private:
  std::vector<It> at_;
};

template <std::random_access_iterator It>
class ElementsOf<It> {
 public:
  template <class R>
  explicit ElementsOf(R& range)
      : first_(std::ranges::begin(range)),
        size_(static_cast<std::size_t>(std::ranges::end(range) - first_)) {}
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] It at(std::size_t index) const {
    return first_ + static_cast<std::iter_difference_t<It>>(index);
  }

 private:
  It first_;
  std::size_t size_;
};

// Elements [first, last), not none.
template <class Call, class Results, std::size_t... I>
Coro<> run_few(std::size_t first, const Call& call, Results& results, std::index_sequence<I...>) {
  auto values = co_await fork(call(first + I)...);
  (results.put(first + I, std::get<I>(std::move(values))), ...);
}

template <class Call, class Results>
Coro<> run_halves(std::size_t first, std::size_t last, const Call& call, Results& results);

template <class Call, class Results>
Coro<> run_each(std::size_t first, std::size_t last, const Call& call, Results& results) {
  switch (last - first) {
    case 1:
      return run_few(first, call, results, std::make_index_sequence<1>());
    case 2:
      return run_few(first, call, results, std::make_index_sequence<2>());
    case 3:
      return run_few(first, call, results, std::make_index_sequence<3>());
    case 4:
      return run_few(first, call, results, std::make_index_sequence<4>());
    case 5:
      return run_few(first, call, results, std::make_index_sequence<5>());
    default:
      return run_halves(first, last, call, results);
  }
}

template <class Call, class Results>
Coro<> run_halves(std::size_t first, std::size_t last, const Call& call, Results& results) {
  const std::size_t middle = first + (last - first) / 2;
  co_await fork(run_each(first, middle, call, results), run_each(middle, last, call, results));
}

// `R` is a reference for a range that is somebody else's.
template <class R, class Fn>
struct ForkElements {
  using Iterator = decltype(std::ranges::begin(std::declval<R&>()));
  using Result =
      AwaitResult<std::invoke_result_t<Fn&, decltype(take_element<R>(std::declval<Iterator&>()))>>;
  using Results = EachResults<Result>;

  static Coro<std::vector<typename Results::Element>> run(R range, Fn fn) {
    const ElementsOf<Iterator> elements(range);
    Results results(elements.size());
    const auto call = [&](std::size_t i) {
      auto it = elements.at(i);
      return fn(take_element<R>(it));
    };
    if (elements.size() != 0) co_await run_each(0, elements.size(), call, results);
    co_return results.collect();
  }
};

}  // namespace coil::detail
