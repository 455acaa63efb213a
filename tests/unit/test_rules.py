"""Rules: what hardware each asks for, how rates are given, and rules of one's own."""

from itertools import product

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    CustomRule,
    Design,
    DesignError,
    ErrorRecirculation,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
    tasks,
)
from recirc_hw.rules import BPTT, RULES

LOOPS = [Loop(4, 2), Loop(6, 4, 3, 4, hidden="tanh"), Loop(5, 3, visible="tanh")]
LOCAL = [
    Recirculation(combine=combine, cycles=cycles, apply_visible_rule_twice=twice)
    for combine, cycles, twice in product(
        ("PR", "CCR", "RCC", "CCRCC", "RWCC"), (1, 2, (1, 2)), (False, True)
    )
] + [ErrorRecirculation(), TopOnly()]
FEEDBACK = [Backprop(), Backprop(loss="squared")] + [
    RandomFeedback(kind=kind, loss=loss)
    for kind, loss in product(("RBP", "SRBP", "ARBP"), ("matched", "squared"))
]


def mnemonics(rule, network):
    return {op.mnemonic for op in rule.compile(network).ops}


@pytest.mark.parametrize("network", LOOPS, ids=str)
def test_only_the_backprop_family_carries_errors_back_and_needs_slopes(network):
    for rule in LOCAL:
        assert not mnemonics(rule, network) & {"carry", "gate"}, rule
    for rule in FEEDBACK:
        assert mnemonics(rule, network) >= {"carry", "gate"}, rule


def test_the_squared_loss_asks_any_rule_for_the_output_s_slope():
    assert "gate" in mnemonics(TopOnly(loss="squared"), Loop(4, 2))
    assert "gate" not in mnemonics(TopOnly(loss="squared"), Loop(4, 2, visible="identity"))


@pytest.mark.parametrize("network", LOOPS, ids=str)
def test_only_backprop_uses_transposed_weights(network):
    for rule in [*LOCAL, *FEEDBACK]:
        transposed = any(op.transposed for op in rule.compile(network).ops)
        assert transposed == isinstance(rule, Backprop), rule


def test_no_rule_adds_to_inference():
    for rule, network in product([*LOCAL, *FEEDBACK], LOOPS):
        design = Design(network, rule)
        inference = [op for op in design.program.ops if not op.learning]
        assert inference == list(design.inference.ops)


def test_every_rule_writes_every_matrix_once_but_top_only_and_fixed_feedback():
    for rule, network in product([*LOCAL, *FEEDBACK], LOOPS):
        program = rule.compile(network)
        written = sorted(op.matrix for op in program.batch_ops)
        own = list(range(len(network.matrices)))
        feedback = list(range(len(own), len(program.layout.matrices)))
        if isinstance(rule, TopOnly):
            own = own[-1:]
        adaptive = isinstance(rule, RandomFeedback) and rule.kind == "ARBP"
        assert written == own + (feedback if adaptive else [])


def test_random_feedback_is_as_wide_as_the_error_it_carries():
    def shapes(kind):
        layout = RandomFeedback(kind=kind).compile(Loop(6, 4, 3, 5)).layout
        return {m.name: (m.rows, m.cols) for m in layout.matrices if m.feedback}

    names = ("hidden3>visible", "hidden2>hidden3", "hidden1>hidden2")
    chain = dict(zip((f"{n} feedback" for n in names), [(5, 6), (3, 5), (4, 3)], strict=True))
    straight = dict(zip(chain, [(5, 6), (3, 6), (4, 6)], strict=True))
    assert shapes("RBP") == shapes("ARBP") == chain
    assert shapes("SRBP") == straight


