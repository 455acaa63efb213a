"""The floors of the house: nothing imports upward, as modules are loaded."""

import ast
from pathlib import Path

import pytest

import recirc_hw

ROOT = Path(recirc_hw.__file__).parent

# From the top down; those of one floor do not import one another.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"demo"},
    {"reproduce"},
    {"reports"},
    {"studies"},
    {"design_file", "terminal", "calibration"},
    {"designs"},
    {"chips", "exports"},
    {"sections"},
    {"training"},
    {"backends"},
    {"substrates", "rules"},
    {"networks"},
    {"ledger"},
    {"programs"},
    {"trajectory", "spike_record"},
    {"tasks", "theory"},
    {"random_streams", "metrics", "fields", "text_tables", "whole_files", "growing"},
    {"errors"},
]
LEVEL = {part: -floor for floor, parts in enumerate(FLOORS) for part in parts}
# The ground: used from every floor, and knowing none of them.
GROUND = {
    "tasks", "metrics", "errors", "random_streams", "fields", "text_tables", "whole_files",
    "growing",
}  # fmt: skip


def part_of(path):
    """Return the name below recirc_hw that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Return the parts of recirc_hw that a file imports while it is loaded."""
    found, nodes = set(), list(ast.parse(path.read_text(encoding="utf-8")).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module or ''}.{a.name}" for a in node.names}
        nodes += list(ast.iter_child_nodes(node))
    return {name.split(".")[1] for name in found if name.startswith("recirc_hw.")}, found


FILES = sorted(ROOT.rglob("*.py"))
IDS = [str(path.relative_to(ROOT)) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_nothing_imports_upward(path):
    part = part_of(path)
    if part == "__init__":
        return  # the flat public API gathers from everywhere
    assert part in LEVEL, f"{part} has no floor: give it one"
    for other in imports(path)[0] - {part}:
        assert LEVEL[other] < LEVEL[part], f"{part} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_are_spelled_in_full(path):
    names = imports(path)[1]
    assert not any(name.startswith(".") for name in names)
    if part_of(path) != "__init__":
        assert "recirc_hw" not in names


def test_the_ground_knows_nothing_above_it():
    for path in FILES:
        if part_of(path) in GROUND:
            assert imports(path)[0] <= GROUND, path


def test_theory_knows_nothing_but_errors():
    for path in (ROOT / "theory").glob("*.py"):
        assert imports(path)[0] <= {"theory", "errors"}


def test_nothing_imports_tests_or_benchmarks():
    for path in FILES:
        names = imports(path)[1]
        assert not any(name.split(".")[0] in ("tests", "benchmarks") for name in names)


def test_the_compiled_core_has_one_door():
    for path in FILES:
        names = imports(path)[1]
        if path not in (
            ROOT / "backends" / name
            for name in (
                "native.py",
                "native_fixed.py",
                "native_analog.py",
                "native_spiking.py",
                "packing.py",
            )
        ):
            assert not any("_native" in name for name in names), path
    doors = [path.name for path in ROOT.rglob("*.pyx")]
    assert doors == ["_native.pyx"]


def test_backends_know_neither_rules_nor_networks():
    for path in (ROOT / "backends").glob("*.py"):
        assert imports(path)[0] <= {
            "backends", "programs", "errors", "random_streams", "trajectory",
            "spike_record", "growing", "whole_files",
        }  # fmt: skip


def test_rules_know_no_backend_and_no_network():
    for path in (ROOT / "rules").glob("*.py"):
        assert imports(path)[0] <= {"rules", "programs", "errors", "fields"}


def test_every_public_name_is_there():
    assert len(set(recirc_hw.__all__)) == len(recirc_hw.__all__)
    for name in recirc_hw.__all__:
        assert hasattr(recirc_hw, name)
