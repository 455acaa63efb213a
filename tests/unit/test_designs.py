"""Designs, and their files."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recirc_hw import (
    Backprop,
    Design,
    DesignError,
    ErrorRecirculation,
    FixedPoint,
    Ideal,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
)

DESIGN = Design(Loop(4, 2), Recirculation())


# -- files

functions = st.sampled_from(["logistic", "tanh", "identity"])
shares = st.floats(0, 0.999)
rates = st.floats(0, 1e6)


@st.composite
def networks(draw):
    n_hidden = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)))
    each = st.tuples(*[functions] * len(n_hidden))
    return Loop(
        n_visible=draw(st.integers(1, 9)),
        n_hidden=n_hidden,
        visible=draw(functions),
        hidden=draw(functions | each),
        initial_weights=draw(st.sampled_from(["uniform", "glorot"])),
        initial_range=draw(st.floats(1e-6, 1e6)),
        output_bias=draw(st.sampled_from(["drawn", "data_mean"])),
    )


@st.composite
def designs(draw):
    network = draw(networks())
    common = {
        "learning_rate": draw(rates | st.tuples(*[rates] * len(network.matrices))),
        "batch": draw(st.sampled_from(["sum", "mean"])),
        "momentum": draw(shares),
        "weight_decay": draw(shares),
        "norm_cap": draw(st.floats(0, 100)),
    }
    loss = draw(st.sampled_from(["matched", "squared"]))
    first = draw(st.integers(0, 2))
    rule = draw(
        st.sampled_from(
            [
                Recirculation(
                    combine=draw(st.sampled_from(["PR", "CCR", "RCC", "CCRCC", "RWCC"])),
                    regression=draw(shares),
                    hidden_regression=draw(shares | st.none()),
                    cycles=draw(st.integers(1, 3) | st.just((first, first + 2))),
                    presynaptic=draw(st.sampled_from(["first", "second"])),
                    apply_visible_rule_twice=draw(st.booleans()),
                    **common,
                ),
                ErrorRecirculation(**common),
                Backprop(loss=loss, **common),
                RandomFeedback(
                    kind=draw(st.sampled_from(["RBP", "SRBP", "ARBP"])), loss=loss, **common
                ),
                TopOnly(loss=loss, **common),
            ]
        )
    )
    return Design(network, rule, Ideal(precision=draw(st.sampled_from(["float32", "float64"]))))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(designs())
def test_a_design_survives_its_file(design):
    again = Design.from_toml(design.to_toml())
    assert again == design
    assert hash(again) == hash(design)
    assert again.program == design.program
    assert repr(again) == repr(design)


def test_a_design_is_read_from_a_file(tmp_path):
    path = tmp_path / "chip.toml"
    path.write_text(DESIGN.to_toml(), encoding="utf-8")
    assert Design.load(path) == Design.load(str(path)) == DESIGN


def test_a_file_may_leave_out_what_has_a_default():
    text = """
    [network]
    type = "loop"
    n_visible = 4
    n_hidden = [2]
    [rule]
    type = "recirculation"
    """
    assert Design.from_toml(text) == DESIGN


NETWORK = '[network]\ntype = "loop"\nn_visible = 4\nn_hidden = [2]\n'
RULE = '[rule]\ntype = "recirculation"\n'
WRONG = {
    "not TOML": ("[network\n", ["not valid TOML", "line 1"]),
    "empty": ("", ["[network] is missing"]),
    "no rule": (NETWORK, ["[rule] is missing"]),
    "a section too many": (
        NETWORK + RULE + "[nework]\n",
        ["[nework]", "'network'", "substrate"],
    ),
    "a loose field": ("rate = 1\n" + NETWORK + RULE, ["rate", "sections are network"]),
    "a section that is a number": ("network = 3\n" + RULE, ["[network] is missing"]),
    "no type": ("[network]\nn_visible = 4\n" + RULE, ["network.type = None", "loop"]),
    "wrong type": (NETWORK + '[rule]\ntype = "recirc"\n', ["'recirc'", "'recirculation'"]),
    "type of another kind": (NETWORK + "[rule]\ntype = 3\n", ["rule.type = 3", "backprop"]),
    "type of a list": (NETWORK + "[rule]\ntype = []\n", ["rule.type = []", "backprop"]),
    "wrong field": (NETWORK + RULE + "lamda = 0.5\n", ["no field 'lamda'", "regression"]),
    "out of range": (
        NETWORK + RULE + "regression = 1.5\n",
        ["regression = 1.5", "less than 1"],
    ),
    "wrong kind": (NETWORK + RULE + 'momentum = "much"\n', ["momentum = 'much'", "number"]),
    "not finite": (NETWORK + RULE + "learning_rate = nan\n", ["learning_rate = nan", "finite"]),
    "too few rates": (NETWORK + RULE + "learning_rate = [1.0]\n", ["1 rates", "2 weight"]),
    "wrong substrate": (
        NETWORK + RULE + '[substrate]\ntype = "ideal"\nprecision = "float8"\n',
        ["precision = 'float8'", "did you mean 'float"],
    ),
}


@pytest.mark.parametrize(("text", "parts"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_says_what_is_wrong_and_where(text, parts, tmp_path):
    path = tmp_path / "chip.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DesignError) as caught:
        Design.load(path)
    for part in [str(path), *parts]:
        assert part in str(caught.value), str(caught.value)


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    binary = tmp_path / "chip.bin"
    binary.write_bytes(b"\xff\xfe\x00\x80\xc3\x28")
    (tmp_path / "plain").write_text("")
    for path, reason in [
        (tmp_path / "none.toml", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "plain" / "chip.toml", "Not a directory"),
        (binary, "not a text file"),
    ]:
        with pytest.raises(DesignError, match=re.escape(str(path))) as caught:
            Design.load(path)
        assert reason in str(caught.value)


# -- designs


def test_a_design_refuses_parts_of_the_wrong_kind():
    for arguments, name in [
        ((Recirculation(), Loop(4, 2)), "network"),
        ((Loop(4, 2), Loop(4, 2)), "rule"),
        ((Loop(4, 2), Recirculation(), Recirculation()), "substrate"),
        ((Loop, Recirculation()), "network"),
        ((Loop(4, 2), Recirculation(), "ideal"), "substrate"),
    ]:
        with pytest.raises(DesignError, match=f"{name} = .*want one of"):
            Design(*arguments)


def test_a_field_is_replaced_by_its_full_name():
    other = DESIGN.replace("rule.regression", 0.5).replace("network.n_hidden", (3,))
    assert other == Design(Loop(4, 3), Recirculation(regression=0.5))
    assert Design(Loop(4, 2), Recirculation()) == DESIGN
    for field, message in [
        ("rules.regression", "did you mean 'rule'"),
        ("regression", "want section.field"),
        ("rule.", "want section.field"),
        ("rule.regresion", "did you mean 'regression'"),
    ]:
        with pytest.raises(DesignError, match=message):
            DESIGN.replace(field, 0.5)


def test_a_batch_size_that_is_none_has_no_widths():
    design = Design(Loop(4, 2), Recirculation(), FixedPoint())
    for size in (0, -3, 1.5, "x"):
        with pytest.raises(ValueError, match="batch_size must be a whole number"):
            design.widths(size)


def test_an_unknown_signal_is_named_with_the_nearest():
    widths = Design(Loop(4, 2), Recirculation(), FixedPoint()).widths()
    with pytest.raises(KeyError, match="did you mean 'sum into hidden'"):
        widths["sum into hiden"]


@pytest.mark.parametrize("text", [None, 3, b"[network]"])
def test_what_is_no_text_is_no_design(text):
    with pytest.raises(DesignError, match="not a text"):
        Design.from_toml(text)


def test_another_rule_keeps_everything_but_the_rule():
    rule = Recirculation(batch="mean", learning_rate=(2, 3))
    design = Design(Loop(4, 2), rule, FixedPoint(weight_bits=10))
    other = design.with_rule("top_only")
    assert (other.network, other.substrate) == (design.network, design.substrate)
    assert other.rule == TopOnly(batch="mean", learning_rate=(2, 3))
    with pytest.raises(DesignError, match="did you mean 'backprop'"):
        design.with_rule("backpro")
