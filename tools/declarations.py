"""What a public header declares: a reader of declarations, not of C++.

It knows namespaces, classes, access, templates and bodies, which is enough to list names; what
stands in a namespace `detail`, or below a comment "For Coil's own use", is nobody's promise.
"""

import re

import tree

OWN_USE = re.compile(
    r"^[ \t]*// For (?:Coil's own use|COIL_FOR_AWAIT\b).*?"
    r"(?=^\s*$|^[ \t]*(?:private|protected):|^\};)",
    re.MULTILINE | re.DOTALL,
)
COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""", re.DOTALL
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(COIL_(?!DETAIL_)\w+)", re.MULTILINE)
ATTRIBUTE = re.compile(r"\[\[.*?\]\]", re.DOTALL)
NO_NAME = {"requires", "decltype", "noexcept", "explicit", "alignas", "static_assert", "sizeof"}
SKIPPED = re.compile(r"^\s*(?:friend|static_assert|extern|typedef)\b|\boperator\b|~")


def closing(text, start, pair):
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] == pair[0]:
            depth += 1
        elif text[at] == pair[1]:
            depth -= 1
            if depth == 0:
                return at
    return len(text) - 1


def without_templates(text):
    """Takes `template <...>` and `requires(...)` off a declaration."""
    while match := re.search(r"\btemplate\s*<", text):
        text = text[: match.start()] + text[closing(text, match.end() - 1, "<>") + 1 :]
    while match := re.search(r"\brequires\s*\(", text):
        text = text[: match.start()] + text[closing(text, match.end() - 1, "()") + 1 :]
    return text


def statements(text):
    """(head, body or None) of each declaration at the outermost level of `text`."""
    start = at = 0
    while at < len(text):
        char = text[at]
        if char == "(":
            at = closing(text, at, "()")
        elif char == ";":
            yield text[start:at], None
            start = at + 1
        elif char == "{":
            end = closing(text, at, "{}")
            head = text[start:at]
            goes_on = re.match(r"\s*[,{;]", text[end + 1 :])
            kind = re.search(r"\b(?:class|struct|enum|namespace)\b", without_templates(head))
            if kind or not goes_on:
                yield head, text[at + 1 : end]
                start = end + 1
            at = end
        at += 1


def function_name(head):
    """The name of a function that is declared here; "" if it is defined here for elsewhere."""
    for match in re.finditer(r"([A-Za-z_]\w*)\s*\(", head):
        if match[1] not in NO_NAME:
            return "" if head[: match.start()].rstrip().endswith("::") else match[1]
    return None


def public_parts(body, is_public):
    """The text of a class body that is public."""
    kept, start = [], 0
    for match in re.finditer(r"\b(public|protected|private)\s*:(?!:)", body):
        if body.count("{", 0, match.start()) != body.count("}", 0, match.start()):
            continue  # of a class inside
        if is_public:
            kept.append(body[start : match.start()])
        start, is_public = match.end(), match[1] == "public"
    if is_public:
        kept.append(body[start:])
    return "\n".join(kept)


def class_names(head, body):
    match = re.search(r"\b(class|struct)\s+(\w+)\s*(?:final\b)?\s*(?::[^:]|$)", head.strip())
    if not match or body is None:
        return
    yield match[2]
    for name in names(public_parts(body, match[1] == "struct"), in_class=match[2]):
        yield name if "::" in name else f"{match[2]}::{name}"


def names(text, in_class=None):
    """The names that `text`, the inside of a namespace or class, declares."""
    for head, body in statements(text):
        head = re.sub(r"\b(?:public|private|protected)\s*:(?!:)", "", head)
        head = without_templates(head).strip()
        if match := re.match(r"using\s+(\w+)\s*=|concept\s+(\w+)", head):
            if in_class is None:
                yield match[1] or match[2]
        elif not head or SKIPPED.search(head) or re.match(r"using\b", head):
            continue
        elif match := re.search(r"\bnamespace\s*([\w:]*)$", head):
            if match[1] == "coil":
                yield from names(body)
        elif match := re.match(r"enum\s+class\s+(\w+)", head):
            yield match[1]
        elif re.match(r"(?:class|struct)\b", head):
            yield from class_names(head, body)
        elif (name := function_name(head.split("{")[0].split("= ")[0])) is not None:
            if name and name != in_class:
                yield name
        elif match := re.match(r".*?\s(\w+)\s*(?:[={].*)?$", head, re.DOTALL):
            yield match[1]


def plain(path):
    """The text of a header without comments, literals, directives and attributes."""
    text = OWN_USE.sub("\n", tree.read(path))
    text = COMMENT_OR_LITERAL.sub(lambda match: '""' if match[0][0] == '"' else " ", text)
    return ATTRIBUTE.sub(" ", DIRECTIVE.sub(" ", text))


def declared(path):
    """The public names of a header: classes, functions, members as Class::member, macros."""
    return set(MACRO.findall(tree.read(path))) | set(names(plain(path)))


def detail_bases(path):
    """(class, base) of each public base out of coil::detail."""
    head = re.compile(r"^class\s+(\w+)\b[^;{()]*:[^;{()]*\bpublic\s+detail::(\w+)", re.MULTILINE)
    return head.findall(plain(path))


def detail_members(path):
    """{class: public members} of what a header declares in coil::detail."""
    text = re.sub(r"\bnamespace\s+(?:coil::)?detail\b", "namespace coil", plain(path))
    found = {}
    for name in names(text):
        scope, _, member = name.rpartition("::")
        if scope:
            found.setdefault(scope, set()).add(member)
    return found
