"""The papers' formulas, one case and one matrix at a time; nothing here knows of programs.

Weights are the arrays round the loop, shape (rows, cols + 1), bias last; `functions`
names the response of the units that each of them leads to. Every rule returns, for
one case, what is added to each array before the rate.

H&M: Hinton & McClelland 1988. B&S: Baldi & Sadowski 2018.
"""

import math

import numpy as np

F = {
    "logistic": np.vectorize(lambda x: 1 / (1 + math.exp(-x)), otypes=[float]),
    "tanh": np.vectorize(math.tanh, otypes=[float]),
    "identity": np.vectorize(float, otypes=[float]),
}
SLOPE = {
    "logistic": np.vectorize(lambda y: y * (1 - y), otypes=[float]),
    "tanh": np.vectorize(lambda y: 1 - y**2, otypes=[float]),
    "identity": np.vectorize(lambda y: 1.0, otypes=[float]),
}


def total(rule, cases, *arguments, **choices):
    """Add a rule's changes over all cases, as H&M do after each sweep."""
    per_case = [rule(case, *arguments, **choices) for case in cases]
    return [sum(changes) for changes in zip(*per_case, strict=True)]


def respond(matrix, function, senders):
    """H&M eqs. 1 and 2, the threshold being a weight from a unit fixed at 1."""
    inputs = [
        sum(row[i] * senders[i] for i in range(len(senders))) + row[len(senders)]
        for row in matrix
    ]
    return F[function](inputs)


def product(post, pre):
    """Return post_i pre_j for every weight, with a presynaptic 1 for the threshold."""
    return np.array([[p * s for s in [*pre, 1.0]] for p in post])


def first_pass(visible, weights, functions):
    """B&S eq. 5: [O_0, O_1, ..., O_L]."""
    groups = [np.array(visible, float)]
    for matrix, function in zip(weights, functions, strict=True):
        groups.append(respond(matrix, function, groups[-1]))
    return groups


# -- recirculation: B&S tables 1 to 4; each returns [O_0(t), ..., O_(L-1)(t)] for t = 0..n


def plain(case, weights, functions, n, lam, mu):
    """B&S table 1 (PR): O_0(t) = O_L(t-1), no memory."""
    cycles, sent = [], case
    for _ in range(n + 1):
        *held, sent = first_pass(sent, weights, functions)
        cycles.append(held)
    return cycles


def combination_of_recirculation(case, weights, functions, n, lam, mu):
    """B&S table 2 (CCR): what goes round is plain; every unit averages what it sees."""
    raw = plain(case, weights, functions, n, lam, mu)
    cycles = [raw[0]]
    for t in range(1, n + 1):
        shares = [lam] + [mu] * (len(weights) - 1)
        cycles.append(
            [s * cycles[t - 1][h] + (1 - s) * raw[t][h] for h, s in enumerate(shares)]
        )
    return cycles


def recirculation_of_combination(case, weights, functions, n, lam, mu):
    """B&S table 3 (RCC): the visible units average, and what they hold goes round."""
    *held, output = first_pass(case, weights, functions)
    cycles = [held]
    for _ in range(n):
        *held, output = first_pass(lam * cycles[-1][0] + (1 - lam) * output, weights, functions)
        cycles.append(held)
    return cycles


def both_combinations(case, weights, functions, n, lam, mu):
    """B&S table 4 (CCRCC) and H&M eqs. 5 and 6: hidden units average after sending on."""
    raw = recirculation_of_combination(case, weights, functions, n, lam, mu)
    cycles = [raw[0]]
    for t in range(1, n + 1):
        hidden = [mu * cycles[t - 1][h] + (1 - mu) * raw[t][h] for h in range(1, len(weights))]
        cycles.append([raw[t][0], *hidden])
    return cycles


def recirculation_with_combination(case, weights, functions, n, lam, mu):
    """B&S section 4.2.4 (RWCC): every group averages, and sends on its average."""
    *held, output = first_pass(case, weights, functions)
    cycles = [held]
    for _ in range(n):
        before = cycles[-1]
        now = [lam * before[0] + (1 - lam) * output]
        for h in range(1, len(weights)):
            fresh = respond(weights[h - 1], functions[h - 1], now[h - 1])
            now.append(mu * before[h] + (1 - mu) * fresh)
        output = respond(weights[-1], functions[-1], now[-1])
        cycles.append(now)
    return cycles


COMBINES = {
    "PR": plain,
    "CCR": combination_of_recirculation,
    "RCC": recirculation_of_combination,
    "CCRCC": both_combinations,
    "RWCC": recirculation_with_combination,
}


