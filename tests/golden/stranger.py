"""An implementation by docs/arithmetic.md alone: it reads a golden file, nothing of ours.

Every rule that can be got wrong is a method of its own, so that a test can get one
wrong and see that some file tells. Tables are read by their hash from `tables`, whose
entries the docs state too; they are held to the docs by tests of their own.
"""

WORD = 2**32


def mix(x):
    """Return Wellons' lowbias32 of x."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) % WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) % WORD
    return x ^ (x >> 16)


class Stranger:
    """One chip of a golden file, from its first state on."""

    def __init__(self, golden, tables):
        self.golden, self.tables = golden, tables
        start = golden["states"][0]
        self.weights = [[row[:] for row in matrix] for matrix in start["weights"]]
        self.sums = [[row[:] for row in matrix] for matrix in start["sums"]]
        self.counters = [row[:] for row in start["counters"]]
        self.step = start["steps"]
        self.error = self.unit_error = None

    def state(self):
        """Return what a state of the file should be."""
        return {
            "weights": self.weights, "sums": self.sums, "steps": self.step,
            "counters": self.counters, "error": self.error, "unit_error": self.unit_error,
        }  # fmt: skip

    def agrees(self):
        """Return whether every state of the file comes out."""
        batch, states = self.golden["batch"], self.golden["states"]
        for k, wanted in enumerate(states[1:]):
            self.learn(self.golden["cases"][k * batch : (k + 1) * batch])
            if self.state() != wanted:
                return False
        return True

    def learn(self, cases):
        """Run a batch's cases, then write."""
        errors = []
        for case in cases:
            slots = {}
            for op in self.golden["operations"]:
                if op["opcode"] != "write":
                    getattr(self, op["opcode"])(op, slots, case)
            target, output = (slots[slot] for slot in self.golden["monitor"])
            errors += [a - b for a, b in zip(target, output, strict=True)]
        one = self.golden["slots"][self.golden["monitor"][0]]["one"]
        self.error = sum(e * e for e in errors) / len(errors) / (one * one)
        self.unit_error = max(map(abs, errors)) / one
        for op in self.golden["operations"]:
            if op["opcode"] == "write":
                self.write(op["matrix"])
        self.step += 1

    # -- operations of a case

    def clamp(self, op, slots, case):
        first, size = op["case_offset"], self.golden["slots"][op["dst"]]["size"]
        slots[op["dst"]] = case[first : first + size]

    def project(self, op, slots, case):
        weights, source = self.weights[op["matrix"]], slots[op["first"]]
        if op["transposed"]:
            weights = list(zip(*weights, strict=True))[:-1]
            sums = [_dot(column, source) for column in weights]
        else:
            sums = [
                _dot(row[:-1], source) + (self.bias(row[-1], op) if op["bias"] else 0)
                for row in weights
            ]
        codes = [self.shift(s, op["shift"]) for s in sums]
        if op["low"] != op["high"]:
            self.clipped(op["matrix"], sum(not op["low"] <= c <= op["high"] for c in codes))
            codes = [self.clip(c, op["low"], op["high"]) for c in codes]
        if op["table"] >= 0:
            table = self.tables[self.golden["tables"][op["table"]]["sha256"]]
            codes = [table[c - op["low"]] for c in codes]
        slots[op["dst"]] = codes

    def combine(self, op, slots, case):
        (a, b), pairs = op["gains"], zip(slots[op["first"]], slots[op["second"]], strict=True)
        slots[op["dst"]] = [self.shift(a * x + b * y, op["shift"]) for x, y in pairs]

    def gate(self, op, slots, case):
        slope, one = op["function"], op["one"]
        steep = {"logistic": lambda y: y * (one - y), "tanh": lambda y: one * one - y * y}
        pairs = zip(slots[op["first"]], slots[op["second"]], strict=True)
        slots[op["dst"]] = [
            self.shift(e * steep.get(slope, lambda y: 1)(y), op["shift"]) for e, y in pairs
        ]

    def correlate(self, op, slots, case):
        pre = [*slots[op["second"]], 1 << op["bias_align"]]
        for row, post in zip(self.sums[op["matrix"]], slots[op["first"]], strict=True):
            row[:] = [g + op["gains"][0] * post * y for g, y in zip(row, pre, strict=True)]

    def write(self, k):
        matrix = self.golden["matrices"][k]
        key = self.key(self.golden["seed"], self.step, k)
        low, high = self.rails(matrix["bits"])
        for i, row in enumerate(self.weights[k]):
            for j, weight in enumerate(row):
                s = self.shift_of(matrix, j)
                g, index = self.sums[k][i][j], self.index(matrix, i, j)
                bits = mix((key + index * 0x9E3779B9) % WORD)
                change = getattr(self, matrix["rounding"])(g, s, bits)
                row[j] = self.saturate(weight + change, low, high)
                hit = row[j] != weight + change
                carries = matrix["rounding"] == "carry"
                self.sums[k][i][j] = self.left(g - (change << s), hit) if carries else 0
                self.count(k, hit, carries, g, change)

    # -- rules that can be got wrong

    def shift(self, x, n):
        return (x + (1 << (n - 1))) >> n if n > 0 else x << -n

    def bias(self, weight, op):
        return weight << op["bias_align"]

    def clip(self, code, low, high):
        return min(max(code, low), high)

    def saturate(self, weight, low, high):
        return min(max(weight, low), high)

    def rails(self, bits):
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def shift_of(self, matrix, column):
        return matrix["shift"] if column < matrix["cols"] else matrix["bias_shift"]

    def index(self, matrix, row, column):
        return column * matrix["rows"] + row

    def left(self, remainder, hit):
        return 0 if hit else remainder

    def floor(self, g, s, bits):
        return g >> s

    def half_up(self, g, s, bits):
        return (g + ((1 << s) >> 1)) >> s

    carry = half_up

    def half_even(self, g, s, bits):
        down, rest = g >> s, g - (g >> s << s)
        return down + (2 * rest > 1 << s or (2 * rest == 1 << s and down % 2 == 1))

    def stochastic(self, g, s, bits):
        return (g + self.random(s, bits)) >> s

    def random(self, s, bits):
        return bits >> (32 - s) if s <= 32 else bits << (s - 32)

    def key(self, seed, step, matrix):
        key = 20
        for word in (seed % WORD, seed // WORD, step % WORD, step // WORD, matrix):
            key = mix(((key ^ word) + 0x9E3779B9) % WORD)
        return key

    def clipped(self, matrix, count):
        self.counters[matrix][1] += count

    def count(self, matrix, hit, carries, g, change):
        self.counters[matrix][0] += hit
        if not carries:
            self.counters[matrix][2] += g != 0
            self.counters[matrix][3] += g != 0 and change == 0


def _dot(weights, source):
    return sum(w * y for w, y in zip(weights, source, strict=True))
