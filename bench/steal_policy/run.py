#!/usr/bin/env python3
"""Simulates the policies of stealing and writes docs/benchmarks/steal_policy.md.

The figures depend on the seed and on nothing else: no machine measures anything here.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT = ROOT / "docs" / "benchmarks" / "steal_policy.md"
MACHINES = {64: "64 cores: 8 nodes of 8, an L3 each",
            256: "256 cores: 8 nodes of 32, four L3 each"}
LOADS = {
    "one source": "one loop makes 100,000 tasks of 5 us",
    "Zipf": "20,000 tasks of 10 us (exponential) arrive at 70 % of capacity, on loop n with weight "
            "1/n",
    "fork-join": "a binary tree with 16,384 leaves of 10 us (heavy tail, at most 300 us)",
    "bursts": "ten times: 2 ms of nothing, then 1,000 tasks of 20 us on one loop",
    "steady 70 %": "as Zipf, but equally on all loops",
    "steady 5 %": "2,000 tasks, at 5 % of capacity",
}
HEAD = ("| policy | makespan / bound | idle | steals per task | far | failed per task "
        "| wakes per task | wait p99, us |\n|---|---:|---:|---:|---:|---:|---:|---:|")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=1, help="divides the number of tasks")
    parser.add_argument("--bin-dir", type=pathlib.Path, default=os.environ.get("COIL_BENCH_BIN"))
    parser.add_argument("--output", type=pathlib.Path, help=f"by default {REPORT.relative_to(ROOT)}"
                        "; with a --scale, nothing is written by default")
    arguments = parser.parse_args()
    if arguments.bin_dir is None:
        parser.error("--bin-dir: where is coil_bench_steal_policy?")
    if arguments.output is None and arguments.scale == 1:
        arguments.output = REPORT
    return arguments


def simulate(arguments):
    """All machines at once."""
    program = arguments.bin_dir / "coil_bench_steal_policy"
    options = ["--seed", str(arguments.seed), "--scale", str(arguments.scale)]
    processes = [subprocess.Popen([program, "--cores", str(cores), *options],
                                  stdout=subprocess.PIPE, text=True) for cores in MACHINES]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode != 0 for process in processes):
        sys.exit("the simulation failed")
    return [json.loads(line) for output in outputs for line in output.splitlines()]


def row(run):
    return (f"| {run['policy']} | {run['ratio']:.2f} | {100 * run['idle']:.0f} % "
            f"| {run['steals']:.3f} | {100 * run['far']:.0f} % | {run['failed']:.2f} "
            f"| {run['wakes']:.4f} | {run['wait_p99_us']:,.0f} |")


def tables(runs):
    for cores, about in MACHINES.items():
        for load in LOADS:
            mine = [run for run in runs if (run["cores"], run["load"]) == (cores, load)]
            yield (f"## {about}: {load}\n\nLower bound {mine[0]['bound_us']:,.0f} us, "
                   f"{mine[0]['tasks']:,} tasks.\n\n" + "\n".join([HEAD, *map(row, mine)]) + "\n")


def document(arguments, runs):
    loads = "\n".join(f"- *{name}*: {what}." for name, what in LOADS.items())
    return f"""# Policies of stealing, simulated

Made by `./dev bench steal_policy`: seed {arguments.seed}, scale 1/{arguments.scale}. A simulation of discrete events; the loops
decide by the product's own `sched/steal_policy.hpp`, `steal_order.hpp`, `idle_set.hpp` and
`spin_budget.hpp`. What things cost is in `bench/steal_policy/parameters.hpp`: 20 ns to take one's
own task, 100, 200 and 600 ns to try a victim in the same L3, in the same node and beyond, in vain
or not, 25 us until a woken loop runs.

{loads}

*Makespan*: the time in which there was something to do; *bound*: the greater of work / cores and
critical path. *Idle*: share of the cores' time spent searching, spinning or asleep. *Steals*: from
loops, one or more tasks each; *far*: the share of them across nodes. *Wait*: from when a task was
there until it ran. **product** is what the product does, *before* what it did until it was
simulated; each of the others differs from **product** in one thing.

""" + "\n".join(tables(runs))


def main():
    arguments = parse_arguments()
    text = document(arguments, simulate(arguments))
    print(text)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text)
        print(f"written: {arguments.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
