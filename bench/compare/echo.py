#!/usr/bin/env python3
"""One run of bench/echo as the comparison wants it: a contender's server under the load generator,
one line of JSON. A request is an operation; CPU time is the server's. --size: milliseconds measured.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

RUN = pathlib.Path(__file__).resolve().parent.parent / "echo/run.py"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", required=True)
    parser.add_argument("--bin-dir", action="append", required=True)
    parser.add_argument("--threads", type=int, choices=[1], default=1)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--case", default="64")
    given = parser.parse_args()
    seconds = given.size / 1000
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        command = [sys.executable, RUN, "--rounds", "1", "--contenders", given.contender,
                   "--scenarios", given.case, "--seconds", str(seconds),
                   "--warmup", str(min(0.5, seconds / 2)), "--json", file.name]
        for directory in given.bin_dir:
            command += ["--bin-dir", directory]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr.strip() or "bench/echo/run.py failed")
        run = json.load(file)["runs"][0]
    print(json.dumps({
        "workload": "echo", "case": given.case, "contender": given.contender, "threads": 1,
        "size": given.size, "ops": int(run["requests"]), "wall_s": run["seconds"],
        "cpu_s": run["server_cpu_us_per_request"] * run["requests"] / 1e6,
        "peak_kib": run["server_peak_kib"], "p50_us": run["p50_us"], "p99_us": run["p99_us"],
        "starved": run["starved_connections"], "check": "ok"}))


if __name__ == "__main__":
    main()
