"""Write neurobench.json: python tests/golden/make_neurobench.py

Needs neurobench (2.3.0 made the file that is here) and its torch, which the
project's own environment does not have. Each entry is a network with its
weights, cases, and what neurobench's metric classes say of it.
"""

import json
from pathlib import Path

import numpy as np
import torch
from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
from neurobench.models import TorchModel
from torch import nn

HERE = Path(__file__).parent
UNITS = {"logistic": nn.Sigmoid, "tanh": nn.Tanh, "identity": None}


def weights_of(random, sizes, silent):
    """Return matrices with the bias last, a third of the weights 0, some units silent."""
    matrices = []
    for cols, rows in zip(sizes, (*sizes[1:], sizes[0]), strict=True):
        matrix = random.uniform(-1, 1, (rows, cols + 1)).astype(np.float32)
        matrix[:, :-1][random.random((rows, cols)) < 1 / 3] = 0
        matrices.append(matrix)
    matrices[0][:silent] = 0
    return matrices


def torch_model(matrices, functions):
    """Return the feed-forward network of one pass round the loop."""
    layers = []
    for matrix, function in zip(matrices, functions, strict=True):
        layer = nn.Linear(matrix.shape[1] - 1, matrix.shape[0])
        layer.weight.data = torch.tensor(matrix[:, :-1])
        layer.bias.data = torch.tensor(matrix[:, -1])
        layers += [layer] + ([UNITS[function]()] if UNITS[function] else [])
    return nn.Sequential(*layers)


def measured(model, cases):
    """Return neurobench's metrics of one pass over the cases."""
    wrapped = TorchModel(model)
    wrapped.add_activation_module(nn.Tanh)
    wrapped.register_hooks()
    with torch.no_grad():
        predicted = wrapped(torch.tensor(cases))
    pair = (torch.tensor(cases), torch.tensor(cases))
    found = {
        "footprint": Footprint()(wrapped),
        "parameter_count": ParameterCount()(wrapped),
        "connection_sparsity": ConnectionSparsity()(wrapped),
        "activation_sparsity": ActivationSparsity()(wrapped, predicted, pair),
        "synaptic_operations": SynapticOperations()(wrapped, predicted, pair),
    }
    wrapped.cleanup_hooks()
    return found


def entry(seed, sizes, visible, hidden, silent, cases):
    """Return one entry of the file."""
    matrices = weights_of(np.random.default_rng(seed), sizes, silent)
    functions = [hidden] * (len(sizes) - 1) + [visible]
    return {
        "sizes": sizes, "visible": visible, "hidden": hidden, "cases": cases.tolist(),
        "weights": [matrix.tolist() for matrix in matrices],
        "neurobench": measured(torch_model(matrices, functions), cases),
    }  # fmt: skip


def main():
    """Write the file."""
    random = np.random.default_rng(5)
    graded = random.random((7, 6)).astype(np.float32)
    graded[random.random(graded.shape) < 0.4] = 0
    binary = (random.random((5, 8)) < 0.3).astype(np.float32)
    entries = {
        "graded cases, tanh": entry(1, [6, 4], "logistic", "tanh", 1, graded),
        "binary cases, deep": entry(2, [8, 5, 3], "logistic", "tanh", 2, binary),
        "linear output": entry(3, [6, 3], "identity", "logistic", 0, graded),
    }
    (HERE / "neurobench.json").write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()
