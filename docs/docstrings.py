"""Our docstrings as reStructuredText: equations kept, names in backticks as code."""

import re

HEAD = re.compile(r"^(Parameters|Returns|Raises|Yields|Notes|Examples)$")
MARKS = re.compile(r"(`[^`\n]+`)|([*|])|(\w_)(?=\W|$)")


def as_restructured(app, what, name, obj, options, lines):
    """Change a docstring's lines in place; see the module."""
    head = next(
        (
            i
            for i, line in enumerate(lines[:-1])
            if HEAD.match(line) and lines[i + 1][:3] == "---"
        ),
        len(lines),
    )
    lines[:] = [*_with_equations(lines[:head]), *map(_plain, lines[head:])]
    if what == "property":
        app.env.temp_data.setdefault("properties", {})[name] = list(lines)


def properties_restored(app, what, name, obj, options, lines):
    """Undo what napoleon does to a property: "the margin: how far" is no type."""
    lines[:] = app.env.temp_data.get("properties", {}).get(name, lines)


def skipped(app, what, name, obj, skip, options):
    """Leave out what pydantic adds to a class of fields; else let autodoc decide."""
    return True if name.startswith("model_") else None


def _with_equations(lines):
    """Return text whose indented blocks are literal, so that equations keep their lines."""
    found, literal = [], False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not literal and (not found or not found[-1]):
            found += ["::", ""]
            literal = True
        elif line and not indented:
            literal = False
        found.append(line if literal else _plain(line))
    return found


def _plain(line):
    """Return a line whose code is marked as such, and in which nothing else is markup."""
    return MARKS.sub(_escaped, line)


def _escaped(match):
    code, mark, word = match.groups()
    if code:
        return f"`{code}`"
    return f"\\{mark}" if mark else f"{word[:-1]}\\_"
