"""784 <-> 100 neurons, all-to-all and plastic at every step, dt 1 ms, about 20 Hz.

Goal: native or Numba at least 3 times Brian2's C++ standalone, 15 times Brian2's Cython
and 50 times NEST's stdp_synapse, in the same run, one thread each. That ours has the
same spikes and weights as Brian2 is checked before any time is taken; NEST's synapse is
another rule at the same rates. Peers that are not installed are left out.
"""

import statistics
import time

import numpy as np

import recirc_hw as rh
from recirc_hw.backends import native, numba_spiking
from recirc_hw.programs.firing import inverse_curve
from recirc_hw.programs.spiking import SpikingBody, Stretch
from recirc_hw.random_streams import chances

STEPS, ROUNDS, CHECKED = 2000, 5, 100
GOALS = {"Brian2 C++ standalone": 3, "Brian2 Cython": 15, "NEST stdp_synapse": 50}


def network():
    """The program, weights with which hidden neurons fire at 20 Hz, and the clamp's drive."""
    substrate = rh.Spiking(clamp="shunting", tau_ms=100.0, release_ms=150.0)
    design = rh.Design(rh.Loop(784, 100, initial_range=0.01), rh.Recirculation(), substrate)
    program, matrices = design.lowered(), design.fabricate(0).matrices
    for matrix in matrices:
        matrix[:, -1] = inverse_curve(program.dynamics, 0.2)
    return program, matrices, np.full(784, float(inverse_curve(program.dynamics, 0.2)))


RATES = (1e-5, 1e-5)
KEY = (0, "spikes", 0, 0)


def ours(advance, program, matrices, drive, steps):
    """Run one chip; return its weights, spikes of each unit, and the seconds taken."""
    dynamics = program.dynamics
    chip = SpikingBody.at_rest([0], dynamics, 1).chip(0, matrices)
    began = time.perf_counter()
    fired, _ = advance(dynamics, chip, Stretch(steps, 0, KEY, drive, RATES))
    return chip.weights, fired, time.perf_counter() - began


def brian2_net(program, matrices, drive, steps, own_noise):
    """Return Brian2's network of the same, before it is run."""
    from recirc_hw.backends.brian2_course import Course
    from recirc_hw.backends.brian2_run import Net

    draws = None
    if not own_noise:
        draws = chances(*KEY, range(steps), program.dynamics.n_neurons)[:, None]
    course = Course(
        1, np.tile(drive, (steps, 1, 1)), np.ones(steps), np.tile(RATES, (steps, 1)),
        draws, np.array([steps]), 1,
    )  # fmt: skip
    return Net(program, matrices, course)


def in_cython(program, matrices, drive):
    """Check Brian2's weights against ours; return the seconds of a run once compiled."""
    import brian2

    brian2.prefs.codegen.target = "cython"
    net = brian2_net(program, matrices, drive, CHECKED, own_noise=False)
    net.run()
    weights, fired, _ = ours(native.spiking_advance(native.ISAS[-1]), program, matrices, drive,
                             CHECKED)  # fmt: skip
    np.testing.assert_array_equal(net.fired()[0][0], fired)
    for synapses, matrix in zip(net.synapses, weights, strict=True):
        np.testing.assert_allclose(synapses.w[:], matrix.ravel(order="F"), 0, 1e-12)
    spent = []
    for _ in range(2):  # the first compiles
        net = brian2_net(program, matrices, drive, STEPS, own_noise=True)
        net.network.run(0 * brian2.ms, namespace={})
        began = time.perf_counter()
        net.run()
        spent.append(time.perf_counter() - began)
    return spent[-1]


def in_standalone(program, matrices, drive):
    """Return the seconds that Brian2's compiled program says its run took."""
    import brian2

    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        with brian2_net(program, matrices, drive, STEPS, own_noise=True) as net:
            net.run()
        return brian2.device._last_run_time
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


def in_nest():
    """Return the seconds of NEST's run: neurons fire at 20 Hz, all synapses are STDP's."""
    import nest

    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": 1.0, "local_num_threads": 1, "print_time": False})
    groups = [nest.Create("iaf_psc_delta", size) for size in (784, 100)]
    for group in groups:
        source = nest.Create("poisson_generator", params={"rate": 20.0})
        nest.Connect(source, group, syn_spec={"weight": 1000.0, "delay": 1.0})
    synapse = {"synapse_model": "stdp_synapse", "weight": 1e-3, "delay": 1.0, "Wmax": 1.0}
    nest.Connect(groups[0], groups[1], "all_to_all", synapse)
    nest.Connect(groups[1], groups[0], "all_to_all", synapse)
    nest.Simulate(100.0)
    began = time.perf_counter()
    nest.Simulate(float(STEPS))
    return time.perf_counter() - began


def main():
    program, matrices, drive = network()
    mine = {
        "native": native.spiking_advance(native.ISAS[-1]), "Numba": numba_spiking.advance,
    }  # fmt: skip
    outcomes = [ours(advance, program, matrices, drive, STEPS) for advance in mine.values()]
    np.testing.assert_array_equal(outcomes[0][1], outcomes[1][1])
    for a, b in zip(outcomes[0][0], outcomes[1][0], strict=True):
        np.testing.assert_allclose(a, b, 0, 1e-12)
    rate = outcomes[0][1].sum() / 884 / STEPS * 1000
    theirs = peers(program, matrices, drive)
    medians = {
        name: statistics.median(
            ours(advance, program, matrices, drive, STEPS)[2] for _ in range(ROUNDS)
        )
        for name, advance in mine.items()
    }
    print(f"spiking: {rate:.1f} Hz; " + ", ".join(
        f"{name} {seconds / STEPS * 1e6:.1f} us" for name, seconds in medians.items()
    ) + " a step")  # fmt: skip
    best = min(medians.values())
    for name, seconds in theirs.items():
        print(
            f"spiking: {name} {seconds / STEPS * 1e6:.0f} us a step: "
            f"{seconds / best:.1f} times the better of ours (goal {GOALS[name]})"
        )


def peers(program, matrices, drive):
    """Return the seconds of each peer that is installed."""
    found = {}
    for name, run in zip(
        GOALS,
        (lambda: in_standalone(program, matrices, drive),
         lambda: in_cython(program, matrices, drive), in_nest),
        strict=True,
    ):  # fmt: skip
        try:
            found[name] = run()
        except ModuleNotFoundError as error:
            print(f"spiking: {name} left out: no package {error.name}")
    return found


if __name__ == "__main__":
    main()
