"""Times of analog designs: what is warned of or refused, where, and that the number does."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.cli import main

TASK = rh.tasks.encoder(4)


def design_of(network=(4, 2), rate=20.0, **fields):
    return rh.Design(
        rh.Loop(*network), rh.Recirculation(learning_rate=rate), rh.Analog(**fields)
    )


def cautioned(**fields):
    """Return what making a design warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        design_of(**fields)
    return [str(one.message) for one in caught]


SHORT = [
    ({"clamp_ms": 4.0}, 6.0),
    ({"clamp_ms": 8.0, "tau_ms": 2.0}, 12.0),
    ({"clamp_ms": 4.0, "form": "derivative_circuit"}, 6.6),
    ({"clamp_ms": 6.0, "form": "derivative_circuit", "derivative_ms": 1.0}, 12.0),
    ({"clamp_ms": 6.0, "tau_mismatch": 0.4}, 13.6488),
    ({"clamp_ms": 6.0, "delay_ms": 0.1}, 6.1),
    ({"clamp_ms": 6.0, "network": (4, 3, 3), "rate": 4.0}, 12.0),
]


@pytest.mark.parametrize(("fields", "enough"), SHORT)
def test_a_short_clamp_is_warned_of_with_a_number_that_is_not_warned_of(fields, enough):
    (message,) = cautioned(**fields)
    assert "chips learn late or never" in message
    named = float(re.search(r"want at least ([\d.]+) ms", message)[1])
    assert named == pytest.approx(enough, rel=1e-5)
    assert cautioned(**(fields | {"clamp_ms": named})) == []
    assert cautioned(**(fields | {"clamp_ms": None})) == []


@pytest.mark.parametrize(
    ("fields", "updates"),
    [
        ({}, 300), ({"form": "derivative_circuit", "dt_ms": 0.02}, 400),
        ({"tau_mismatch": 0.4}, 600), ({"delay_ms": 0.1}, 400), ({"form": "gated"}, 400),
    ],
)  # fmt: skip
def test_the_clamp_that_the_message_names_learns_and_a_third_of_it_does_not(fields, updates):
    fields = {"dt_ms": 0.05, **fields} if fields.get("form") != "gated" else fields
    enough = design_of(**fields)
    program = enough.lowered()
    with pytest.warns(UserWarning, match="want at least") as caught:
        design_of(**fields, clamp_ms=program.phases[0].duration_ms / 4)
    named = float(re.search(r"want at least ([\d.]+) ms", str(caught[0].message))[1])
    shares = []
    for clamp_ms in (named, named / 3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a third of it is warned of
            design = design_of(**fields, clamp_ms=clamp_ms)
        chips = [design.fabricate(seed) for seed in range(12)]
        runs = rh.train(chips, TASK, max_updates=updates, probes=False)
        shares.append(np.mean([run.learned for run in runs]))
    assert shares[0] == 1.0
    assert shares[1] < 0.5


def test_every_design_warns_at_the_line_that_made_it():
    toml = design_of().to_toml().replace("[substrate]", "[substrate]\nclamp_ms = 3.0")
    made = design_of()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog(clamp_ms=3.0))
        rh.Design.from_toml(toml)
        made.replace("substrate.clamp_ms", 3.0)
        rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Spiking(clamp_ms=300.0))
        made.fabricate(0)
        made.lowered()
    assert len(caught) == 5
    assert {one.filename for one in caught} == {__file__}


@pytest.mark.parametrize("substrate", [rh.Analog(clamp_ms=2.0), rh.Spiking(clamp_ms=300.0)])
def test_the_command_line_shows_a_warning_as_one_line(tmp_path, capsys, monkeypatch, substrate):
    with pytest.warns(UserWarning, match="clamp_ms"):
        design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), substrate)
    path = tmp_path / "chip.toml"
    path.write_text(design.to_toml())
    monkeypatch.setattr(sys, "argv", ["recirc-hw", "info", str(path)])
    before = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"warning: {type(substrate).__name__}.clamp_ms = ")
    assert warnings.showwarning is before


def test_a_worker_does_not_repeat_what_the_study_was_warned_of():
    code = (
        "import sys, io, warnings; from recirc_hw.studies import worker;"
        "sys.stdin = io.TextIOWrapper(io.BytesIO()); worker.main();"
        "warnings.warn('heard twice')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"heard twice" not in done.stderr


# Steps and fabricated time constants ---------------------------------------------------

WILD = {"dt_ms": 0.2, "tau_mismatch": 2.0, "clamp_ms": 300.0}


def test_a_chip_too_fast_for_runge_and_kutta_is_refused_with_a_step_that_does():
    design = design_of(integrator="rk4", **WILD)
    refused = 0
    for seed in range(15):
        shortest = design.substrate.body([seed], design.lowered()).tau_ms.min()
        if shortest >= 0.4:  # half of which is the step
            design.fabricate(seed)
            continue
        with pytest.raises(rh.DesignError, match=f"seed {seed} has.*at most") as found:
            design.fabricate(seed)
        largest = float(re.search(r"at most ([\d.e-]+)", str(found.value))[1])
        assert largest == pytest.approx(shortest / 2, rel=1e-5)
        design_of(integrator="rk4", **(WILD | {"dt_ms": largest})).fabricate(seed)
        refused += 1
    assert refused > 10


def test_the_default_step_of_runge_and_kutta_suits_the_fast_units_of_mismatch():
    for spread in (0.4, 0.8, 2.0):
        design = design_of(integrator="rk4", tau_mismatch=spread)
        for seed in range(50):
            design.fabricate(seed)


@pytest.mark.parametrize("seed", range(4))
def test_heun_follows_units_of_any_speed(seed):
    # Activities stay within 0..1, and the change is that of finer steps.
    coarse = design_of(**WILD).fabricate(seed)
    fine = design_of(**(WILD | {"dt_ms": 0.01})).fabricate(seed)
    case = [1.0, 0.0, 0.0, 0.0]
    changes = [
        np.concatenate([m.ravel() for m in c.weight_change(case)]) for c in (coarse, fine)
    ]
    assert np.abs(changes[0] - changes[1]).max() < 0.05 * np.abs(changes[1]).max()


# Fields without effect -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "field", "value"),
    [
        ("gated", "tau_hidden_ms", 3.0), ("gated", "derivative_ms", 0.3),
        ("ungated", "settling", 5.0), ("ungated", "derivative_ms", 0.3),
        ("derivative_circuit", "settling", 5.0),
    ],
)  # fmt: skip
def test_a_field_that_its_form_ignores_is_warned_of_by_name(form, field, value):
    wanted = f"Analog.{field} = {value} has no effect in form '{form}'"
    assert cautioned(**{"form": form, field: value}) == [wanted]


def test_a_delay_that_would_be_rounded_to_none_is_refused_with_a_step_that_does():
    with pytest.raises(rh.DesignError, match=r"delay_ms = 0.005 .* want 0, or dt_ms = 0.005"):
        design_of(delay_ms=0.005)
    design = design_of(delay_ms=0.005, dt_ms=0.005)
    assert "delay" in design.substrate.effects()
