"""kit/program.hpp for Python: arguments, clocks, and the one line of JSON.

Only what lies between start() and stop() is counted.
"""

import argparse
import json
import sys
import time

import uvloop


class Program:
    def __init__(self, workload, size, cases=("",)):
        parser = argparse.ArgumentParser()
        parser.add_argument("--threads", type=int, choices=[1], default=1)
        parser.add_argument("--size", type=int, default=size)
        parser.add_argument("--case", choices=cases, default=cases[0])
        given = parser.parse_args()
        self.workload, self.size, self.case = workload, given.size, given.case
        self.wall = self.cpu = 0.0

    def run(self, main):
        loop = uvloop.new_event_loop()
        try:
            return loop.run_until_complete(main)
        finally:
            loop.close()

    def start(self):
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def stop(self):
        self.wall += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu

    def finish(self, ops, correct):
        with open("/proc/self/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM:"))
        print(json.dumps({
            "workload": self.workload, "case": self.case, "contender": "uvloop", "threads": 1,
            "size": self.size, "ops": ops, "wall_s": self.wall, "cpu_s": self.cpu,
            "peak_kib": int(peak.split()[1]), "check": "ok" if correct else "wrong"}))
        sys.exit(0 if correct else 1)
