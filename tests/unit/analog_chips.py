"""Analog chips as several tests make them."""

from recirc_hw import (
    Analog,
    Design,
    Loop,
    Recirculation,
)


def fabricated(seed=0, network=None, rule=None, **fields):
    rule = Recirculation(**(rule or {}))
    return Design(network or Loop(4, 2), rule, Analog(**fields)).fabricate(seed)


def body_of(seeds=(0,), network=None, **fields):
    design = Design(network or Loop(4, 2), Recirculation(), Analog(**fields))
    return design.substrate.body(seeds, design.lowered())
