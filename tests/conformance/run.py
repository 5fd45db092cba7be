#!/usr/bin/env python3
"""Plays scenarios in Python and in C++ and compares what they log.

usage: run.py PROGRAM [--rounds N] [--list] [TOPIC | TOPIC.SCENARIO]...

Each C++ side runs under the virtual clock (one round for each seed) and on the machine's own
backend: on 1 loop, those that promise the same everywhere on 2 and 8 loops too. --rounds (or
COIL_CONFORMANCE_ROUNDS, 3) says how often; below 10 the real clock has one round. A mismatch prints a diff, and how to see it again.
"""

import argparse
import concurrent.futures
import dataclasses
import difflib
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = re.compile(r"\bt(\d+)\b")
NO_TRIO = 77
SKIPPED = 77
# On the real clock: a machine too busy for short ticks gets another try with longer ones.
TICKS_US = (10_000, 50_000, 250_000)
SANITIZED = bool(os.environ.get("COIL_SANITIZED"))
HANG = "!!! it did not end"


@dataclasses.dataclass
class Play:
    """One way to run some scenarios of a topic in C++."""

    topic: str
    backend: str  # sim, or "" for what the machine has
    loops: int
    rounds: int
    names: list
    tick_us: int = TICKS_US[0]
    limit: int = 0  # seconds; 0: as long as its rounds take

    def command(self, program):
        return [program, self.topic, "--loops", str(self.loops), "--rounds", str(self.rounds),
                "--tick-us", str(self.tick_us), *self.names]

    def seconds_max(self):
        return self.limit or (20 + 3 * self.rounds) * (10 if SANITIZED else 1) * self.tick_us // TICKS_US[0]

    def where(self):
        return f"{self.backend or 'real clock'}, {self.loops} loop{'s' * (self.loops > 1)}"

    def again(self, program, name):
        only = dataclasses.replace(self, names=[name]).command(program)
        return f"COIL_BACKEND={self.backend} " * bool(self.backend) + " ".join(only)


def find_python():
    """The interpreter with Trio: Debian's own, unless somebody says otherwise."""
    chosen = os.environ.get("COIL_CONFORMANCE_PYTHON")
    if chosen:
        return chosen
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def all_topics():
    stems = (os.path.splitext(path)[0] for path in glob.glob(os.path.join(HERE, "*.py")))
    return sorted(os.path.basename(stem) for stem in stems if os.path.exists(stem + ".cpp"))


def play_python(topic, names):
    done = subprocess.run([find_python(), os.path.join(HERE, "play.py"), topic, *names], text=True,
                          capture_output=True, timeout=60, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode == NO_TRIO:
        return None
    if done.returncode != 0:
        sys.exit(f"{topic}.py failed:\n{done.stderr}")
    return json.loads(done.stdout)


def read_rounds(output):
    """name -> [log of each round]; one that did not end has no "=== end" and ends with a note."""
    logs, lines, current = {}, None, None
    for line in output.splitlines():
        if line == "=== end":
            lines = current = None
        elif line.startswith("=== "):
            current = line[4:]
            lines = []
            logs.setdefault(current, []).append(lines)
        elif lines is not None:
            lines.append(line)
    return logs, current


def play_cpp(program, play):
    """The logs of all rounds. After a crash or hang goes on with the scenarios behind it."""
    names, logs, errors = list(play.names), {}, ""
    while names:
        command = dataclasses.replace(play, names=names).command(program)
        env = {**os.environ, **({"COIL_BACKEND": play.backend} if play.backend else {})}
        env.pop("COIL_LOOPS", None)
        done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=env)
        try:
            output, error = done.communicate(timeout=play.seconds_max())
            ending = f"!!! the program ended with status {done.returncode}"
        except subprocess.TimeoutExpired:
            done.kill()
            output, error = done.communicate()
            ending = HANG
        errors += error
        found, open_name = read_rounds(output)
        for name, rounds in found.items():
            logs.setdefault(name, []).extend(rounds)
        if open_name is None:
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)}: status {done.returncode}\n{error}")
            break
        logs[open_name][-1].append(ending)
        names.remove(open_name)
    return logs, errors


def same_line(expected, line, real_clock):
    """On a real clock more ticks may have passed, never fewer."""
    if expected == line or not real_clock:
        return expected == line
    wanted, found = TICKS.findall(expected), TICKS.findall(line)
    return (TICKS.sub("t", expected) == TICKS.sub("t", line)
            and all(int(more) >= int(less) for less, more in zip(wanted, found)))


def same(scenario, log, real_clock):
    key = sorted if scenario["any_order"] else list
    expected, log = key(scenario["log"]), key(log)
    return len(expected) == len(log) and all(
        same_line(one, two, real_clock) for one, two in zip(expected, log))


def mismatches(program, play, scenarios):
    """{name: (wrong log, how many rounds, stderr)}"""
    logs, errors = play_cpp(program, play)
    wrong = {}
    for name in play.names:
        rounds = logs.get(name)
        if not rounds:
            wrong[name] = (["!!! there is no C++ scenario of this name"], 1, "")
            continue
        bad = [log for log in rounds if not same(scenarios[name], log, not play.backend)]
        if bad:
            wrong[name] = (bad[0], len(bad), errors)
    return wrong


