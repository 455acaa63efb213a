"""Learning channels of the standard autoencoder: what reaches its two matrices."""

from typing import Literal

from pydantic import Field, model_validator

from recirc_hw.errors import DesignError
from recirc_hw.rules.rule import Rates, Rule, feedback_name


class Channels(Rule):
    """Train an autoencoder, input and output apart, by the channels that it has.

        C1  input to output: the error e = I - O is there, and dA = rate e O_1^T
        C2  output to hidden, C3 output to input: they send the output, or the error

        error by C2     dB = rate (f' * C2 e) I^T
        error by C3     dB = rate (f' * B C3 e) I^T
        output by C2    dB = rate (O_1 - f(C2 O)) I^T
        output by C3    dB = rate (O_1 - f(B C3 O)) I^T

    B leads from input to hidden, A from hidden to output. Without C1 there is no error
    where the output is, and A does not learn; but C3 = Id alone makes input and output
    one group, and the circular autoencoder knows its error.

    f' is that of the hidden units' own O_1: the F'(R) of the paper's mean value argument,
    with R where the units work. `ErrorRecirculation` is the other reading of C1 with
    C3 = Id, which takes R between 0 and B e: the error's response measured from rest.

    Source: Baldi & Sadowski 2018, appendix B, figures 12 to 16 and table 5.

    Parameters
    ----------
    c1 : bool
    c2 : "none", "transposed", "random", "adaptive" or "tracking"
        Nothing, A^t, a fixed random matrix, one that learns by dC = rate O_1 e^T, or B.
    c3 : "none", "identity" or "random"
    sends : "output" or "error"
        What C2 or C3 carries.
    """

    type: Literal["channels"] = Field(
        "channels", description="whatever way back there is from the output"
    )
    learning_rate: Rates = 1.0
    c1: bool = Field(
        True, description="whether the input reaches the output, so that the error is there"
    )
    c2: Literal["none", "transposed", "random", "adaptive", "tracking"] = Field(
        "none", description="output to hidden: none, transposed, random, adaptive or tracking"
    )
    c3: Literal["none", "identity", "random"] = Field(
        "none", description="output to input: none, identity or random"
    )
    sends: Literal["output", "error"] = Field(
        "error", description="what c2 or c3 carries: output or error"
    )

    @model_validator(mode="after")
    def _fit_together(self):
        if self.c2 != "none" and self.c3 != "none":
            raise ValueError("c2 and c3 together: want at most one of them")
        if self.sends == "error" and not self.c1 and (self.c2, self.c3) != ("none", "none"):
            raise ValueError("sends the error without c1: there is none at the output")
        if self.sends == "output" and self.c2 in ("transposed", "adaptive"):
            raise ValueError(f"c2 = {self.c2!r} carries errors: want 'random' or 'tracking'")
        return self

    def emit(self, build, network):
        """Emit the first pass, what the channels bring, and the correlates they allow."""
        if len(network.matrices) != 2:
            raise DesignError("Channels: want a loop of one hidden group")
        up, down = network.matrices
        visible, hidden, output = network.first_pass(build)
        circular = self.c3 == "identity"
        with build.learning():
            error = None
            if self.c1 or circular:
                error = build.subtract(visible, output, name="error")
                build.correlate(down.name, error, hidden)
                build.write(down.name)
            if self.c2 == self.c3 == "none":
                return
            send = self._error_by if self.sends == "error" else self._output_by
            change = send(build, network, hidden, output, error)
            build.correlate(up.name, change, visible)
            build.write(up.name)

    def _error_by(self, build, network, hidden, output, error):
        """Emit what the hidden units get of the error."""
        up, down = network.matrices
        if self.c3 != "none":
            brought = build.carry(up.name, self._to_input(build, network, error))
        elif self.c2 == "transposed":
            brought = build.carry(down.name, error, transposed=True)
        elif self.c2 == "tracking":
            brought = build.carry(up.name, error)
        else:
            channel = build.feedback(feedback_name(down.name), up.rows, up.cols)
            if self.c2 == "adaptive":
                build.correlate(channel, hidden, error)
                build.write(channel)
            brought = build.carry(channel, error)
        return (
            brought if up.function == "identity" else build.gate(brought, hidden, up.function)
        )

    def _output_by(self, build, network, hidden, output, _):
        """Emit the difference that the output's return makes to the hidden units."""
        up, down = network.matrices
        if self.c3 != "none":
            later = build.project(up.name, self._to_input(build, network, output))
        elif self.c2 == "tracking":
            later = build.project(up.name, output)
        else:
            channel = build.feedback(feedback_name(down.name), up.rows, up.cols, up.function)
            later = build.project(channel, output, bias=False, name="hidden")
        return build.subtract(hidden, later)

    def _to_input(self, build, network, slot):
        """Emit what C3 brings to the input of what is sent."""
        if self.c3 == "identity":
            return slot
        size = slot.size
        channel = build.feedback(feedback_name(network.matrices[0].name), size, size)
        return build.carry(channel, slot, name="at the input")
