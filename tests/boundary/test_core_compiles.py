"""The C sources: no warnings, nothing but arithmetic, and clean under the sanitizers."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "csrc").glob("*.c"))
TEXTS = [*SOURCES, *sorted((ROOT / "csrc").glob("*.inc")), *sorted((ROOT / "csrc").glob("*.h"))]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-Wvla"]

pytestmark = pytest.mark.skipif(not COMPILERS, reason="needs gcc or clang")


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_source_compiles_without_a_warning(source, compiler):
    done = subprocess.run(
        [compiler, "-std=c11", "-O1", "-ffp-contract=off", *WARNINGS, "-c", str(source)]
        + ["-o", os.devnull],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def code(path):
    """Return a source without its comments."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_the_core_does_not_allocate_print_or_keep_anything(path):
    text = code(path)
    assert not re.search(r"\b(malloc|calloc|realloc|free|printf|fopen|exit|abort|rand)\b", text)
    for line in text.splitlines():
        # A static object, not a function: "static int x = 0;" or "static double t[8];".
        assert not re.match(r"\s*static\s+(?!.*\().*[;=]", line), line


def test_the_build_never_trades_exactness_for_speed():
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert "-ffp-contract=off" in setup
    for flag in ("-ffast-math", "-Ofast", "-funsafe-math", "-march=native"):
        assert flag not in setup


def library(name):
    """Return the path of one of gcc's run-time libraries, or None."""
    if "gcc" not in COMPILERS:
        return None
    found = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return found if os.path.isabs(found) else None


SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
BUILD = ["-std=c11", "-O1", "-g1", "-fPIC", "-ffp-contract=off", "-fno-trapping-math"]
# Without -s, pytest would swallow the report of a sanitizer that ends the process.
SCRIPT = """
import sys, recirc_hw, pytest
from recirc_hw.backends import _native
assert _native.__file__.startswith({folder!r}), _native.__file__
sys.exit(pytest.main([*{tests!r}, "-q", "-s", "-p", "no:cacheprovider", "-m", "not slow",
                      "-k", {chosen!r}]))
"""
# Numba's compiled code is not under the sanitizers, and compiling it there takes minutes.
CHOSEN = (
    "test_native_door or test_spiking_door or test_analog_door or test_responses or "
    "(test_analog_backends_agree and (side_by_side or whichever or instruction_sets)) or "
    "(test_fixed_backends_agree and not numba) or "
    "(test_spiking_backends_agree and (company or two_calls)) or "
    "(test_backends_agree and (not one_update or RWCC or ARBP))"
)


def build_with_sanitizers(folder):
    """Build the core into a copy of the package in `folder`, with the sanitizers in it."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "*.c")
    shutil.copytree(ROOT / "recirc_hw", folder / "recirc_hw", ignore=ignored)
    door = folder / "_native.c"
    pyx = ROOT / "recirc_hw" / "backends" / "_native.pyx"
    subprocess.run([sys.executable, "-m", "cython", "-3", pyx, "-o", door], check=True)
    include = [f"-I{ROOT / 'csrc'}", f"-I{sysconfig.get_path('include')}"]

    def compiled(source):
        made = folder / f"{source.stem}.o"
        command = ["gcc", *BUILD, *SANITIZERS, *include, "-c", source, "-o", made]
        subprocess.run(command, check=True, capture_output=True)
        return made

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        objects = list(pool.map(compiled, [door, *SOURCES]))
    library = folder / "recirc_hw" / "backends" / "_native.so"
    subprocess.run(["gcc", "-shared", *SANITIZERS, *objects, "-o", library], check=True)


def under_sanitizers(folder, chosen):
    """Run the chosen tests with the package in `folder`; return the finished process."""
    environment = {
        **os.environ,
        "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(folder),
    }
    tests = [str(ROOT / "tests" / name) for name in ("boundary", "conformance")]
    script = SCRIPT.format(folder=str(folder), tests=tests, chosen=chosen)
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(library("libasan.so") is None, reason="needs gcc's libasan")
def test_the_core_is_clean_under_the_address_and_undefined_sanitizers(tmp_path):
    build_with_sanitizers(tmp_path)
    done = under_sanitizers(tmp_path, CHOSEN)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    assert "ERROR: AddressSanitizer" not in done.stderr