def checked(program, play, scenarios):
    """mismatches(), where a real clock gets more time if that may be what was missing."""
    wrong = mismatches(program, play, scenarios)
    retried = {}
    if not play.backend:
        for tick_us in TICKS_US[1:]:
            again = [name for name, (log, _, _) in wrong.items()
                     if log[-1:] != [HANG] and not scenarios[name]["known_mismatch"]]
            if not again:
                break
            slower = dataclasses.replace(play, names=again, tick_us=tick_us,
                                         rounds=min(play.rounds, 20))
            found = mismatches(program, slower, scenarios)
            retried |= {name: wrong[name] for name in again if name not in found}
            wrong = {name: found.get(name, bad) for name, bad in wrong.items()
                     if name in found or name not in again}
    return play, wrong, retried


def hangs(scenario):
    return scenario["known_mismatch"].startswith("hangs")


def plays_of(topic, scenarios, rounds):
    every = [name for name in scenarios if not hangs(scenarios[name])]
    for name in scenarios:
        if hangs(scenarios[name]):
            yield Play(topic, "sim", 1, 1, [name], limit=5)
    real_rounds = rounds if rounds >= 10 else 1  # real ticks cost real time
    for loops in (1, 2, 8):
        names = [name for name in every if loops == 1 or scenarios[name]["loops"] == "any"]
        simulated = [name for name in names if not scenarios[name]["threads"]]
        if simulated:
            yield Play(topic, "sim", loops, 1 if loops == 1 else rounds, simulated)
        if names:
            yield Play(topic, "", loops, real_rounds, names)


def print_mismatch(program, play, scenario, wrong, what="MISMATCH"):
    name, (log, count, errors) = scenario["name"], wrong
    print(f"{what} {play.topic}.{name} ({play.where()}; {count} of {play.rounds} rounds)")
    key = sorted if scenario["any_order"] else list
    for line in difflib.unified_diff(key(scenario["log"]), key(log), scenario["library"], "coil",
                                     lineterm="", n=100):
        print(f"    {line}")
    if errors:
        print("    standard error of the topic: " + errors[-500:].replace("\n", "\n    "))
    print(f"    again: {play.again(program, name)}")


def check_departures(topics):
    """Whoever departs says so in README.md."""
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        text = file.read()
    for topic, scenarios in topics.items():
        for name, scenario in scenarios.items():
            if scenario["departs"] and f"`{topic}.{name}`" not in text:
                sys.exit(f"{topic}.{name} departs from {scenario['library']}: say so in README.md")


def select(arguments):
    """{topic: [scenario names] or [] for all}"""
    chosen = {}
    for argument in arguments or all_topics():
        topic, _, name = argument.partition(".")
        if topic not in all_topics():
            sys.exit(f"there is no topic '{topic}'; there are: {' '.join(all_topics())}")
        chosen.setdefault(topic, []).extend([name] if name else [])
    return chosen


def report(program, topics, results):
    """Prints what went wrong; gives how many scenarios did."""
    failed, retried, known = {}, set(), {}
    for play, wrong, slow in results:
        for name, bad in slow.items():
            retried.add(f"{play.topic}.{name} ({play.where()})")
            print_mismatch(program, play, topics[play.topic][name], bad, "WITH SHORT TICKS ONLY")
        for name, bad in wrong.items():
            scenario = topics[play.topic][name]
            if scenario["known_mismatch"]:
                known[f"{play.topic}.{name}"] = scenario["known_mismatch"]
                continue
            also = failed.setdefault(f"{play.topic}.{name}", [])
            also.append(play.where())
            if len(also) == 1:
                print_mismatch(program, play, scenario, bad)
    for name, plays in failed.items():
        print(f"failed: {name}: {'; '.join(plays)}")
    for name, why in sorted(known.items()):
        print(f"known mismatch: {name}: {why}")
    for topic, scenarios in topics.items():
        for name, scenario in scenarios.items():
            if scenario["known_mismatch"] and f"{topic}.{name}" not in known:
                print(f"known mismatch that did not show this time: {topic}.{name}")
    if retried:
        print(f"matched only with longer ticks (a busy machine, or a race): {', '.join(sorted(retried))}")
    total = sum(map(len, topics.values()))
    print(f"{total} scenarios: {total - len(failed) - len(known)} match, {len(known)} known "
          f"mismatches, {len(failed)} failed{': ' if failed else ''}{' '.join(sorted(failed))}")
    return len(failed)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("usage: ")[2])
    parser.add_argument("program")
    parser.add_argument("scenarios", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--rounds", type=int,
                        default=int(os.environ.get("COIL_CONFORMANCE_ROUNDS", "3")))
    arguments = parser.parse_intermixed_args()
    chosen, topics = select(arguments.scenarios), {}
    for topic, names in chosen.items():
        topics[topic] = play_python(topic, names)
        if topics[topic] is None:
            del topics[topic]
            print(f"skipped: {topic} needs Trio, and {find_python()} has none (python3-trio)")
    check_departures(topics)
    if arguments.list:
        for topic, scenarios in topics.items():
            for name, scenario in scenarios.items():
                print(f"{topic}.{name} ({scenario['library']}, {scenario['loops']})")
        return 0
    if not topics:
        return SKIPPED
    plays = [play for topic, scenarios in topics.items()
             for play in plays_of(topic, scenarios, arguments.rounds)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(
            lambda play: checked(arguments.program, play, topics[play.topic]), plays))
    return 1 if report(arguments.program, topics, results) else 0


if __name__ == "__main__":
    sys.exit(main())