# -- rates


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_each_matrix_has_a_rate_of_its_own(backend):
    cases = np.random.default_rng(0).uniform(0, 1, (4, 5))
    task = tasks.from_array(cases, batch_size=4, test_share=0)
    network = Loop(5, 4, 3)
    start = Design(network, Recirculation()).fabricate(0)
    change = start.weight_change(cases, backend=backend)
    chip = Design(network, Recirculation(learning_rate=(0.5, 0.0, 2.0))).fabricate(0)
    chip.train(task, max_updates=1, backend=backend)
    for after, before, g, rate in zip(
        chip.weights, start.weights, change, (0.5, 0.0, 2.0), strict=True
    ):
        np.testing.assert_allclose(after, before + rate * g, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(chip.weights[1], start.weights[1])


def test_feedback_learns_at_the_rate_of_the_matrix_it_stands_for():
    rule = RandomFeedback(kind="ARBP", learning_rate=(1.0, 2.0, 3.0))
    layout = rule.compile(Loop(5, 4, 3)).layout
    rates = {m.name: m.policy.rate for m in layout.matrices}
    assert rates == {
        "visible>hidden1": 1, "hidden1>hidden2": 2, "hidden2>visible": 3,
        "hidden2>visible feedback": 3, "hidden1>hidden2 feedback": 2,
    }  # fmt: skip


@pytest.mark.parametrize("rates", [(), (1.0,), (1.0, 2.0, 3.0)])
@pytest.mark.parametrize("kind", [k for k in RULES.values() if k is not BPTT])
def test_a_wrong_number_of_rates_is_refused_when_the_design_is_made(kind, rates):
    with pytest.raises(DesignError) as caught:
        Design(Loop(4, 2), kind(learning_rate=rates))
    for part in (f"{len(rates)} rates", "2 weight matrices", "visible>hidden", "learning_rate"):
        assert part in str(caught.value)


# -- a rule of the user's own


def plain_recirculation(build, network):
    """Emit B&S table 1 and eq. 23, as a user would."""
    *early, output = network.first_pass(build)
    with build.learning():
        *late, _ = network.pass_round(build, output)
        for matrix, post, pre in zip(
            network.matrices, range(1, len(early) + 1), early, strict=True
        ):
            group = post % len(early)
            change = build.subtract(early[group], late[group])
            build.correlate(matrix.name, change, pre)
        build.write(*(matrix.name for matrix in network.matrices))


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("network", LOOPS, ids=str)
def test_a_rule_of_ten_lines_runs_on_every_backend(network, backend):
    cases = np.random.default_rng(1).uniform(0, 1, (4, network.n_visible))
    task = tasks.from_array(cases, batch_size=4, test_share=0)
    own = Design(network, CustomRule(plain_recirculation, learning_rate=2.0))
    built_in = Design(
        network, Recirculation(combine="PR", presynaptic="first", learning_rate=2.0)
    )
    chips = [design.fabricate(3) for design in (own, built_in)]
    for chip in chips:
        chip.train(task, max_updates=25, backend=backend)
    for mine, theirs in zip(*(chip.weights for chip in chips), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_function_alone_is_a_rule():
    design = Design(Loop(4, 2), plain_recirculation)
    assert isinstance(design.rule, CustomRule)
    assert design.rule.name == "plain_recirculation"
    assert design.program.name == "plain_recirculation on Loop(4, 2)"
    assert design == Design(Loop(4, 2), plain_recirculation)
    with pytest.raises(DesignError, match="'plain_recirculation' is a function of your own"):
        design.to_toml()


@pytest.mark.parametrize("rule", [Recirculation, "recirculation", None, 3, Loop(4, 2)])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(DesignError, match="rule = .*Recirculation"):
        Design(Loop(4, 2), rule)


def test_a_function_that_emits_no_first_pass_is_refused():
    with pytest.raises(DesignError, match="no monitor"):
        Design(Loop(4, 2), lambda build, network: None)


def test_without_an_error_no_rule_changes_anything():
    # Linear units of identity weights give back what they are given.
    network = Loop(3, 3, visible="identity", hidden="identity")
    cases = np.random.default_rng(2).uniform(0, 1, (4, 3))
    for rule in [*LOCAL, *FEEDBACK]:
        chip = Design(network, rule).fabricate(0)
        chip.weights = [np.eye(3, 4)] * 2
        for change in chip.weight_change(cases, backend="reference"):
            # Blends of equal numbers are off by at most an ulp.
            assert np.abs(change).max() <= 1e-15, rule
