"""Which rules a chip can follow whose synapses sense only the running activity."""

from recirc_hw.errors import UnsupportedError


def check_local(rule, where, combine, hint=""):
    """Refuse rules that ask for what no loop in continuous time has.

    Parameters
    ----------
    rule : a rule
    where : str
        The kind of chip, for the message.
    combine : tuple of str
        The variants of the rule that the chip can follow.
    hint : str
        What else would do, if another variant is asked for.
    """
    if getattr(rule, "type", None) != "recirculation":
        raise UnsupportedError(
            f"{rule.name} on {where}: only Recirculation is local enough; the ideal and "
            "fixed-point substrates run every rule"
        )
    wanted = {
        "cycles": (rule.cycles, 1, "the loop runs free once"),
        "presynaptic": (rule.presynaptic, "second", "synapses sense the running activity"),
        "apply_visible_rule_twice": (
            rule.apply_visible_rule_twice,
            False,
            "one release a case",
        ),
        "momentum": (rule.momentum, 0.0, "a synapse holds no second value"),
        "weight_decay": (rule.weight_decay, 0.0, "give the devices a lifetime instead"),
        "norm_cap": (rule.norm_cap, 0.0, "no unit knows its incoming weights"),
    }
    for field, (value, only, why) in wanted.items():
        if value != only:
            raise UnsupportedError(f"rule.{field} = {value!r} on {where}: {why}; want {only!r}")
    if rule.hidden_regression not in (None, rule.regression):
        raise UnsupportedError(
            f"rule.hidden_regression on {where}: time constants say it; set tau_hidden_ms"
        )
    if rule.combine not in combine:
        raise UnsupportedError(
            f"rule.combine = '{rule.combine}' on {where}: want one of "
            f"{', '.join(combine)}{hint}"
        )
