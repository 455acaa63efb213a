"""Analog chips: what fabrication draws."""

import math

import numpy as np
import pytest
from analog_chips import body_of

from recirc_hw import (
    Loop,
)
from recirc_hw.substrates.analog import lognormal
from recirc_hw.substrates.devices import ConstantStep

EFFECTS = {
    "tau_mismatch": 0.2,
    "gain_mismatch": 0.2,
    "offset_mismatch": 0.5,
    "read_mismatch": 0.2,
    "write_mismatch": 0.2,
    "stuck_units": 0.3,
}
PARTS = {
    "tau_mismatch": "tau_ms",
    "gain_mismatch": "gain",
    "offset_mismatch": "offset",
    "read_mismatch": "read_gain",
    "write_mismatch": "write_gain",
    "stuck_units": "stuck",
}


def flat(body, part):
    found = getattr(body, part)
    return np.concatenate([m.ravel() for m in found]) if isinstance(found, list) else found


@pytest.mark.parametrize("spread", [0.05, 0.4, 1.0])
@pytest.mark.parametrize(
    "effect", ["tau_mismatch", "gain_mismatch", "read_mismatch", "write_mismatch"]
)
def test_mismatch_is_lognormal_of_mean_1_and_the_spread_asked_for(effect, spread):
    # ln of the factor is normal: mean -sd^2/2, sd = sqrt(ln(1 + spread^2)). Five standard
    # errors of n draws each way: one in 1.7 million by luck.
    factors = flat(body_of(range(20), Loop(60, 40), **{effect: spread}), PARTS[effect])
    z, sd = np.log(factors.ravel()), math.sqrt(math.log1p(spread**2))
    n = z.size
    assert abs(z.mean() + sd**2 / 2) < 5 * sd / math.sqrt(n)
    assert abs(z.std() / sd - 1) < 5 / math.sqrt(2 * n)
    assert abs(np.mean(((z - z.mean()) / z.std()) ** 3)) < 5 * math.sqrt(6 / n)


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.5])
def test_the_lognormal_has_mean_1_and_relative_spread_in_closed_form(spread):
    # E exp(a z - a^2/2) = 1 and E exp(...)^2 = exp(a^2), by Gauss and Hermite's rule.
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / math.sqrt(2 * math.pi)
    factors = lognormal(z, spread)
    mean = weight @ factors
    assert mean == pytest.approx(1, abs=1e-12)
    assert weight @ (factors - mean) ** 2 == pytest.approx(spread**2, rel=1e-10)


def test_offsets_are_normal_and_in_units_of_net_input():
    offsets = flat(body_of(range(200), offset_mismatch=2.0), "offset")
    n = offsets.size  # 1200
    assert abs(offsets.mean()) < 5 * 2 / math.sqrt(n)
    assert abs(offsets.std() / 2 - 1) < 5 / math.sqrt(2 * n)


def test_without_mismatch_parts_are_exactly_nominal():
    body = body_of(tau_ms=3.0, tau_hidden_ms=2.0)
    np.testing.assert_array_equal(body.tau_ms, [[3.0] * 4 + [2.0] * 2])
    assert (body.gain == 1).all()
    assert (body.offset == 0).all()
    assert all((gain == 1).all() for gain in (*body.read_gain, *body.write_gain))
    assert np.isnan(body.stuck).all()


@pytest.mark.parametrize("changed", EFFECTS)
def test_changing_one_effect_draws_no_other_anew(changed):
    before = body_of((3, 4), **EFFECTS)
    after = body_of((3, 4), **EFFECTS | {changed: 1.0})
    for effect, part in PARTS.items():
        same = np.array_equal(flat(before, part), flat(after, part), equal_nan=True)
        assert same == (effect != changed), effect


@pytest.mark.parametrize(
    ("effect", "base"), [("tau_mismatch", "tau_ms"), ("gain_mismatch", "gain")]
)
def test_a_stronger_effect_stretches_the_same_draws(effect, base):
    z = []
    for spread in (0.1, 0.4):
        sd = math.sqrt(math.log1p(spread**2))
        z.append((np.log(flat(body_of(**{effect: spread}), base)) + sd**2 / 2) / sd)
    np.testing.assert_allclose(z[0], z[1], atol=1e-12)


def test_effects_do_not_share_their_draws():
    body, sd = body_of(range(6), Loop(300, 2), **EFFECTS), math.sqrt(math.log1p(0.04))
    draws = [np.log(body.tau_ms), np.log(body.gain), body.offset]
    draws = np.array([(d / sd).ravel() for d in draws])
    apart = np.corrcoef(draws)[np.triu_indices(3, 1)]
    assert np.abs(apart).max() < 5 / math.sqrt(draws.shape[1])


def test_a_seed_is_always_the_same_chip_alone_or_in_company():
    fields = EFFECTS | {"device": ConstantStep(dw_min_dtod=0.3)}
    alone, together = body_of((7,), **fields), body_of((5, 6, 7), **fields)
    for part in PARTS.values():
        found = getattr(together, part)
        found = [m[2:] for m in found] if isinstance(found, list) else [found[2:]]
        wanted = getattr(alone, part)
        wanted = wanted if isinstance(wanted, list) else [wanted]
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    cells = together.synapses.cells[1].dw_up[2], alone.synapses.cells[1].dw_up[0]
    np.testing.assert_array_equal(*cells)
    assert not np.array_equal(together.gain[0], together.gain[1])
