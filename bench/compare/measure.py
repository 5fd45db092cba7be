"""Running the programs: a fresh process a run, pinned, in rotating order, every answer checked."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

TIMEOUT_S = 300
HERE = pathlib.Path(__file__).resolve().parent


class WrongAnswer(Exception):
    """A program crashed, hung or computed something else; what it measured means nothing."""


@dataclasses.dataclass(frozen=True)
class Job:
    workload: object
    case: str
    threads: int
    contender: str
    program: object
    size: int
    folders: tuple = ()  # where a driver looks for the contender's program

    def command(self):
        options = ["--threads", str(self.threads), "--size", str(self.size)]
        options += ["--case", self.case] if self.case else []
        if not self.workload.driver:
            return [*pinned(self.threads), str(self.program), *options]
        return [sys.executable, str(HERE / self.workload.driver), "--contender", self.contender,
                *(word for folder in self.folders for word in ("--bin-dir", str(folder))), *options]

    def label(self):
        name = f"{self.workload.name}:{self.case}" if self.case else self.workload.name
        return f"{name} {self.contender}, {self.threads} thread{'s' * (self.threads > 1)}"


def pinned(threads):
    """A command prefix: the first `threads` of the cores we may use, the same for everybody."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return ["taskset", "-c", ",".join(map(str, cores))]


def run(job):
    """One run: the program's line, checked, as a dictionary."""
    try:
        done = subprocess.run(job.command(), capture_output=True, text=True,
                              timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise WrongAnswer(f"{job.label()}: no answer within {TIMEOUT_S} s") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or len(lines) != 1:
        raise WrongAnswer(f"{job.label()}: exit code {done.returncode}: "
                          f"{(done.stdout + done.stderr).strip()[-500:]}")
    answer = json.loads(lines[0])
    expected = {"workload": job.workload.name, "contender": job.contender, "check": "ok",
                "threads": job.threads}
    for key, value in expected.items():
        if answer.get(key) != value:
            raise WrongAnswer(f"{job.label()}: {key} is {answer.get(key)!r}, not {value!r}")
    if answer["ops"] <= 0 or answer["wall_s"] <= 0:
        raise WrongAnswer(f"{job.label()}: nothing was measured: {answer}")
    answer["case"] = job.case
    answer["value"] = answer[job.workload.measure] / answer["ops"] * job.workload.scale
    return answer


def rotated(jobs, round_number):
    shift = round_number % len(jobs) if jobs else 0
    return jobs[shift:] + jobs[:shift]


def run_rounds(groups, rounds, probe):
    """`groups`: lists of jobs that are compared with each other. Interleaves them within a group,
    each round in another order; probe() is called before each group's round."""
    runs = []
    for number in range(rounds):
        for jobs in groups:
            probe()
            for job in rotated(jobs, number):
                answer = run(job)
                runs.append({"round": number, **answer})
                print(f"  round {number + 1}  {job.label():<38} {answer['value']:>12,.2f} "
                      f"{job.workload.unit}", file=sys.stderr, flush=True)
    return runs
