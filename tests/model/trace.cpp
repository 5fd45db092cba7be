// Formatting; called only while an execution is traced, never while exploring.
#include "model/trace.hpp"

#include <cstdio>
#include <cstring>

#include "model/print.hpp"

namespace model {

void Trace::add(unsigned step, const std::string& thread, const std::string& text) {
  char start[64];
  std::snprintf(start, sizeof start, "%5u  %-10s  ", step, thread.c_str());
  lines_.push_back(start + text);
}

void Trace::add(unsigned step, const std::string& thread, const std::string& text,
                const Site& site) {
  std::string padded = text;
  if (padded.size() < 60) padded.resize(60, ' ');
  add(step, thread, padded + "  " + short_site(site));
}

std::string short_site(const Site& site) {
  const char* slash = std::strrchr(site.file_name(), '/');
  return std::string(slash != nullptr ? slash + 1 : site.file_name()) + ':' +
         std::to_string(site.line());
}

std::string print_hex(const Word& word) {
  char text[48];
  if (word.high != 0) {
    std::snprintf(text, sizeof text, "0x%llx:%016llx", static_cast<unsigned long long>(word.high),
                  static_cast<unsigned long long>(word.low));
  } else {
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(word.low));
  }
  return text;
}

}  // namespace model
