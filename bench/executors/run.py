#!/usr/bin/env python3
"""How late a loop's 10 ms timer is beside executors that compute all the time.

One loop beside as many compute threads as leave it its processor, and beside as many and more as
there are processors. The bar (p99 of 15 ms) holds where processors are not oversubscribed.
"""

import json
import os
import pathlib
import subprocess
import sys

BIN = pathlib.Path(os.environ.get("COIL_BENCH_BIN", "build/release/bench/executors"))
OUT = pathlib.Path(os.environ.get("COIL_BENCH_OUT", "build/bench"))


def measure(kind, threads, seconds):
    command = [BIN / "coil_bench_executors", kind, str(threads), "1", str(seconds)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    processors = len(os.sched_getaffinity(0))
    rows = []
    print(f"{processors} processors, one loop; a 10 ms timer\n")
    print("| executors | compute threads | oversubscribed | p50 ms | p99 ms | max ms |")
    print("|---|---:|---|---:|---:|---:|")
    for kind in ("none", "threads", "arena", "both"):
        each = 2 if kind == "both" else 1
        room = max(1, (processors - 1) // each)
        for threads in (room, processors, 4 * processors) if kind != "none" else (0,):
            row = measure(kind, threads, seconds)
            row["threads"] = threads * each if kind != "none" else 0
            row["oversubscribed"] = row["threads"] + 1 > processors
            rows.append(row)
            print(f"| {kind} | {row['threads']} | {'yes' if row['oversubscribed'] else 'no'} "
                  f"| {row['p50_ms']:.2f} | {row['p99_ms']:.2f} | {row['max_ms']:.2f} |", flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "executors.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
