"""A rule of one's own: plain recirculation, written with the builder's methods.

recirc-hw train my_chip.toml --rule examples/own_rule.py:plain_recirculation
"""


def plain_recirculation(build, loop):
    visible, hidden, output = loop.first_pass(build)
    with build.learning():
        again = build.project("visible>hidden", output)
        build.correlate("hidden>visible", build.subtract(visible, output), hidden)
        build.correlate("visible>hidden", build.subtract(hidden, again), visible)
        build.write("visible>hidden", "hidden>visible")
