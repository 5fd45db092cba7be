// ProcessPoolExecutor: values of many types cross as they are, large ones through shared memory.
#include <coil/process_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <coil/future.hpp>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <kit/loops.hpp>
#include <kit/watchdog.hpp>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "process_kit.hpp"

using namespace coil;
using namespace std::chrono_literals;
using namespace process_kit;

namespace {

template <class T>
T same(const T& value) {
  return value;
}

enum class Colour : std::uint8_t { Red, Green };
struct Point {
  int x = 0;
  double y[2] = {};
  std::array<char, 3> tag = {};
  bool operator==(const Point&) const = default;
};
struct Inside {
  std::string name;
  std::vector<int> numbers;
  bool operator==(const Inside&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, numbers);
  }
};
struct Beside {
  int number = 0;
  Inside inside;
  bool operator==(const Beside&) const = default;
};
template <class Archive>
void serialize(Archive& archive, Beside& value) {
  archive & value.number & value.inside;
}
struct Split {
  int kept = 0;
  int derived = 0;
  bool operator==(const Split&) const = default;
  template <class Archive>
  void save(Archive& archive) const {
    static_assert(Archive::is_saving::value);
    archive(kept);
  }
  template <class Archive>
  void load(Archive& archive) {
    static_assert(Archive::is_loading::value);
    archive(kept);
    derived = 2 * kept;
  }
};
struct alignas(64) Wide {
  float lanes[16] = {};
  bool operator==(const Wide&) const = default;
};

class process_data : public testing::Test {
 protected:
  void SetUp() override { PROCESSES_NEEDED(); }
  template <class T>
  void crosses(const T& value) {
    EXPECT_EQ(pool.submit<&same<T>>(value).get(), value);
  }
  const kit::Watchdog watchdog;
  ProcessPoolExecutor pool{{.max_workers = 1}};
};

TEST_F(process_data, numbers_enums_and_text_cross) {
  crosses(42);
  crosses(true);
  crosses(-1.5);
  crosses(std::uint64_t{1} << 63);
  crosses(Colour::Green);
  crosses(std::string("with\0zero", 9));
  crosses(std::u16string(u"wide"));
  crosses(std::string(1'000'000, 'x'));
  crosses(std::complex<double>(1, 2));
  crosses(1500ms);
  crosses(std::chrono::system_clock::now());
}

