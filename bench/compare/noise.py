"""Is this machine quiet enough to measure on?

Invariant: figures are printed only if the load average was low at the start and a fixed amount of
work took the same time throughout the run; else the run is refused, or marked as noisy (--force).
"""

import hashlib
import os
import sys
import time

LOAD_LIMIT = 0.5  # processes that run beside ours, at the start
SPREAD_LIMIT = 0.10  # of the fixed work, see spread()
SPREAD_TRIM = 0.05  # of the probes, at either end
STEAL_LIMIT = 0.02  # share of the machine's time that the host took
SETTLE_S = 120
_BLOCK = bytes(1 << 20)


def _fixed_work():
    """About 5 ms on one core that nobody else uses. Compiled code: no interpreter, no memory."""
    start = time.perf_counter()
    hashlib.sha256(_BLOCK * 4).digest()
    return time.perf_counter() - start


def _times():
    with open("/proc/stat") as file:
        numbers = [int(word) for word in file.readline().split()[1:]]
    return sum(numbers[:8]), numbers[7]


class Noise:
    def __init__(self, settle_s=SETTLE_S):
        self.load = self._settled_load(settle_s)
        self._all, self._stolen = _times()
        self.samples = []

    @staticmethod
    def _settled_load(settle_s):
        """Waits a while: a build that just ended is in the average still."""
        until = time.monotonic() + settle_s
        load = os.getloadavg()[0]
        if load > LOAD_LIMIT and settle_s:
            print(f"  the load average is {load:.1f}: waiting until it is {LOAD_LIMIT}, at most "
                  f"{settle_s} s", file=sys.stderr, flush=True)
        while load > LOAD_LIMIT and time.monotonic() < until:
            time.sleep(2)
            load = os.getloadavg()[0]
        return load

    def probe(self):
        """The fixed work on each core in turn. The median of five: one interrupt is no noise."""
        allowed = os.sched_getaffinity(0)
        for core in sorted(allowed):
            os.sched_setaffinity(0, {core})
            self.samples.append((core, sorted(_fixed_work() for _ in range(5))[2]))
        os.sched_setaffinity(0, allowed)

    def spread(self):
        """Highest to lowest over the median, of the core that was worst.

        Of nine probes in ten: the figures are medians, which one slow moment does not touch, and
        the more probes there are, the likelier is one."""
        worst = 0.0
        for core in {core for core, _ in self.samples}:
            mine = sorted(seconds for at, seconds in self.samples if at == core)
            cut = int(len(mine) * SPREAD_TRIM)
            worst = max(worst, (mine[-1 - cut] - mine[cut]) / mine[len(mine) // 2])
        return worst

    def steal(self):
        now, stolen = _times()
        return (stolen - self._stolen) / max(1, now - self._all)

    def problems(self):
        steal, spread = self.steal(), self.spread()
        found = []
        if self.load > LOAD_LIMIT:
            found.append(f"the load average was {self.load:.1f} at the start (limit {LOAD_LIMIT})")
        if spread > SPREAD_LIMIT:
            found.append(f"a fixed piece of work took {100 * spread:.0f} % longer at times "
                         f"(limit {100 * SPREAD_LIMIT:.0f} %)")
        if steal > STEAL_LIMIT:
            found.append(f"the host took {100 * steal:.0f} % of the processors' time "
                         f"(limit {100 * STEAL_LIMIT:.0f} %)")
        return found

    def as_json(self):
        return {"load_average_before": self.load, "fixed_work_spread": round(self.spread(), 4),
                "steal_share": round(self.steal(), 4), "probes": len(self.samples)}
