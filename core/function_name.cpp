// What the compiler calls a function, made short enough to read in a report.
//
// clang: "Coro<int> app::Server::handle(Request &) const [T = int]"; a lambda's is
// "auto app::start()::(anonymous class)::operator()() const".
#include <coil/detail/task_view.hpp>
#include <string_view>

namespace coil::detail {
namespace {

constexpr std::string_view opening = "(<[{";
constexpr std::string_view closing = ")>]}";
constexpr auto npos = std::string_view::npos;

// Whether the '<' or '>' there belongs to an operator's name or an arrow.
bool is_operator_sign(std::string_view text, std::size_t at) noexcept {
  constexpr std::string_view word = "operator";
  if (text[at] == '>' && at > 0 && text[at - 1] == '-') return true;
  while (at > 0 && std::string_view("<>=-").find(text[at - 1]) != npos) --at;
  return at >= word.size() && text.substr(at - word.size(), word.size()) == word;
}

// Where the bracket that ends at `close` begins; npos if there is none.
std::size_t matching_open(std::string_view text, std::size_t close) noexcept {
  int depth = 0;
  for (std::size_t at = close + 1; at-- > 0;) {
    if (is_operator_sign(text, at)) continue;
    if (closing.find(text[at]) != npos) ++depth;
    if (opening.find(text[at]) != npos && --depth == 0) return at;
  }
  return npos;
}

// "[T = int]" at the end, and what follows the parameters.
std::string_view without_parameters(std::string_view text) noexcept {
  if (text.ends_with(']')) {
    const auto open = matching_open(text, text.size() - 1);
    if (open == npos || open == 0) return text;
    text = text.substr(0, open);
  }
  const auto close = text.rfind(')');
  if (close == npos) return text;
  const auto open = matching_open(text, close);
  return open == npos || open == 0 ? text : text.substr(0, open);
}

// The result type ends at the last space that is in no bracket.
std::string_view without_result(std::string_view text) noexcept {
  if (const auto conversion = text.rfind("operator "); conversion != npos)
    text = text.substr(0, conversion);
  for (std::size_t at = text.size(); at-- > 0;) {
    if (text[at] == ' ') return text.substr(at + 1);
    if (is_operator_sign(text, at)) continue;
    if (closing.find(text[at]) == npos) continue;
    const auto open = matching_open(text, at);
    if (open == npos) return text;
    at = open;
    if (at == 0) break;
  }
  return text;
}

}  // namespace

std::string short_function_name(const char* pretty) {
  const std::string_view whole(pretty);
  const auto name = without_result(without_parameters(whole));
  std::string text(name.empty() ? whole : name);
  constexpr std::string_view lambda = "(anonymous class)::operator()";
  if (text.ends_with(lambda)) text.replace(text.size() - lambda.size(), lambda.size(), "(lambda)");
  return text;
}

}  // namespace coil::detail
