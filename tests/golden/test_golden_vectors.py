"""The golden vectors are what every backend, and the script that made them, still give.

And they tell a wrong implementation from a right one: each of the faults below is a
rule of docs/arithmetic.md got wrong, and some file must notice it.
"""

import json
from pathlib import Path

import pytest
from make_vectors import RECIPES, vector, walk
from stranger import Stranger

from recirc_hw.backends import native, numba_jit, reference
from recirc_hw.backends.native import ISAS
from recirc_hw.programs.tables import TableKey, digest, entries

HERE = Path(__file__).parent
GOLDEN = {
    name: json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")) for name in RECIPES
}


def tables_of(golden):
    """Return the entries of a file's tables, by their digest."""
    keys = [TableKey(**{k: v for k, v in t.items() if k != "sha256"}) for t in golden["tables"]]
    return {digest(key): entries(key).tolist() for key in keys}


TABLES = {name: tables_of(golden) for name, golden in GOLDEN.items()}


@pytest.mark.parametrize("name", RECIPES)
def test_the_script_gives_the_stored_vectors(name):
    assert json.loads(json.dumps(vector(RECIPES[name]))) == GOLDEN[name]


@pytest.mark.parametrize("name", RECIPES)
def test_every_backend_gives_the_stored_states(name):
    states = GOLDEN[name]["states"]
    assert walk(RECIPES[name], reference.train) == states
    assert walk(RECIPES[name], numba_jit.train) == states
    for isa in ISAS:
        assert walk(RECIPES[name], lambda job, isa=isa: native.train(job, isa)) == states


@pytest.mark.parametrize("name", RECIPES)
def test_a_stranger_who_reads_only_the_file_gets_its_states(name):
    assert Stranger(GOLDEN[name], TABLES[name]).agrees()


def test_the_files_are_small_and_of_every_rounding():
    assert all((HERE / f"{name}.json").stat().st_size < 12_000 for name in RECIPES)
    roundings = {m["rounding"] for golden in GOLDEN.values() for m in golden["matrices"]}
    assert roundings == {"floor", "half_up", "half_even", "stochastic", "carry"}
    forms = {t["form"] for golden in GOLDEN.values() for t in golden["tables"]}
    assert forms == {"table", "plan"}


def away_from_0(x, n):
    sign = -1 if x < 0 else 1
    return sign * ((abs(x) + (1 << (n - 1))) >> n) if n > 0 else x << -n


def wrapped(value, low, high):
    return (value - low) % (high - low + 1) + low


def shorter_key(dropped):
    """Return a key that leaves out one word of (seed low, high, step low, high, matrix)."""

    def key(self, seed, step, matrix):
        words = [seed % 2**32, seed // 2**32, step % 2**32, step // 2**32, matrix]
        words[dropped] = 0
        return Stranger.key(
            self, words[0] + (words[1] << 32), words[2] + (words[3] << 32), words[4]
        )

    return key


def count_all(self, matrix, hit, carries, g, change):
    Stranger.count(self, matrix, hit, False, g, change)


def count_no_hits(self, matrix, hit, carries, g, change):
    Stranger.count(self, matrix, False, carries, g, change)


def count_dead_only_if_asked_nothing(self, matrix, hit, carries, g, change):
    Stranger.count(self, matrix, hit, carries, g, 1)


FAULTS = {
    "weights wrap": ("saturate", lambda self, w, low, high: wrapped(w, low, high)),
    "the remainder stays where a weight saturates": ("left", lambda self, rest, hit: rest),
    "the remainder is cleared": ("left", lambda self, rest, hit: 0),
    "a table's index wraps": ("clip", lambda self, c, low, high: wrapped(c, low, high)),
    "shifts floor": ("shift", lambda self, x, n: x >> n if n > 0 else x << -n),
    "ties go away from 0": ("shift", lambda self, x, n: away_from_0(x, n)),
    "a shift up is left out": ("shift", lambda self, x, n: Stranger.shift(self, x, max(n, 0))),
    "the lower half of the seed is left out": ("key", shorter_key(0)),
    "the upper half of the seed is left out": ("key", shorter_key(1)),
    "the lower half of the step is left out": ("key", shorter_key(2)),
    "the upper half of the step is left out": ("key", shorter_key(3)),
    "all matrices have the same key": ("key", shorter_key(4)),
    "no random bits beyond 32": (
        "random", lambda self, s, bits: bits >> (32 - s) if s <= 32 else 0,
    ),
    "random bits from the low end": ("random", lambda self, s, bits: bits % (1 << s)),
    "index row by row": ("index", lambda self, m, i, j: i * (m["cols"] + 1) + j),
    "the bias first": (
        "index", lambda self, m, i, j: (j + 1) % (m["cols"] + 1) * m["rows"] + i,
    ),
    "biases shift as weights do": ("shift_of", lambda self, m, j: m["shift"]),
    "the bias's input is always 2^8": ("bias", lambda self, w, op: w << 8),
    "the bias's input is 2^A - 1": (
        "bias", lambda self, w, op: (w << op["bias_align"]) - (w > 0),
    ),
    "half_even is half_up": ("half_even", Stranger.half_up),
    "half_even is half_odd": (
        "half_even",
        lambda self, g, s, bits: 1 - Stranger.half_even(self, (1 << s) - g, s, bits),
    ),
    "half_up is half_even": ("half_up", Stranger.half_even),
    "half_up is floor": ("half_up", Stranger.floor),
    "carry is half_even": ("carry", Stranger.half_even),
    "carry is floor": ("carry", Stranger.floor),
    "floor is half_up": ("floor", Stranger.half_up),
    "floor goes towards 0": (
        "floor", lambda self, g, s, bits: g >> s if g >= 0 else -(-g >> s),
    ),
    "clipped sums are not counted": ("clipped", lambda self, matrix, count: None),
    "saturated weights are not counted": ("count", count_no_hits),
    "dead updates are not counted": ("count", count_dead_only_if_asked_nothing),
    "carried updates are counted": ("count", count_all),
    "no lowest code": (
        "rails", lambda self, bits: (1 - (1 << (bits - 1)), (1 << (bits - 1)) - 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_some_file_tells_that_a_rule_is_got_wrong(fault):
    rule, wrong = FAULTS[fault]
    mistaken = type("Mistaken", (Stranger,), {rule: wrong})
    assert hasattr(Stranger, rule)
    assert not all(mistaken(GOLDEN[name], TABLES[name]).agrees() for name in RECIPES)
