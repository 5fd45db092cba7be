#!/usr/bin/env python3
"""Plays the Python side of a topic: play.py TOPIC [SCENARIO...]. Prints its logs as JSON."""

import dataclasses
import importlib
import importlib.util
import json
import sys

import scenario

NO_TRIO = 77


def played(run, version, item):
    if item.departs or version < item.since:
        return item.expected.splitlines()
    try:
        run(item.function)
    except BaseException as error:  # SystemExit and KeyboardInterrupt are results too
        scenario.log("the scenario raised", error)
    lines = scenario.take_log()
    if item.expected and lines != item.expected.splitlines():
        raise SystemExit(f"{item.name}: this Python logs {lines}, its `expected` says otherwise")
    return lines


def play(name, wanted):
    topic = importlib.import_module(name)
    uses_trio = hasattr(topic, "trio")
    run = importlib.import_module("on_trio" if uses_trio else "on_asyncio").run_scenario
    version = sys.version_info[:2]
    if uses_trio:
        version = tuple(map(int, topic.trio.__version__.split(".")[:2]))
    result = {}
    for item in scenario.REGISTERED.values():
        if wanted and item.name not in wanted:
            continue
        lines = played(run, version, item)
        for seed in range(1, 6) if uses_trio else ():
            other = played(lambda function, seed=seed: run(function, seed), version, item)
            if sorted(other) != sorted(lines) or (other != lines and not item.any_order):
                raise SystemExit(f"{item.name}: Trio itself logs now {lines}, now {other}")
        fields = dataclasses.asdict(dataclasses.replace(item, function=None))
        result[item.name] = {**fields, "log": lines, "library": "trio" if uses_trio else "asyncio"}
    return result


def main():
    name, *wanted = sys.argv[1:]
    try:
        result = play(name, wanted)
    except ModuleNotFoundError as error:
        if error.name != "trio":
            raise
        raise SystemExit(NO_TRIO) from None
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
