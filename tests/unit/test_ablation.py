"""Ablation: which effect is to blame, on chips of known yield and on real ones."""

import pytest

import recirc_hw as rh
from recirc_hw.substrates import SUBSTRATES, Substrate

TASK = rh.tasks.encoder(4)
CHIP = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())


def test_every_effect_of_fixed_point_can_be_turned_off():
    rough = rh.FixedPoint(
        weight_bits=(6, 5), weight_fraction_bits=(2, 1), bias_fraction_bits=1, activity_bits=5,
        rounding="floor", wide=False, rate_bits=1, table_fraction_bits=3,
    )  # fmt: skip
    effects = rough.effects()
    assert list(effects) == [
        "weight range", "weight resolution", "weight rounding", "activity bits", "narrow path",
        "rate bits", "table steps",
    ]  # fmt: skip
    fine = rough.without(*effects)
    assert set(fine.effects()) <= {"weight range", "weight resolution"}  # there is no end
    assert fine.weight_bits == (18, 17)
    assert fine.weight_fraction_bits == (10, 9)
    assert rough.without() == rough
    for name in effects:
        rh.Design(rh.Loop(4, 2), rh.Recirculation(), rough.without(name))
    plan = rh.FixedPoint(activation="plan")
    for name in plan.effects():
        rh.Design(rh.Loop(4, 2), rh.Recirculation(), plan.without(name))
    assert plan.without("piecewise response").activation == "table"


def test_an_ideal_substrate_has_no_effect_but_single_precision():
    assert rh.Ideal().effects() == {}
    assert rh.Ideal(precision="float32").without("single precision") == rh.Ideal()
    assert Substrate().effects() == {}
    with pytest.raises(rh.UnsupportedError, match="no hardware effects"):
        rh.ablate(rh.Design(rh.Loop(4, 2), rh.Recirculation()), TASK)
    with pytest.raises(rh.DesignError, match="did you mean 'weight range'"):
        rh.FixedPoint().without("weight rang")


@pytest.mark.parametrize("kind", SUBSTRATES.values(), ids=SUBSTRATES)
def test_every_substrate_says_what_turns_its_effects_off(kind):
    substrate = kind()
    for name, fields in substrate.effects().items():
        without = substrate.without(name)
        assert without != substrate
        assert any(getattr(substrate, field) != value for field, value in fields.items())
        rh.Design(rh.Loop(4, 2), rh.Recirculation(), without)


def test_the_effect_to_blame_is_found(known):
    def chance(design):
        return 0.6 if not design.substrate.wide else 1.0

    known(chance)
    design = CHIP.replace("substrate.wide", False).replace("substrate.rounding", "floor")
    found = rh.ablate(design, TASK, chips=60)
    worst = found.ranked[0]
    assert found.to_blame == worst.name == "narrow path"
    assert (worst.alone.share, worst.without.share) == (found.everything.share, 1.0)
    assert worst.p_learned < 1e-4
    assert worst.blame == pytest.approx(1 - found.everything.share)
    assert all(effect.p_learned == 1.0 for effect in found.ranked[1:])
    assert len(found.pairs) == len(found.ranked) * (len(found.ranked) - 1) // 2
    assert all(pair.excess == pytest.approx(0) for pair in found.pairs)


def test_two_effects_that_hurt_only_together_show_as_a_pair(known):
    def chance(design):
        both = not design.substrate.wide and design.substrate.rounding == "floor"
        return 0.3 if both else 1.0

    known(chance)
    design = CHIP.replace("substrate.wide", False).replace("substrate.rounding", "floor")
    found = rh.ablate(design, TASK, chips=100)
    assert set(found.pairs[0].names) == {"narrow path", "weight rounding"}
    assert found.pairs[0].excess > 0.5
    assert {effect.name for effect in found.ranked[:2]} == set(found.pairs[0].names)


def test_when_nothing_does_harm_nobody_is_blamed(known):
    known(lambda design: 0.9)
    assert rh.ablate(CHIP, TASK, chips=50, pairs=False).to_blame is None


def test_any_substrate_that_names_its_effects_can_be_ablated(known):
    class Leaky(rh.Ideal):
        leak: float = 0.3
        noise: float = 0.1

        def effects(self):
            return {"leak": {"leak": 0.0}, "noise": {"noise": 0.0}}

    known(lambda design: 1.0 - design.substrate.leak)
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), Leaky())
    assert rh.ablate(design, TASK, chips=60).to_blame == "leak"


def test_rounding_is_to_blame_on_a_real_chip():
    design = CHIP.replace("substrate.rounding", "floor")
    found = rh.ablate(design, TASK, chips=30, pairs=False, max_updates=200)
    assert found.everything.share < 0.3
    assert found.nothing.share > 0.9
    assert found.to_blame in ("weight rounding", "weight resolution")
