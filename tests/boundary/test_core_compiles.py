"""The C sources: no warnings, nothing but arithmetic, and clean under the sanitizers."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "csrc").glob("*.c"))
TEXTS = [*SOURCES, *sorted((ROOT / "csrc").glob("*.inc")), *sorted((ROOT / "csrc").glob("*.h"))]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-Wvla"]

pytestmark = pytest.mark.skipif(not COMPILERS, reason="needs gcc or clang")


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


SCRIPT = """
import sys, recirc_hw, pytest
from recirc_hw.backends import _native
assert _native.__file__.startswith({folder!r}), _native.__file__
sys.exit(pytest.main([*{tests!r}, "-q", "-p", "no:cacheprovider", "-m", "not slow",
                      "-k", {chosen!r}]))
"""
CHOSEN = (
    "test_native_door or test_responses or (test_backends_agree and "
    "(one_update and (RWCC or ARBP) or split or company or beside or stopped))"
)


@pytest.mark.slow
@pytest.mark.skipif(library("libasan.so") is None, reason="needs gcc's libasan")
@pytest.mark.skipif(find_spec("Cython") is None, reason="builds the core: needs Cython here")
def test_the_core_is_clean_under_the_address_and_undefined_sanitizers(tmp_path):
    sanitize = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -g"
    environment = {**os.environ, "CFLAGS": sanitize, "LDFLAGS": sanitize}
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--force"]
        + ["--build-lib", str(tmp_path), "--build-temp", str(tmp_path / "objects")],
        cwd=ROOT, env=environment, check=True, capture_output=True,
    )  # fmt: skip
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "*.c")
    shutil.copytree(
        ROOT / "recirc_hw", tmp_path / "recirc_hw", ignore=ignored, dirs_exist_ok=True
    )
    environment = {
        **os.environ,
        "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(tmp_path),
    }
    tests = [str(ROOT / "tests" / name) for name in ("boundary", "conformance")]
    script = SCRIPT.format(folder=str(tmp_path), tests=tests, chosen=CHOSEN)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "ERROR: AddressSanitizer" not in done.stderr
