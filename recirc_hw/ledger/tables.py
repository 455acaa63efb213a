"""Costs as text: one design, or several side by side."""

ARITHMETIC = ("multiply_accumulates", "multiplies", "accumulates", "table_reads")
EVENTS_IN_TIME = (
    "spikes", "synaptic_events", "neuron_updates", "trace_updates", "unit_seconds",
    "synapse_seconds", "conversions",
)  # fmt: skip


def side_by_side(*costs):
    """Return costs as aligned plain text: a column each, then what the prices rest on.

    One cost alone also shows every event with its price.
    """
    head = ("", *(cost.name for cost in costs))
    groups = [_energy(costs), _operations(costs), _memory(costs), _metrics(costs)]
    rows = [head]
    for title, lines in groups:
        if lines:
            rows += [(), (title,), *lines]
    text = _aligned(rows)
    if len(costs) == 1:
        text += "\n\n" + _breakdown(costs[0])
    return text + "\n\n" + _basis(costs)


def _energy(costs):
    """Return the rows of energy, and how far they may be off."""
    rows = []
    for field, label in (
        ("inference", "one inference"),
        ("learning", "learning, in addition"),
        ("learned_example", "one learned example"),
    ):
        rows.append((label, *(energy(cost.energy_pj[field]) for cost in costs)))
    spans = [cost.energy_range_pj["learned_example"] for cost in costs]
    rows.append(("  between", *(f"{energy(low)} .. {energy(high)}" for low, high in spans)))
    shares = [cost.share_by_kind for cost in costs]
    for kind, label in (
        ("measured", "at measured prices"),
        ("simulated", "at simulated prices"),
        ("assumed", "at assumed prices, or scaled ones"),
    ):
        rows.append((f"  {label}", *(f"{share[kind]:.0%}" for share in shares)))
    return "energy", rows


def _operations(costs):
    """Return the rows of operations, inference | learned example."""
    rows = []
    for name in (*ARITHMETIC, "random_numbers", *EVENTS_IN_TIME):
        rows.append((name.replace("_", " "), *(_pair(cost, name) for cost in costs)))
    for array in ("weights", "state", "sums"):
        for name in ("reads", "writes"):
            rows.append((f"{array}: {name}", *(_pair(cost, name, array) for cost in costs)))
    rows.append(("case loads", *(_pair(cost, "case_loads") for cost in costs)))
    updates = (f"0 | {number(cost.counts.weight_updates)}" for cost in costs)
    rows.append(("weight updates", *updates))
    rows.append(("seconds", *(_pair(cost, "seconds") for cost in costs)))
    kept = [row for row in rows if any(cell != "0 | 0" for cell in row[1:])]
    return "operations: of an inference | of a learned example", kept


def _pair(cost, name, array=None):
    inference, example = (
        counts.total(name, array=array)
        for counts in (cost.counts.inference, cost.counts.example)
    )
    return f"{number(inference)} | {number(example)}"


def _memory(costs):
    """Return the rows of memory and wires."""
    memories = [cost.counts.memory for cost in costs]
    if None in memories:
        return "memory", []
    labels = (
        ("weights, bits", "weight_bits"),
        ("weights that carry errors alone, bits", "feedback_bits"),
        ("words of state kept, inference", "inference_state_words"),
        ("words of state kept, learning", "state_words"),
        ("bits of state kept, learning", "state_bits"),
        ("words of g", "sum_words"),
        ("bits of g", "sum_bits"),
        ("  of them kept between writes", "residue_bits"),
        ("tables, bits", "table_bits"),
        ("packed, bits, inference alone", "inference_packed_bits"),
        ("packed, bits, learning", "packed_bits"),
        ("transposed weight reads, a presentation", "transposed_reads"),
        ("reads of weights that carry errors alone", "feedback_reads"),
    )
    return "memory and wires", [
        (label, *(number(getattr(memory, field)) for memory in memories))
        for label, field in labels
    ]


def _metrics(costs):
    """Return the rows of NeuroBench's metrics, where cases were given."""
    if not all(cost.metrics for cost in costs):
        return "NeuroBench", []
    flat = [cost.metrics | cost.metrics["synaptic_operations"] for cost in costs]
    names = [name for name in flat[0] if name != "synaptic_operations"]
    return "NeuroBench", [(name, *(number(row[name]) for row in flat)) for name in names]


def _breakdown(cost):
    """Return every event of a learned example with its price."""
    rows = [("phase", "event", "bits", "count", "pJ each", "energy", "price")]
    for line in cost.lines:
        event = line.event
        name = event.name.replace("_", " ")
        name = f"{event.array}: {name}" if event.name in ("reads", "writes") else name
        price = "included" if line.price is None else f"{line.price.pj:.3g}"
        known = line.included if line.price is None else line.price.kind
        if line.price is not None and line.price.how:
            known += f" ({line.price.how})"
        rows.append((
            event.phase, name, " x ".join(map(str, event.bits)) + " float" * event.real,
            number(line.count), price, energy(line.energy_pj), known,
        ))  # fmt: skip
    return _aligned(rows, left=(0, 1, 6))


def _basis(costs):
    """Return what prices and counts rest on, in words."""
    prices = costs[0].prices
    lines = [
        f"prices: {prices.name}, {prices.title}, {prices.node}. {prices.source}",
        f"uncertainty: {prices.uncertainty}",
        "not counted: leakage, clocks, control, wires, shifts, rounding, saturation",
    ]
    for cost in costs:
        size = cost.counts.batch_size
        lines.append(
            f"{cost.name}: one write for {size} case{'s' if size > 1 else ''}; activity "
            f"{cost.counts.activity}: {cost.counts.basis}"
        )
    return "\n".join(lines)


def energy(pj):
    """Return an energy with the unit that suits it."""
    for unit, size in (("mJ", 1e9), ("uJ", 1e6), ("nJ", 1e3)):
        if pj >= size:
            return f"{pj / size:.4g} {unit}"
    return f"{pj:.4g} pJ"


def number(value):
    """Return a count with its thousands apart; one digit where it is a mean."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.1f}" if value >= 10 else f"{value:.4g}"
    return f"{int(value):,}"


def _aligned(rows, left=(0,)):
    """Return rows as columns: words to the left, numbers to the right."""
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[k]) for row in full) for k in range(len(full[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
        for row in rows
    )
