"""Random feedback: errors return through fixed random, or slowly adapting, weights."""

from typing import Literal

from pydantic import Field

from recirc_hw.rules.rule import Loss, Rates, Rule, feedback_name, output_error


class RandomFeedback(Rule):
    """Backpropagation with weights of its own for the way back.

        RBP    e_h = f_h' * (C_h e_(h+1)),   C_h random and fixed
        SRBP   e_h = f_h' * (C_h e_L), straight from the output
        ARBP   as RBP, and C_h learns:   dC_h = rate O_h e_(h+1)^T

    Source: Baldi & Sadowski 2018, section 2.3.2 and eq. 39; Baldi, Lu & Sadowski
    2018 (its references 3 and 4). The C_h start as the forward weights do
    under "glorot" and have no bias.

    Parameters
    ----------
    kind : "RBP", "SRBP" or "ARBP"
    loss : "matched" or "squared"
        As for `Backprop`.
    """

    type: Literal["random_feedback"] = Field(
        "random_feedback",
        description="backpropagation with weights of its own for the way back",
    )
    learning_rate: Rates = 2.0
    kind: Literal["RBP", "SRBP", "ARBP"] = Field(
        "RBP", description="RBP, SRBP (straight from the output) or ARBP (adapting)"
    )
    loss: Loss = "matched"

    @property
    def name(self):
        """The kind, as the literature calls it."""
        return self.kind

    def emit(self, build, network):
        """Emit the first pass, then each matrix's correlate and the error's way back."""
        slots = network.first_pass(build)
        with build.learning():
            top = error = output_error(build, network, slots, self.loss)
            for h in range(len(network.matrices) - 1, -1, -1):
                matrix = network.matrices[h]
                build.correlate(matrix.name, error, slots[h])
                build.write(matrix.name)
                if h > 0:
                    error = self._send_back(
                        build, network, h, top if self.kind == "SRBP" else error, slots[h]
                    )

    def _send_back(self, build, network, h, error, activity):
        """Emit the error's way back to hidden group h; return its slot."""
        group = network.groups[h]
        feedback = feedback_name(network.matrices[h].name)
        build.feedback(feedback, group.size, error.size)
        if self.kind == "ARBP":
            build.correlate(feedback, activity, error)
            build.write(feedback)
        error = build.carry(feedback, error)
        if group.function == "identity":
            return error
        return build.gate(error, activity, group.function)
