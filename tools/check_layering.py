#!/usr/bin/env python3
"""The arrows between the rooms: core < sched < executors < net.

usage: check_layering.py BUILD_DIR

Reads every include of the rooms, and then proves with the build's own flags that the compiler
enforces the same: an include to the right must not compile, one to the left must.
"""

import json
import os
import shlex
import subprocess
import sys

import tree


def room_of_include(room, path, quoted, name):
    """The room that an include leads to; None if it is not one of Coil's headers."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if quoted and os.path.exists(os.path.join(tree.ROOT, beside)):
        return beside.split("/")[0]
    holds = (r for r in tree.ROOMS if os.path.exists(os.path.join(tree.ROOT, r, name)))
    return next(holds, None)


def include_problems(room, path):
    for line, quoted, name in tree.includes(path):
        where = f"{path}:{line}"
        target = room_of_include(room, path, quoted, name)
        if target is None:
            if name.startswith("coil/"):
                yield f"{where}: no room has {name}"
        elif target not in tree.visible_rooms(room):
            yield f"{where}: {room} includes {name} of {target}"
        elif target != room and not name.startswith("coil/"):
            yield f"{where}: {name} is {target}'s own: only {target}/coil is for other rooms"


def outward_problems(room, path):
    """Rooms use nothing of tests, bench, tools and examples."""
    for line, _, name in tree.includes(path):
        if name.split("/")[0] in ("kit", "tests", "bench", "tools", "examples"):
            yield f"{path}:{line}: {room} includes {name}"


def compile_flags(build, room):
    """The flags of one source of the room, as the build passes them."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    prefix = os.path.join(tree.ROOT, room) + os.sep
    for command in commands:
        if command["file"].startswith(prefix):
            words = shlex.split(command["command"])
            flags = words[1:words.index("-o")]
            return [flag for flag in flags if not flag.endswith(("clang++-19", "ccache"))]
    return None


def compiles(flags, header):
    run = subprocess.run(
        ["clang++-19", *flags, "-fsyntax-only", "-Wno-unused", "-x", "c++", "-"],
        input=f"#include <{header}>\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tree.ROOT,
    )
    return run.returncode == 0, run.stdout


def example_header(room):
    """A public header that only this room has."""
    headers = [path for path in tree.walk(room, {".hpp"}) if tree.is_public(path)]
    return headers[0].split("/", 1)[1] if headers else None


def proof_problems(build):
    """Tries every pair of rooms with the flags of the build."""
    tried = 0
    for room in tree.ROOMS:
        flags = compile_flags(build, room)
        for target in tree.ROOMS:
            header = example_header(target)
            if flags is None or header is None:
                continue
            tried += 1
            compiled, output = compiles(flags, header)
            allowed = target in tree.visible_rooms(room)
            if compiled and not allowed:
                yield f"{room} can include <{header}> of {target}: the include path is too wide"
            elif not compiled and allowed:
                yield f"{room} cannot include <{header}> of {target}:\n{output}"
            elif not compiled and f"'{header}' file not found" not in output:
                yield f"{room} fails on <{header}> for another reason:\n{output}"
    print(f"{tried} pairs of rooms tried with the flags of {build}")
    if tried == 0:
        yield "no pair of rooms could be tried: is the build directory configured?"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems = []
    count = 0
    for room in tree.ROOMS:
        for path in tree.walk(room, {".hpp", ".cpp"}):
            count += 1
            problems += include_problems(room, path)
            problems += outward_problems(room, path)
    problems += proof_problems(sys.argv[1])
    tree.finish(problems, f"{count} files read")


if __name__ == "__main__":
    main()
