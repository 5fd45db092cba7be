#!/usr/bin/env python3
"""Runs the echo servers against one load generator, interleaved, and compares them with raw.

Every run is a fresh server process, pinned to one core, under a load that is pinned to another; a
round runs each contender once, in a rotating order, so that a drift of the machine hits all alike.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import select
import subprocess
import sys

sys.dont_write_bytecode = True
import private_net  # noqa: E402
import report  # noqa: E402

CONTENDERS = ("raw", "asio", "coil", "libuv", "go", "tokio", "uvloop")
PREFIX = "coil_bench_echo_"
START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 5


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # `./dev bench echo` says by these two where the programs are and where results go.
    bin_dir, out_dir = os.environ.get("COIL_BENCH_BIN"), os.environ.get("COIL_BENCH_OUT")
    parser.add_argument("--bin-dir", type=pathlib.Path, action="append", required=bin_dir is None,
                        help=f"build directory (searched for {PREFIX}*); may be given several times")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="measured window of a run")
    parser.add_argument("--warmup", type=float, default=0.5, help="seconds of load before it")
    parser.add_argument("--contenders", help="comma-separated; by default those that are built of "
                        + ",".join(CONTENDERS))
    parser.add_argument("--scenarios", default="1,64,1000,64x16",
                        help="connections, or connections x pipelined messages")
    parser.add_argument("--size", type=int, default=64, help="bytes of a message")
    available = sorted(os.sched_getaffinity(0))
    parser.add_argument("--server-core", type=int, default=available[0])
    parser.add_argument("--load-core", type=int, default=available[:2][-1])
    parser.add_argument("--idle", type=int, metavar="N",
                        help="measure memory per idle connection over N connections instead")
    parser.add_argument("--json", type=pathlib.Path, help="write all runs and the summary here")
    parser.add_argument("--shared-net", action="store_true",
                        help="use the machine's own loopback and congestion control")
    arguments = parser.parse_args()
    arguments.bin_dir = arguments.bin_dir or [pathlib.Path(bin_dir)]
    if arguments.json is None and out_dir:
        name = "echo_idle.json" if arguments.idle else "echo.json"
        arguments.json = pathlib.Path(out_dir) / name
    for name in ("rounds", "seconds", "size", "idle"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            parser.error(f"--{name} must be more than 0")
    for scenario in arguments.scenarios.split(","):
        if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)?", scenario):
            parser.error(f'scenario "{scenario}" is neither N nor NxK')
    return arguments


def find_binaries(directories, names):
    for directory in directories:
        if not directory.is_dir():
            sys.exit(f"{directory}: no such directory")
    found = {}
    for name in (*names, "load"):
        hits = [path for directory in directories for path in directory.rglob(PREFIX + name)
                if os.access(path, os.X_OK)]
        if hits:
            found[name] = max(hits, key=lambda path: path.stat().st_mtime)
    if "load" not in found or len(found) == 1:
        sys.exit(f"no {PREFIX}load and server in {directories}: build them first")
    return found


def pinned(core):
    available = sorted(os.sched_getaffinity(0))
    if core not in available:
        sys.exit(f"core {core} is not available here (available: {available})")
    return ["taskset", "-c", str(core)]


class Server:
    """A server process from its first line on; ended, and its exit code checked, on leaving."""

    def __init__(self, name, command):
        self.name, self.command = name, command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        line = self.process.stdout.readline() if ready else ""
        match = re.search(r"port (\d+)$", line.strip())
        if not match:
            self.process.kill()
            sys.exit(f"{self.name} did not start: {line}{self.process.communicate()[1]}")
        self.port = match[1]
        return self

    def peak_kib(self):
        """The most memory it has had, or None if it is gone."""
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                match = re.search(r"^VmHWM:\s*(\d+)", status.read(), re.MULTILINE)
        except OSError:
            match = None
        return int(match[1]) if match else None

    def __exit__(self, *_):
        self.process.terminate()
        try:
            _, errors = self.process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            sys.exit(f"{self.name} did not end within {STOP_TIMEOUT_S} s of SIGTERM")
        if self.process.returncode != 0:
            sys.exit(f"{self.name} ended with {self.process.returncode}: {errors}")


def measure(arguments, binaries, contender, options):
    server_command = [*pinned(arguments.server_core), binaries[contender]]
    with Server(contender, server_command) as server:
        load = subprocess.run(
            [*pinned(arguments.load_core), binaries["load"], "--port", server.port,
             "--server-pid", str(server.process.pid), "--size", str(arguments.size), *options],
            capture_output=True, text=True)
        peak = server.peak_kib()
    if load.returncode != 0:
        sys.exit(f"load against {contender} failed: {load.stderr.strip()}")
    return {"contender": contender, "server_peak_kib": peak, **json.loads(load.stdout)}


def interleave(arguments, contenders):
    """(round, contender) pairs, each round beginning with another contender."""
    for number in range(arguments.rounds):
        shift = number % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            yield number, contender


def run_load(arguments, binaries, contenders):
    runs = []
    for scenario in arguments.scenarios.split(","):
        connections, _, pipeline = scenario.partition("x")
        options = ["--connections", connections, "--pipeline", pipeline or "1",
                   "--seconds", str(arguments.seconds), "--warmup", str(arguments.warmup)]
        for number, contender in interleave(arguments, contenders):
            run = measure(arguments, binaries, contender, options)
            runs.append({"scenario": scenario, "round": number, **run})
            print(f"  {scenario:>6} round {number + 1} {contender:<5} "
                  f"{run['requests_per_s']:>11,.0f}/s  p50 {run['p50_us']:>9.1f} µs  "
                  f"p99 {run['p99_us']:>9.1f} µs  {run['server_cpu_us_per_request']:.3f} µs CPU",
                  file=sys.stderr, flush=True)
    return runs


def run_idle(arguments, binaries, contenders):
    options = ["--idle", "1", "--connections", str(arguments.idle)]
    return [{"round": number, **measure(arguments, binaries, contender, options)}
            for number, contender in interleave(arguments, contenders)]


def processor():
    with open("/proc/cpuinfo") as file:
        match = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return match[1] if match else platform.machine()


def main():
    arguments = parse_arguments()
    private, notes = (False, []) if arguments.shared_net else private_net.enter()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the servers inherit it
    wanted = arguments.contenders.split(",") if arguments.contenders else CONTENDERS
    binaries = find_binaries(arguments.bin_dir, wanted)
    contenders = [name for name in wanted if name in binaries]
    if arguments.contenders:
        notes += [f"{name} is not built: skipped" for name in wanted if name not in binaries]
    if arguments.server_core == arguments.load_core:
        notes.append("server and load share a core: latencies mean little")
    about = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
             "kernel": platform.release(), "processor": processor(), "private_net": private,
             "congestion_control": private_net.congestion_control(), "size": arguments.size,
             "seconds": arguments.seconds, "rounds": arguments.rounds,
             "load_average_before": os.getloadavg()[0]}
    if about["load_average_before"] > 0.5:
        notes.append(f"the machine is not quiet (load average {about['load_average_before']:.1f}): "
                     "trust the CPU ratios, not the wall-clock figures")
    if arguments.idle:
        idle = run_idle(arguments, binaries, contenders)
        document, table = {"about": about, "idle": idle}, report.idle_markdown(idle)
    else:
        runs = run_load(arguments, binaries, contenders)
        summary = report.summarize(runs, contenders)
        document = {"about": about, "runs": runs, "summary": summary}
        table = report.markdown(summary)
        notes += [f"{entry['contender']} left {entry['starved_connections']} of the connections of "
                  f"{entry['scenario']} without any answer" for entry in summary
                  if entry["starved_connections"]]
    print(f"{about['processor']}, Linux {about['kernel']}, {about['congestion_control']}, "
          f"messages of {arguments.size} B, medians of {arguments.rounds} rounds"
          + ("" if arguments.idle else f" of {arguments.seconds:g} s") + ", interleaved\n")
    print(table)
    for note in notes:
        print(f"\nNote: {note}.")
    if arguments.json:
        arguments.json.write_text(json.dumps({**document, "notes": notes}, indent=1) + "\n")
        print(f"\nJSON: {arguments.json}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
