#!/usr/bin/env python3
"""Every public name has a test: tests/promises.md against the headers and the tests.

usage: check_tested_names.py [--uses NAME...]

It refuses a public name of `core`, `sched`, `executors` and subprocesses that is in no row, a row without a test,
a test that does not exist, a name that none of the row's tests' files mentions, a name of "Not
there yet" that is there, and a link to a test in docs/ that leads nowhere. --uses says in which
tests' files a name occurs.
"""

import functools
import os
import re
import sys

import declarations
import tree

LIST = "tests/promises.md"
PENDING = "## Not there yet"
ROOMS = ("core", "sched", "executors")
MORE_HEADERS = ("net/coil/subprocess.hpp",)
TEST = re.compile(r"^(?:TYPED_|COIL_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)", re.MULTILINE)
SCENARIO = re.compile(r"^(?:SCENARIO|PROGRAM)\(\s*(\w+)\s*\)", re.MULTILINE)
LINK = re.compile(r"\[(\w+): (\w+)\]\(\.\./(tests/[\w/]+\.cpp)\)")
TOKEN = re.compile(r"`([^`]+)`")


def declared_names():
    """{name: header} of what the public headers declare, inherited members once for each base."""
    inherited = {}
    for path in headers():
        inherited |= declarations.detail_members(path)
    found, told = {}, set()
    for path in headers():
        if "/detail/" in path:
            continue
        for name in declarations.declared(path):
            found.setdefault(name, path)
        for name, base in declarations.detail_bases(path):
            if base not in told:
                found |= {f"{name}::{member}": path for member in inherited.get(base, ())}
            told.add(base)
    return found


def defined_tests():
    """{"suite.name": the files that define it}."""
    found = {}
    for path in tree.walk("tests", {".cpp"}):
        text = tree.read(path)
        ids = [".".join(match) for match in TEST.findall(text)]
        topic = os.path.splitext(os.path.basename(path))[0]
        ids += [f"{topic}.{name}" for name in SCENARIO.findall(text)]
        for test in ids:
            found.setdefault(test, []).append(path)
    return found


def names_in(text):
    """The names of a cell; ::member belongs to the class named before."""
    names = []
    for token in TOKEN.findall(text):
        if token.startswith("::"):
            token = names[-1].split("::")[0] + token
        names.append(token)
    return names


def rows(text):
    """(line, names, tests) of each row of the tables."""
    for number, line in enumerate(text.split("\n"), 1):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            yield number, names_in(cells[0]), TOKEN.findall(cells[2])
        elif line.startswith("| `"):
            sys.exit(f"{LIST}:{number}: a row has three cells")


@functools.cache
def mentions(path, name):
    """Whether a file uses the name: a member behind `.`, `->` or `::`."""
    scope, _, member = name.rpartition("::")
    before = r"(?:\.|->|::)" if scope else r"\b"
    return re.search(rf"{before}{member}\b", tree.read(path)) is not None


@functools.cache
def headers():
    paths = [path for room in ROOMS for path in tree.walk(f"{room}/coil", {".hpp"})]
    return [*paths, *MORE_HEADERS]


def is_in_headers(name):
    word = re.compile(rf"\b{name.split('::')[-1]}\b")
    return any(word.search(tree.read(path)) for path in headers())


def row_problems(where, names, tests, defined):
    if not tests:
        yield f"{where}: no test for {', '.join(names)}"
    files = []
    for test in tests:
        if test not in defined:
            yield f"{where}: there is no test {test}"
        files += defined.get(test, [])
    for name in names:
        if not is_in_headers(name):
            yield f"{where}: no header of {', '.join(ROOMS)} has {name}"
        if files and not any(mentions(path, name) for path in files):
            yield f"{where}: {name} does not occur in {', '.join(sorted(set(files)))}"


def problems_of(listed, pending, declared, defined):
    covered = set()
    for number, names, tests in listed:
        covered.update(names)
        yield from row_problems(f"{LIST}:{number}", names, tests, defined)
    for name in sorted(declared):
        if name in pending:
            yield (f"{declared[name]}: {name} is there now: move it from '{PENDING[3:]}' to a row "
                   f"of {LIST}")
        elif name not in covered:
            yield f"{declared[name]}: no test is named for {name}: give it a row in {LIST}"


def link_problems(defined):
    """[topic: name](../tests/...) in the documentation names a test of that file."""
    for document in tree.walk("docs", {".md"}):
        for topic, name, path in LINK.findall(tree.read(document)):
            if path not in defined.get(f"{topic}.{name}", ()):
                yield f"{document}: {path} has no {topic}.{name}"


def print_uses(names):
    for name in names:
        files = [path for path in tree.walk("tests", {".cpp"}) if mentions(path, name)]
        print(f"{name}: {', '.join(files) or 'nowhere'}")


def main():
    if sys.argv[1:2] == ["--uses"]:
        print_uses(sys.argv[2:])
        return
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    text, _, later = tree.read(LIST).partition(PENDING)
    listed = list(rows(text))
    declared, defined = declared_names(), defined_tests()
    problems = list(problems_of(listed, set(names_in(later)), declared, defined))
    problems += link_problems(defined)
    tests = {test for _, _, tests in listed for test in tests}
    tree.finish(problems, f"{len(declared)} names, {len(listed)} promises, {len(tests)} tests")


if __name__ == "__main__":
    main()
