#!/usr/bin/env python3
"""Checks that a program does not compile, and for the reason that it names.

usage: compile_fail.py FILE -- COMPILER FLAGS...

FILE's first line is `// expect: REGEX`; the compiler must fail and say something that matches.
With -DCOIL_FIXED the same file must compile, so that no file fails for a reason beside the point.
"""

import re
import subprocess
import sys


def compile_program(command, source, *extra):
    run = subprocess.run(
        [*command, *extra, "-fsyntax-only", "-fno-color-diagnostics", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.returncode == 0, run.stdout


def check(source, command):
    """Returns what is wrong, or None."""
    with open(source, encoding="utf-8") as file:
        expected = re.match(r"// expect: (.+)", file.readline().rstrip())
    if not expected:
        return "the first line must be `// expect: REGEX`"

    compiled, output = compile_program(command, source, "-DCOIL_FIXED")
    if not compiled:
        return f"with -DCOIL_FIXED it should compile, but:\n{output}"

    compiled, output = compile_program(command, source)
    if compiled:
        return "it compiled, and should not"
    if not re.search(expected[1], output):
        return f"it failed, but no message matches /{expected[1]}/:\n{output}"
    return None


def main():
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit(__doc__)
    problem = check(sys.argv[1], sys.argv[3:])
    if problem:
        sys.exit(f"{sys.argv[1]}: {problem}")


if __name__ == "__main__":
    main()