TEST_F(process_data, containers_cross) {
  crosses(std::vector<int>{});
  crosses(std::vector<int>{1, 2, 3});
  crosses(std::vector<bool>{true, false, true});
  crosses(std::vector<std::string>{"a", "", std::string(100'000, 'b')});
  crosses(std::vector<std::vector<double>>{{1, 2}, {}, {3}});
  crosses(std::vector<std::tuple<>>(5));
  crosses(std::array<std::string, 2>{"x", "y"});
  crosses(std::pair<int, std::string>(1, "one"));
  crosses(std::tuple<int, std::string, bool>(1, "one", true));
  crosses(std::optional<std::string>("there"));
  crosses(std::optional<std::string>());
  crosses(std::vector<std::optional<int>>{1, std::nullopt});
  crosses(std::variant<int, std::string>("second"));
  crosses(std::variant<int, std::string>(7));
  crosses(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  crosses(std::unordered_map<int, std::string>{{1, "one"}, {2, "two"}});
  crosses(std::set<int>{3, 1, 2});
  crosses(std::multimap<int, int>{{1, 1}, {1, 2}});
  crosses(std::unordered_set<std::string>{"a", "b"});
  crosses(std::list<int>{1, 2});
  crosses(std::deque<std::string>{"front", "back"});
}

TEST_F(process_data, classes_cross_as_bytes_or_by_their_own_code) {
  crosses(Point{1, {2, 3}, {'a', 'b', 'c'}});
  crosses(std::vector<Point>(10'000, Point{4, {5, 6}, {}}));
  crosses(Inside{"name", {1, 2}});
  crosses(Beside{5, {"in", {3}}});
  crosses(std::map<int, Beside>{{1, {5, {"in", {3}}}}});
  EXPECT_EQ(pool.submit<&same<Split>>(Split{3, 0}).get(), (Split{3, 6}));
  crosses(std::vector<Wide>(3, Wide{{1, 2, 3}}));
}

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}
std::vector<double> doubled(const std::vector<double>& values) {
  std::vector<double> out(values);
  for (auto& value : out) value *= 2;
  return out;
}
std::size_t bytes_of(const std::vector<std::vector<std::byte>>& all) {
  std::size_t total = 0;
  for (const auto& one : all) total += one.size();
  return total;
}
bool is_aligned(std::span<const Wide> values) {
  return reinterpret_cast<std::uintptr_t>(values.data()) % alignof(Wide) == 0;
}

TEST_F(process_data, large_vectors_go_and_come_through_shared_memory) {
  for (const std::size_t count : {0UL, 1UL, 8191UL, 8192UL, 8193UL, 100'000UL, 2'000'000UL}) {
    SCOPED_TRACE(count);
    std::vector<double> values(count);
    std::iota(values.begin(), values.end(), 0.0);
    const double expected = std::accumulate(values.begin(), values.end(), 0.0);
    EXPECT_EQ(pool.submit<&sum>(std::span<const double>(values)).get(), expected);
    EXPECT_EQ(pool.submit<&sum>(values).get(), expected);
    auto twice = pool.submit<&doubled>(values).get();
    ASSERT_EQ(twice.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(twice[i], 2 * values[i]);
  }
}

TEST_F(process_data, shared_memory_is_used_again_and_mixed_up_with_nobody) {
  const auto before = open_descriptors();
  std::vector<std::pair<std::size_t, Future<std::vector<double>>>> calls;
  for (std::size_t i = 0; i < 60; ++i)
    calls.emplace_back(i, pool.submit<&doubled>(std::vector<double>(10'000 + 3000 * (i % 7),
                                                                    static_cast<double>(i))));
  for (auto& [i, call] : calls) {
    const auto twice = call.get();
    ASSERT_EQ(twice.size(), 10'000 + 3000 * (i % 7));
    for (const double value : twice) ASSERT_EQ(value, 2.0 * static_cast<double>(i));
  }
  // As many as waited at once; not one more for each call.
  const auto after = open_descriptors();
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(pool.submit<&doubled>(std::vector<double>(20'000, 1.0)).get().size(), 20'000U);
  EXPECT_LE(open_descriptors(), after + 2);
  EXPECT_GT(after, before);
}

TEST_F(process_data, many_large_parts_take_few_regions) {
  const auto before = open_descriptors();
  const std::vector<std::vector<std::byte>> parts(300, std::vector<std::byte>(70'000));
  EXPECT_EQ(pool.submit<&bytes_of>(parts).get(), 300U * 70'000U);
  EXPECT_LE(open_descriptors(), before + 24);
  // And parts that are small, but of which there are many.
  const std::vector<std::string> texts(20'000, std::string(50, 't'));
  EXPECT_EQ(pool.submit<&same<std::vector<std::string>>>(texts).get(), texts);
}

TEST_F(process_data, spans_are_aligned_as_their_elements_need) {
  EXPECT_TRUE(pool.submit<&is_aligned>(std::vector<Wide>(1)).get());
  EXPECT_TRUE(pool.submit<&is_aligned>(std::vector<Wide>(10'000)).get());
}

struct Refuses {
  template <class Archive>
  void save(Archive&) const {
    throw std::runtime_error("not this one");
  }
  template <class Archive>
  void load(Archive&) {}
};
int takes(const Refuses&) { return 1; }
Refuses gives() { return {}; }

TEST_F(process_data, what_cannot_be_packed_throws_where_it_is_packed) {
  EXPECT_THROW(pool.submit<&takes>(Refuses()), std::runtime_error);
  try {
    (void)pool.submit<&gives>().get();
    FAIL() << "did not throw";
  } catch (const RemoteError& error) {
    EXPECT_STREQ(error.what(), "not this one");
  }
}

// What a type may be, and what not.
template <class T>
constexpr bool goes = detail::Pack<T>::possible;
struct HasPointer {
  int number;
  const char* text;
};
struct HasView {
  std::string_view text;
};
static_assert(goes<int> && goes<std::vector<Point>> && goes<std::monostate>);
static_assert(!goes<int*> && !goes<std::string_view> && !goes<std::span<const int>>);
static_assert(!goes<HasPointer> && !goes<HasView> && !goes<std::vector<HasPointer>>);
static_assert(!goes<std::array<std::string_view, 2>> && !goes<std::vector<int>::iterator>);
static_assert(!goes<std::tuple<int, int*>> && !goes<std::map<int, void*>>);

// Whatever the bytes are, reading them ends in a value or in an error.
TEST(process_pack, damaged_bytes_are_an_error) {
  using Value = std::tuple<std::vector<std::string>, std::map<int, std::vector<double>>, Inside,
                           std::variant<int, std::string>, std::vector<std::tuple<>>>;
  detail::Packer out;
  detail::Pack<Value>::write(out, Value({"a", "bc"}, {{1, {1, 2}}, {2, {}}}, {"n", {1}}, "text",
                                        std::vector<std::tuple<>>(3)));
  const std::string bytes = out.bytes();
  const auto read = [](const std::string& text) {
    // Aligned as a message is, and of exactly its size: a sanitizer sees what reads beyond.
    std::vector<std::max_align_t> room(text.size() / sizeof(std::max_align_t) + 1);
    std::memcpy(room.data(), text.data(), text.size());
    detail::Unpacker in({reinterpret_cast<const std::byte*>(room.data()), text.size()});
    (void)detail::Pack<Value>::read(in);
  };
  EXPECT_NO_THROW(read(bytes));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_THROW(read(bytes.substr(0, cut)), detail::PackError) << cut;
  int errors = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      try {
        read(damaged);
      } catch (const detail::PackError&) {
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 0);
}

}  // namespace
