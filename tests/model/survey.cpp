// Which memory orders does no model mind? Each operation the models of a suite perform is weakened
// by one step, alone, and they all run again.
//
// An order that nobody minds is either stronger than it need be, or the model that needs it is
// missing.
#include <cstdio>
#include <cstring>
#include <set>

#include "model/model.hpp"
#include "model/report.hpp"

namespace model {

namespace {

std::vector<Order> weaker(Op op, Order order) {
  switch (order) {
    case Order::seq_cst:
      if (op == Op::Load) return {Order::acquire};
      if (op == Op::Store) return {Order::release};
      return {Order::acq_rel};
    case Order::acq_rel:
      return {Order::acquire, Order::release};
    case Order::acquire:
    case Order::release:
      return {Order::relaxed};
    default:
      return {};
  }
}

const Entry* who_minds(const std::vector<const Entry*>& models, const Change& change) {
  const Broken broken({change});
  for (const Entry* entry : models) {
    Options options = entry->options;
    options.simplify = false;
    if (explore(options, entry->body).failed) return entry;
  }
  return nullptr;
}

void survey_suite(const std::vector<const Entry*>& models) {
  watch(true);
  for (const Entry* entry : models) explore(entry->options, entry->body);
  watch(false);
  for (const Seen& seen : seen()) {
    for (Order to : weaker(seen.op, seen.order)) {
      Change change = weaken(seen.object, seen.op, to);
      change.line = seen.site.line();
      const Entry* minds = who_minds(models, change);
      std::printf("  %-70s %s%s\n",
                  (std::string(order_text(seen.order)) + " " + change.text()).c_str(),
                  minds != nullptr ? "minded by " : "NOBODY MINDS", minds ? minds->text : "");
      std::fflush(stdout);
    }
  }
}

}  // namespace

int survey(const Request& request) {
  std::set<std::string> suites;
  for (const Entry& entry : entries()) {
    if (entry.kind != Entry::Kind::Model) continue;
    for (const std::string& filter : request.filters) {
      if (entry.title().find(filter) != std::string::npos) suites.insert(entry.suite);
    }
    if (request.filters.empty()) suites.insert(entry.suite);
  }
  for (const std::string& suite : suites) {
    std::printf("%s\n", suite.c_str());
    std::vector<const Entry*> models;
    for (const Entry& entry : entries()) {
      if (entry.kind == Entry::Kind::Model && suite == entry.suite) models.push_back(&entry);
    }
    survey_suite(models);
  }
  return 0;
}

}  // namespace model