def recirculation(
    case, weights, functions, *, combine, lam, mu=None, cycles=1, presynaptic, twice=False
):
    """H&M eqs. 3 and 4, B&S eq. 23; with cycles (n, m) the rule of B&S eq. 51.

    `twice` adds H&M's eq. 3 "on the next pass around the loop" (page 364).
    """
    mu = lam if mu is None else mu
    n, m = cycles if isinstance(cycles, tuple) else (0, cycles)
    O = COMBINES[combine](case, weights, functions, m, lam, mu)  # noqa: E741, N806
    L = len(weights)  # noqa: N806
    changes = []
    for h in range(1, L):
        pre = O[m][h - 1] if presynaptic == "second" else O[n][h - 1]
        changes.append(product(O[n][h] - O[m][h], pre))
    reconstruction = O[m][0] if n > 0 else O[1][0]
    changes.append(product(O[n][0] - reconstruction, O[n][L - 1]))
    if twice:
        image = respond(weights[-1], functions[-1], O[m][L - 1])
        memory = 0.0 if combine == "PR" else lam
        image = memory * O[m][0] + (1 - memory) * image
        changes[-1] = changes[-1] + product(O[m][0] - image, O[m][L - 1])
    return changes


# -- the other rules


def error_recirculation(case, weights, functions):
    """B&S eq. 18, no biases on the way, measured from the response at rest."""
    O = first_pass(case, weights, functions)  # noqa: E741, N806
    errors = [O[0] - O[-1]]
    for matrix, function in zip(weights[:-1], functions[:-1], strict=True):
        without_bias = np.hstack([matrix[:, :-1], np.zeros((len(matrix), 1))])
        errors.append(respond(without_bias, function, errors[-1]) - F[function]([0.0]))
    changes = [product(errors[h], O[h - 1]) for h in range(1, len(weights))]
    return [*changes, product(errors[0], O[len(weights) - 1])]


def output_error(O, functions, loss):  # noqa: E741, N803
    """B&S eq. 8 for the matched loss; H&M eq. 7 for the squared one."""
    error = O[0] - O[-1]
    return error * SLOPE[functions[-1]](O[-1]) if loss == "squared" else error


def backpropagation(case, weights, functions, *, loss):
    """H&M eq. 7; B&S eqs. 6 to 8: errors return through the transposed weights."""
    O = first_pass(case, weights, functions)  # noqa: E741, N806
    error = output_error(O, functions, loss)
    changes = [product(error, O[-2])]
    for h in range(len(weights) - 1, 0, -1):
        matrix = weights[h]
        back = [
            sum(matrix[k][j] * error[k] for k in range(len(error)))
            for j in range(matrix.shape[1] - 1)
        ]
        error = np.array(back) * SLOPE[functions[h - 1]](O[h])
        changes.insert(0, product(error, O[h - 1]))
    return changes


def random_feedback(case, weights, functions, feedback, *, kind, loss):
    """B&S section 2.3.2 and eq. 39.

    `feedback[h]` leads back to hidden group h. Returns the weights' changes and,
    by hidden group, those of the feedback (ARBP only), C_h += O_h e_(h+1)^T.
    """
    O = first_pass(case, weights, functions)  # noqa: E741, N806
    top = error = output_error(O, functions, loss)
    changes, adaptation = [product(error, O[-2])], []
    for h in range(len(weights) - 1, 0, -1):
        arriving = top if kind == "SRBP" else error
        adaptation.append(product(O[h], arriving)[:, :-1])
        back = [
            sum(feedback[h][j][k] * arriving[k] for k in range(len(arriving)))
            for j in range(len(feedback[h]))
        ]
        error = np.array(back) * SLOPE[functions[h - 1]](O[h])
        changes.insert(0, product(error, O[h - 1]))
    return [*changes, *adaptation]


def top_only(case, weights, functions, *, loss):
    """B&S section 7.2: only the weights into the visible group learn."""
    O = first_pass(case, weights, functions)  # noqa: E741, N806
    changes = [np.zeros_like(matrix) for matrix in weights]
    changes[-1] = product(output_error(O, functions, loss), O[-2])
    return changes


# -- what backpropagation descends


def squared_loss(cases, weights, functions):
    """H&M's E: half the squared reconstruction error, summed."""
    return sum(np.sum((c - first_pass(c, weights, functions)[-1]) ** 2) / 2 for c in cases)


def cross_entropy_loss(cases, weights, functions):
    """B&S section 7.2: -t log y - (1 - t) log(1 - y), summed."""
    loss = 0.0
    for case in cases:
        for t, y in zip(case, first_pass(case, weights, functions)[-1], strict=True):
            loss -= t * math.log(y) + (1 - t) * math.log(1 - y)
    return loss


def descent(loss, cases, weights, functions, step=1e-5):
    """Return -dE/dw of every weight by central differences."""
    changes = [np.zeros_like(matrix) for matrix in weights]
    for matrix, change in zip(weights, changes, strict=True):
        for place in np.ndindex(matrix.shape):
            kept = matrix[place]
            matrix[place] = kept + step
            above = loss(cases, weights, functions)
            matrix[place] = kept - step
            below = loss(cases, weights, functions)
            matrix[place] = kept
            change[place] = (below - above) / (2 * step)
    return changes
