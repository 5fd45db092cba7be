#!/usr/bin/env python3
"""The whole programs in the documentation compile and link.

usage: check_readme.py BUILD_DIR

A program is a ```cpp block with an `int main`; fragments are left alone.
"""

import os
import re
import subprocess
import sys
import tempfile

import tree

BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMPILER = os.environ.get("CXX", "clang++-19")


def documents():
    found = [name for name in os.listdir(tree.ROOT) if name.endswith(".md")]
    for folder in tree.FOLDERS:
        found += tree.walk(folder, {".md"})
    return sorted(found)


def programs(path):
    """(line, text) of each whole program of a document."""
    text = tree.read(path)
    for match in BLOCK.finditer(text):
        if re.search(r"\bint main\(", match[1]):
            yield text.count("\n", 0, match.start(1)) + 1, match[1]


def build_problem(text, build, folder):
    source = os.path.join(folder, "program.cpp")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    run = subprocess.run(
        [COMPILER, "-std=c++20", "-pthread", "-Wall", "-Wextra", "-Werror", source,
         *tree.include_flags(tree.ROOMS), "-o", os.path.join(folder, "program"),
         "-fuse-ld=lld", f"-L{build}", "-lcoil", "-luring", "-lhwloc", "-ltbb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.stdout if run.returncode else None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems = []
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in documents():
            for line, text in programs(path):
                count += 1
                output = build_problem(text, sys.argv[1], folder)
                if output is not None:
                    problems.append(f"{path}:{line}: does not build:\n{output}")
    if not any(programs("README.md")) if os.path.exists(os.path.join(tree.ROOT, "README.md")) else True:
        problems.append("README.md: it shows no whole program (a ```cpp block with an int main)")
    tree.finish(problems, f"{count} programs built")


if __name__ == "__main__":
    main()
