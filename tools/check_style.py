#!/usr/bin/env python3
"""Sizes and words: what clang-format and clang-tidy do not look at.

No file above 500 lines, a purpose at the top of each source file, and nothing in the tree that
belongs to one person's machine. (Columns are clang-format's business.)
"""

import os
import re
import statistics

import tree

LINES_MAX = 500
SOURCE = (".cpp", ".hpp", ".py", ".sh", ".cmake")
CODE = (".cpp", ".hpp")

# Matched per line. (?<![\w.-]) keeps out relative paths that end in such a name.
FORBIDDEN = (
    (re.compile(r"(?<![\w.-])/(?:work|root|home)/\w"), "a path of somebody's machine"),
    (re.compile(r"(?<![\w.-])/tmp/(?![\w.-]*XXXXXX)[\w.-]+"), "a fixed name in the temporary folder"),
    (re.compile(r"\bissue(?:s)? #?\d+", re.IGNORECASE), "an issue number"),
    (re.compile(r"[ \t]+$"), "trailing space"),
    (re.compile(r"^(?:<{7}|>{7}) "), "a merge conflict"),
)


def has_purpose(path, lines):
    """Whether a file starts with a comment; a .cpp may leave that to the header of its name."""
    first = next((line for line in lines if line.strip()), "")
    stem = os.path.splitext(os.path.basename(path))[0]
    own_header = any(name.endswith(f"{stem}.hpp") for _, _, name in tree.includes(path))
    return first.startswith("//") or (path.endswith(".cpp") and own_header)


def line_problems(path, lines):
    for number, line in enumerate(lines, 1):
        for pattern, what in FORBIDDEN:
            if pattern.search(line):
                yield f"{path}:{number}: {what}: {line.strip()[:90]}"


def file_problems(path):
    text = tree.read(path)
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"
    count = text.count("\n")
    if path.endswith(SOURCE) and count > LINES_MAX:
        yield f"{path}: {count} lines, at most {LINES_MAX}: split it"
    if path.endswith(CODE):
        if not has_purpose(path, lines):
            yield f"{path}:1: no comment at the top that says what the file is for"
        if path.endswith(".hpp") and "#pragma once" not in text:
            yield f"{path}: no #pragma once"
    yield from line_problems(path, lines)


def main():
    files = tree.text_files()
    problems = [problem for path in files for problem in file_problems(path)]
    sizes = [tree.read(path).count("\n") for path in files if path.endswith(CODE)]
    median = statistics.median(sizes) if sizes else 0
    above = sum(size > 300 for size in sizes)
    tree.finish(
        problems,
        f"{len(files)} files; C++: {len(sizes)} files, {sum(sizes)} lines, median {median:.0f}, "
        f"{above} above 300",
    )


if __name__ == "__main__":
    main()
