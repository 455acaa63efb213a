"""The golden vectors are what every backend, and the script that made them, still give."""

import json
from pathlib import Path

import pytest
from make_vectors import DESIGNS, vector, walk

from recirc_hw.backends import native, numba_jit, reference
from recirc_hw.backends.native import ISAS

HERE = Path(__file__).parent


def golden(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DESIGNS)
def test_the_script_gives_the_stored_vectors(name):
    assert json.loads(json.dumps(vector(DESIGNS[name]))) == golden(name)


@pytest.mark.parametrize("name", DESIGNS)
def test_every_backend_gives_the_stored_states(name):
    states = golden(name)["states"]
    assert walk(DESIGNS[name], reference.train) == states
    assert walk(DESIGNS[name], numba_jit.train) == states
    for isa in ISAS:
        assert walk(DESIGNS[name], lambda job, isa=isa: native.train(job, isa)) == states
