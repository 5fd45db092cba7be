// One measured run: a server, its clients, a live line, and what it all came to.
//
// The load is skewed on purpose, as real ones are: a few connections (one, by default) stream all
// files without waiting for answers, and the server makes a task of each file on the loop of that
// connection. The other connections send a small file now and then and want a quick answer.
// Clients are pinned, dealt out evenly over the loops, and the same with and without stealing: what
// is stolen is the server's work.
#pragma once

#include <coil/coil.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "client.hpp"
#include "corpus.hpp"
#include "histogram.hpp"
#include "options.hpp"
#include "problems.hpp"

namespace demo {

// The connections of one kind together.
struct Traffic {
  std::size_t connections = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  Histogram latencies;

  void add(const Client& client);
};

struct PhaseResult {
  bool stealing = true;
  bool interrupted = false;
  double seconds = 0;
  double cpu_seconds = 0;  // of this process, kernel included
  Traffic bulk;
  Traffic interactive;
  std::vector<coil::LoopMetrics> loops;  // during the phase
  Problems::Summary problems;
};

class Phase {
 public:
  Phase(const Corpus& corpus, const Options& options, bool stealing);
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  // On a Runner of its own. Ends early, with what there is, when Ctrl-C is pressed.
  [[nodiscard]] PhaseResult measure();

 private:
  class Meter;

  coil::Coro<> run(coil::Runner& runner);
  coil::Coro<> show_progress(coil::Runner& runner);
  void make_clients(std::size_t loops);
  [[nodiscard]] bool all_ended() const;

  const Corpus& corpus_;
  const Options& options_;
  coil::TimePoint until_;
  std::vector<std::unique_ptr<Client>> bulk_;
  std::vector<std::unique_ptr<Client>> interactive_;
  Problems problems_;
  PhaseResult result_;
};

}  // namespace demo
