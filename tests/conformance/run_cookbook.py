#!/usr/bin/env python3
"""Runs each program of examples/cookbook in Python and in C++ and compares what they print.

usage: run_cookbook.py FOLDER_OF_THE_BUILT_PROGRAMS [PROGRAM...]

Both run under a virtual clock, the C++ on one loop: what they print may depend on who is first.
"""

import difflib
import glob
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import run  # noqa: E402 (its folder stays clean)

COOKBOOK = os.path.join(os.path.dirname(os.path.dirname(run.HERE)), "examples", "cookbook")

# What python3 is started with: the program as it is, with clocks that jump.
UNDER_VIRTUAL_CLOCK = """
import asyncio, runpy, sys
sys.path.insert(0, sys.argv[1])
import on_asyncio
asyncio.set_event_loop_policy(on_asyncio.VirtualClockPolicy())
if "import trio" in open(sys.argv[2]).read():
    import functools, trio, trio.testing
    trio.run = functools.partial(trio.run, clock=trio.testing.MockClock(autojump_threshold=0))
runpy.run_path(sys.argv[2], run_name="__main__")
"""


def printed(command, **environment):
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment})
    return done.stdout + done.stderr + f"status {done.returncode}\n" * (done.returncode != 0)


def differences(folder, name):
    source = os.path.join(COOKBOOK, f"{name}.py")
    python = printed([run.find_python(), "-c", UNDER_VIRTUAL_CLOCK, run.HERE, source])
    if "No module named 'trio'" in python:
        print(f"skipped: {name} needs Trio, and {run.find_python()} has none (python3-trio)")
        return []
    cpp = printed([os.path.join(folder, name)], COIL_BACKEND="sim", COIL_LOOPS="1")
    return list(difflib.unified_diff(python.splitlines(), cpp.splitlines(), f"{name}.py",
                                     f"{name}.cpp", lineterm="", n=100))


def main():
    folder, *names = sys.argv[1:]
    stems = {os.path.splitext(os.path.basename(path))[0]
             for path in glob.glob(os.path.join(COOKBOOK, "*.*"))}
    stems -= {"README", "CMakeLists"}
    failed = 0
    for name in sorted(names or stems):
        found = differences(folder, name)
        print("\n".join(found) if found else f"same: {name}")
        failed += bool(found)
    print(f"{len(names or stems)} programs, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
