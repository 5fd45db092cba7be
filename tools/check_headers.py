#!/usr/bin/env python3
"""Each header compiles alone, with the include path of its room and nothing more; a public one
includes only Coil, the C++ library and the system; <coil/coil.hpp> stays small.
"""

import concurrent.futures
import os
import re
import subprocess

import tree

COMPILER = os.environ.get("CXX", "clang++-19")
FLAGS = ["-std=c++20", "-pthread", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", "c++", "-"]
COIL_LINES_MAX = 71_000

# Not in <coil/coil.hpp>, for programs that use the other library anyhow: the one that it may include.
BRIDGES = {"executors/coil/cereal.hpp": "cereal/"}

# They cost every user compile time, or bring machinery that Coil does without.
FORBIDDEN = {"iostream", "functional", "regex", "future"}

# A header without a dot is the C++ library's; these are the system's. The rest is third-party.
SYSTEM = re.compile(
    r"^(sys|linux|netinet|arpa|net|asm|bits)/|"
    r"^(unistd|errno|signal|fcntl|pthread|sched|time|poll|dlfcn|limits|netdb|spawn|stdint|stddef)"
    r"\.h$"
)


def compile_text(text, rooms, *options):
    return subprocess.run(
        [COMPILER, *options, *tree.include_flags(rooms), *FLAGS],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tree.ROOT,
    )


def alone_problem(path):
    room, name = path.split("/", 1)
    run = compile_text(f"#include <{name}>\n", tree.visible_rooms(room), "-fsyntax-only")
    if run.returncode:
        return f"{path}: does not compile alone:\n{run.stderr.rstrip()}"
    return None


def include_problems(path):
    for line, quoted, name in tree.includes(path):
        where = f"{path}:{line}"
        if name in FORBIDDEN:
            yield f"{where}: <{name}> is not allowed in a public header"
        elif name.startswith(("coil/", BRIDGES.get(path, "coil/"))):
            continue
        elif quoted:
            yield f'{where}: "{name}": a public header includes only <coil/...> and the library'
        elif ("." in name or "/" in name) and not SYSTEM.match(name):
            yield f"{where}: <{name}> is a third-party header"


def clash_problems(public):
    """Installed, the rooms' trees merge, so no two may hold the same path."""
    owners = {}
    for path in public:
        room, name = path.split("/", 1)
        if name in owners:
            yield f"{path}: {owners[name]} has a header of the same name, and they install as one"
        owners.setdefault(name, room)


def size_problems():
    """Lines of <coil/coil.hpp> as the compiler sees them, line markers and all."""
    run = compile_text("#include <coil/coil.hpp>\n", tree.ROOMS, "-E")
    if run.returncode:
        yield f"<coil/coil.hpp> does not preprocess:\n{run.stderr.rstrip()}"
        return
    lines = run.stdout.count("\n")
    print(f"<coil/coil.hpp>: {lines} preprocessed lines, at most {COIL_LINES_MAX}")
    if lines > COIL_LINES_MAX:
        yield f"<coil/coil.hpp>: {lines} preprocessed lines, at most {COIL_LINES_MAX}"


def main():
    headers = [path for room in tree.ROOMS for path in tree.walk(room, {".hpp"})]
    public = [path for path in headers if tree.is_public(path)]
    problems = [problem for path in public for problem in include_problems(path)]
    problems += clash_problems(public)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems += [problem for problem in pool.map(alone_problem, headers) if problem]
    problems += size_problems()
    tree.finish(problems, f"{len(headers)} headers compiled alone, {len(public)} of them public")


if __name__ == "__main__":
    main()
