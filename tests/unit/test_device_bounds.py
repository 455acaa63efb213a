"""Weights given to a fabricated chip lie within each synapse's own bounds, as fabricated."""

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.substrates.devices import Codes, ConstantStep, SoftBounds

UNEQUAL = {"w_max_dtod": 0.9, "w_min_dtod": 0.9}
NARROW = ConstantStep(w_max=0.55, w_min=-0.55, dw_min=0.001, **UNEQUAL)


def fabricated(device, substrate=rh.Analog, seed=1, **fields):
    return rh.Design(
        rh.Loop(4, 2), rh.Recirculation(), substrate(device=device, **fields)
    ).fabricate(seed)


def bounds(chip):
    """Return (lowest, highest) weight of each synapse of each matrix."""
    cells = chip.design.substrate.body([chip.seed], chip.program).synapses.cells
    return [(one.w_min[0], one.w_max[0]) for one in cells]


@pytest.mark.parametrize("seed", range(3))
def test_initial_weights_are_clipped_to_each_synapse_s_own_bounds(seed):
    chip, ideal = fabricated(NARROW, seed=seed), fabricated(rh.devices.IdealDevice(), seed=seed)
    clipped = 0
    for held, drawn, (low, high) in zip(chip.weights, ideal.weights, bounds(chip), strict=True):
        np.testing.assert_array_equal(held, np.clip(drawn, low, high))
        clipped += np.sum(held != drawn)
    assert clipped > 0


@pytest.mark.parametrize("substrate", [rh.Analog, rh.Spiking])
def test_loaded_weights_are_clipped_to_each_synapse_s_own_bounds(substrate):
    chip = fabricated(NARROW.scaled(8.0), substrate)
    chip.weights = [np.full(matrix.shape, 7.9) for matrix in chip.weights]
    highest = [high for _, high in bounds(chip)]
    assert min(high.min() for high in highest) < 7.9
    for held, high in zip(chip.weights, highest, strict=True):
        np.testing.assert_array_equal(held, np.minimum(7.9, high))


def test_what_a_chip_has_learned_can_be_loaded_on_it_again():
    wide = ConstantStep(w_max=1.0, w_min=-1.0, dw_min=0.01, **UNEQUAL)
    chip = fabricated(wide)
    chip.train(rh.tasks.encoder(4), max_updates=30, until="end", probes=False)
    learned = chip.weights
    assert max(np.abs(matrix).max() for matrix in learned) > 1.0  # on a synapse that holds it
    chip.weights = learned
    for now, then in zip(chip.weights, learned, strict=True):
        np.testing.assert_array_equal(now, then)
    with pytest.raises(rh.DesignError, match=r"outside -1\.\.1"):
        chip.weights = [matrix + 9 for matrix in learned]


def test_output_biases_are_clipped_to_each_synapse_s_own_bounds():
    chip = fabricated(NARROW)
    chip.set_output_biases(np.full(4, -0.54))
    low = bounds(chip)[1][0][:, -1]
    assert low.max() > -0.54
    np.testing.assert_array_equal(chip.weights[1][:, -1], np.maximum(low, -0.54))


def test_the_spread_of_other_things_clips_nothing():
    for device in (SoftBounds(dw_min_dtod=0.3, dw_min_std=0.3), Codes(bits=24)):
        chip, ideal = fabricated(device), fabricated(rh.devices.IdealDevice())
        for held, drawn in zip(chip.weights, ideal.weights, strict=True):
            np.testing.assert_allclose(held, drawn, atol=device.w_max / 2**23)


# Ablation within a device --------------------------------------------------------------

ROUGH = SoftBounds(
    dw_min_dtod=0.3, w_max_dtod=0.1, lifetime=100.0, dw_min_std=0.3, up_down=0.2,
    corrupt_devices_prob=0.02, write_noise_std=1.0,
)  # fmt: skip


def test_each_effect_within_a_device_is_turned_off_by_a_field_of_its_own():
    substrate = rh.Analog(device=ROUGH, unit_noise=0.01)
    neutral = {
        "spread of steps": {"dw_min_dtod": 0.0}, "spread of bounds": {"w_max_dtod": 0.0},
        "pulse noise": {"dw_min_std": 0.0}, "write noise": {"write_noise_std": 0.0},
        "steps up unlike down": {"up_down": 0.0}, "weight leak": {"lifetime": 0.0},
        "dead synapses": {"corrupt_devices_prob": 0.0},
    }  # fmt: skip
    assert set(substrate.effects()) == {"unit noise", "synapse device", *neutral}
    for name, fields in neutral.items():
        assert substrate.without(name).device == ROUGH.replace(**fields)
    bare = substrate.without(*neutral).device
    assert bare == SoftBounds()  # its steps and bounds stay
    assert substrate.without(*substrate.effects()) == rh.Analog()


def test_a_device_without_steps_and_bounds_keeps_its_leak_and_its_dead():
    left = rh.Analog(device=ROUGH).without("synapse device").device
    assert left == rh.devices.IdealDevice(lifetime=100.0, corrupt_devices_prob=0.02)
    less = rh.Analog(device=ROUGH).without("synapse device", "weight leak", "pulse noise")
    assert less.device == rh.devices.IdealDevice(corrupt_devices_prob=0.02)


def test_ablation_finds_the_dead_synapses_among_a_device_s_effects():
    # 4-2-4 hardly ever learns with 40 % of its synapses dead, and does with the rest.
    device = ConstantStep(dw_min_std=0.3, corrupt_devices_prob=0.4)
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog(device=device, dt_ms=0.1))
    found = rh.ablate(design, rh.tasks.encoder(4), chips=25, max_updates=150, pairs=False)
    assert found.to_blame == "dead synapses"
    assert {effect.name for effect in found.ranked} == {
        "synapse device", "pulse noise", "dead synapses"
    }  # fmt: skip
