// Which operation is meant is settled once per place in the source, then looked up.
#include "model/mutate.hpp"

#include <cctype>
#include <fstream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "model/arena.hpp"

namespace model {

namespace {

struct Place {
  const char* file;
  std::uint32_t line;
  std::uint32_t column;
  bool operator==(const Place&) const = default;
};
struct PlaceHash {
  std::size_t operator()(const Place& place) const {
    return std::hash<const void*>{}(place.file) * 31 + place.line * 1009 + place.column;
  }
};
Place place_of(const Site& site) { return {site.file_name(), site.line(), site.column()}; }

struct Rule {
  Change change;
  std::uint64_t met = 0;
  std::unordered_map<Place, bool, PlaceHash> at_place;  // is this place in the function?
};
std::vector<Rule> rules;

bool watching = false;
std::vector<Seen> seen_operations;

void remember(Op op, Order order, const char* name, const Site& site) {
  for (const Seen& old : seen_operations) {
    if (old.op == op && old.order == order && place_of(old.site) == place_of(site)) return;
  }
  seen_operations.push_back({op, order, name != nullptr ? name : object_text(site), site});
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// "int Deque<T>::pop(int) [T = int]" is in "pop", not in "op".
bool function_is(std::string_view function, std::string_view name) {
  for (auto at = function.find(name); at != function.npos; at = function.find(name, at + 1)) {
    const char after = at + name.size() < function.size() ? function[at + name.size()] : '\0';
    const bool starts = at == 0 || !is_word(function[at - 1]);
    if (starts && (after == '(' || after == '<')) return true;
  }
  return false;
}

std::string read_object(const Site& site) {
  std::ifstream file(site.file_name());
  std::string line;
  for (unsigned i = 0; i < site.line(); ++i) {
    if (!std::getline(file, line)) return "?";
  }
  if (site.column() == 0 || site.column() > line.size()) return "?";
  std::string_view text = std::string_view(line).substr(site.column() - 1);
  std::size_t end = text.size();
  for (const char* call : {"load(", "store(", "exchange(", "compare_exchange", "fetch_", "wait(",
                           "post(", "signal(", "drain(", "lock(", "unlock(", "try_"}) {
    for (const std::string& member : {"." + std::string(call), "->" + std::string(call)}) {
      end = std::min(end, text.find(member));
    }
  }
  if (end == text.size()) {  // an operator, or the call is on the next line
    end = 0;
    while (end < text.size() && is_word(text[end])) ++end;
  }
  text = text.substr(0, end);
  if (text.starts_with("this->")) text.remove_prefix(6);
  return text.empty() ? "?" : std::string(text);
}

}  // namespace

std::string Change::text() const {
  if (fault == Fault::Hook) return object;
  std::string text = object + "." + op_text(op);
  switch (fault) {
    case Fault::Weaken:
      text += std::string(" as ") + order_text(to);
      break;
    case Fault::Skip:
      text += " left out";
      break;
    case Fault::Late:
      text += " swapped with the next step";
      break;
    case Fault::Blind:
      text += " not looked at";
      break;
    case Fault::Ignore:
      text += " ignores bits " + std::to_string(bits);
      break;
    case Fault::Split:
      text += " not atomic";
      break;
    default:
      break;
  }
  if (line != 0) text += " at line " + std::to_string(line);
  return in.empty() ? text : text + " in " + in;
}

Change weaken(std::string object, Op op, Order to, std::string in) {
  return {Fault::Weaken, std::move(object), op, to, std::move(in), 0, 0};
}
Change skip(std::string object, Op op, std::string in) {
  return {Fault::Skip, std::move(object), op, Order::relaxed, std::move(in), 0, 0};
}
Change late(std::string object, std::string in) {
  return {Fault::Late, std::move(object), Op::Store, Order::relaxed, std::move(in), 0, 0};
}
Change split(std::string object, Op op, std::string in) {
  return {Fault::Split, std::move(object), op, Order::relaxed, std::move(in), 0, 0};
}
Change blind(std::string object, std::string in) {
  return {Fault::Blind, std::move(object), Op::Load, Order::relaxed, std::move(in), 0, 0};
}
Change ignore(std::string object, Op op, std::uint64_t bits, std::string in) {
  return {Fault::Ignore, std::move(object), op, Order::relaxed, std::move(in), 0, bits};
}
Change hook(std::string name) {
  return {Fault::Hook, std::move(name), Op::Load, Order::relaxed, "", 0, 0};
}

Broken::Broken(std::vector<Change> changes) {
  rules.clear();
  for (Change& change : changes) rules.push_back({std::move(change), 0, {}});
}

Broken::~Broken() { rules.clear(); }

std::string Broken::unmet() const {
  for (const Rule& rule : rules) {
    if (rule.met == 0) return rule.change.text();
  }
  return {};
}

const char* order_text(Order order) {
  switch (order) {
    case Order::relaxed:
      return "relaxed";
    case Order::consume:
      return "consume";
    case Order::acquire:
      return "acquire";
    case Order::release:
      return "release";
    case Order::acq_rel:
      return "acq_rel";
    case Order::seq_cst:
      return "seq_cst";
  }
  return "?";
}

const char* op_text(Op op) {
  switch (op) {
    case Op::Load:
      return "load";
    case Op::Store:
      return "store";
    case Op::Rmw:
      return "rmw";
    case Op::Cas:
      return "compare_exchange";
  }
  return "?";
}

const std::string& object_text(const Site& site) {
  arena::Pause pause;
  static std::unordered_map<Place, std::string, PlaceHash> known;
  const auto [at, fresh] = known.try_emplace(place_of(site));
  if (fresh) at->second = read_object(site);
  return at->second;
}

Effect effect_on(Op op, Order order, const char* name, const Site& site) {
  Effect effect{order};
  if (rules.empty() && !watching) return effect;
  arena::Pause pause;
  if (watching) remember(op, order, name, site);
  for (Rule& rule : rules) {
    const Change& change = rule.change;
    if (change.fault == Fault::Hook || change.op != op) continue;
    if (change.fault == Fault::Weaken && change.to == order) continue;
    if (change.line != 0 && change.line != site.line()) continue;
    if (name != nullptr && change.object != name) continue;
    const auto [at, fresh] = rule.at_place.try_emplace(place_of(site));
    if (fresh) at->second = change.in.empty() || function_is(site.function_name(), change.in);
    if (!at->second || (name == nullptr && object_text(site) != change.object)) continue;
    ++rule.met;
    if (change.fault == Fault::Weaken) {
      effect.order = change.to;
    } else {
      effect.fault = change.fault;
      effect.ignored = change.bits;
    }
  }
  return effect;
}

void watch(bool on) {
  if (on) seen_operations.clear();
  watching = on;
}
std::vector<Seen> seen() { return seen_operations; }

bool mutated(const char* name) {
  for (Rule& rule : rules) {
    if (rule.change.fault == Fault::Hook && rule.change.object == name) {
      ++rule.met;
      return true;
    }
  }
  return false;
}

}  // namespace model
