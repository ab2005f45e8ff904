"""A rule's stages printed as loops for `dlnotes.kernels`: one step over all coordinates, or a sweep over all members.

The stages are called with symbols, as for the displayed formula, and printed as the body of a loop. What depends
on hyper-parameters and t alone is taken out of the loop and computed once, in double precision.
"""

import math

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from dlnotes import symbolic  # noqa: F401  (teaches sqrt and maximum to read symbols)

TAKEN = {
    *vars(math),
    *["real", "double", "empty", "prange", "min", "threads", "thread", "size", "i", "run", "steps", "step"],
}
"""Names of the loops themselves, which no state may have."""

BLOCK = 64
"""Members of a sweep that go through all steps together, in the nearest cache."""


class _Printer(PythonCodePrinter):
    """SymPy's Python, with squares as products, roots by name, and the larger of two as NumPy means it."""

    def __init__(self):
        super().__init__({"fully_qualified_modules": False})

    def _print_Pow(self, expr, rational=False):
        if expr.exp == 2:
            base = self.parenthesize(expr.base, sp.printing.precedence.PRECEDENCE["Atom"], strict=True)
            return f"({base}*{base})"
        return super()._print_Pow(expr, rational=rational)

    def _print_Max(self, expr):
        first, *others = map(self._print, expr.args)
        for other in others:  # NaN if either is, as numpy.maximum
            first = f"({other} if {other} > {first} or {other} != {other} else {first})"
        return first


class KernelSource:
    """The statements of a rule for one coordinate, and what of them can stand before the loop.

    Parameters
    ----------
    rule : Rule
        Any rule.

    Raises
    ------
    ValueError
        If a state has one of the names in `TAKEN`.
    """

    def __init__(self, rule):
        self.rule, self.fixed = rule, {}
        self.arrays = ["theta", "g", *rule.state]
        if taken := sorted(TAKEN.intersection(self.arrays)):
            raise ValueError(f"{rule.name}: {taken} are names of the loop itself, call that state otherwise")
        self.t = sp.Symbol("t", positive=True, integer=True)
        self.hyper = {name: sp.Symbol(name, positive=True) for name in rule.hyper}
        values = {**self.hyper, "t": self.t, **{name: _variable(name) for name in self.arrays}}
        self.lines = []
        state = {name: values[name] for name in rule.state}
        self.at = self._hoisted(rule.point(values["theta"], state, self.t, **self.hyper))
        for stage, function in rule.stages.items():
            if stage == "at":
                continue
            formula = sp.sympify(function(*(values[name] for name in rule.reads[stage])))
            if stage != "dtheta" and stage not in rule.state and not self._varies(formula):
                values[stage] = formula  # a schedule: no coordinate enters it
                continue
            values[stage] = _variable(stage)
            self.lines.append((f"{stage}_i", self._hoisted(formula)))

    def _varies(self, expression):
        return any(symbol.name.endswith("_i") for symbol in expression.free_symbols)

    def _hoisted(self, expression):
        """`expression` with every part that is the same for all coordinates replaced by a name."""
        if not self._varies(expression):
            if expression in (1, -1):
                return expression
            return self.fixed.setdefault(expression, sp.Symbol(f"fixed_{len(self.fixed)}", real=True))
        if expression.is_Add or expression.is_Mul:
            same, differs = sp.sift(expression.args, self._varies, binary=True)[::-1]
            parts = [self._hoisted(part) for part in differs]
            same = expression.func(*same)
            return expression.func(*parts, *([] if same == expression.func.identity else [self._hoisted(same)]))
        if expression.is_Pow:
            return sp.Pow(self._hoisted(expression.base), expression.exp)
        if isinstance(expression, sp.Max):
            return sp.Max(*(self._hoisted(part) for part in expression.args))
        return expression

    # --- one step, or one point ----------------------------------------------------------------------------------
    def step(self):
        """Return the source of the loop of one step.

        Returns
        -------
        str
            A function of the number of threads, the arrays, t and the hyper-parameters.
        """
        body = [f"{name} = {_code(formula)}" for name, formula in self.lines]
        body += [f"{name}_part[i] = {name}_i" for name in self.rule.state] + ["theta_part[i] = theta_i + dtheta_i"]
        return self._function(body)

    def point(self):
        """Return the source of the loop that writes the point of the gradient into ``g``.

        Returns
        -------
        str
            A function of the same arguments as that of `step`.
        """
        return self._function([f"g_part[i] = {_code(self.at)}"])

    def _function(self, body):
        lines = [f"def run(threads, {', '.join([*self.arrays, 't', *self.rule.hyper])}):"]
        lines += [f"    {name} = double(real({name}))" for name in self.rule.hyper]
        lines += [f"    {symbol} = real({_code(formula)})" for formula, symbol in self.fixed.items()]
        lines += ["    size = (theta.size + threads - 1) // threads", "    for thread in prange(threads):"]
        lines += [f"        {name}_part = {name}[thread * size : (thread + 1) * size]" for name in self.arrays]
        lines += ["        for i in range(theta_part.size):"]
        lines += [
            f"            {name}_i = {name}_part[i]"
            for name in self.arrays
            if any(f"{name}_i" in line for line in body)
        ]
        return "\n".join(lines + [f"            {line}" for line in body]) + "\n"

    # --- many configurations ------------------------------------------------------------------------------------
    def sweep(self, objective, varying):
        """Return the source of a run of all members: blocks of members in threads, steps, members of a block.

        Parameters
        ----------
        objective : Objective
            The surface.
        varying : sequence of str
            Hyper-parameters that differ from member to member.

        Returns
        -------
        str
            A function of the coordinates (shape (d, C)), the number of steps and the hyper-parameters.
        """
        d, powers = objective.dimension, {}
        fixed = {symbol: _running(formula, self.t, powers) for formula, symbol in self.fixed.items()}
        own = {sp.Symbol(name, positive=True) for name in varying}
        own_powers = {base: power for base, power in powers.items() if base in own}
        shared_powers = {base: power for base, power in powers.items() if base not in own}
        own |= set(own_powers.values())
        states = [f"{name}_{j}" for name in self.rule.state for j in range(d)]
        gradient, numbers = _gradient(objective)

        shared = [f"{power} *= {base}" for base, power in shared_powers.items()]
        shared += [f"{symbol} = real({_code(f)})" for symbol, f in fixed.items() if not f.free_symbols & own]
        member = [f"{name} = {name}_part[i]" for name in varying]
        for base, power in own_powers.items():
            member += [f"{power}s[i] *= {base}", f"{power} = {power}s[i]"]
        member += [f"{symbol} = real({_code(f)})" for symbol, f in fixed.items() if f.free_symbols & own]
        member += [f"{name} = {name}s[i]" for name in [*(f"theta_{j}" for j in range(d)), *states]]
        member += [f"at_{j} = {_code(_coordinate(self.at, j))}" for j in range(d)] + gradient
        member += [f"{name[:-2]}_{j} = {_code(_coordinate(f, j))}" for name, f in self.lines for j in range(d)]
        member += [f"{state}s[i] = {state}" for state in states]
        member += [f"theta_{j}s[i] = theta_{j} + dtheta_{j}" for j in range(d)]

        start = [f"{power} = 1.0" for power in shared_powers.values()]
        start += [f"theta_{j}s = theta[{j}, first : first + size]" for j in range(d)]
        start += [f"{name}_part = {name}s[first : first + size]" for name in varying]
        arrays = [(f"{power}s", "double", 1.0) for power in own_powers.values()]
        arrays += [(f"{state}s", "real", self.rule.start.get(state.rpartition("_")[0], 0.0)) for state in states]
        for name, dtype, first in arrays:
            start += [f"{name} = empty({BLOCK}, {dtype})", f"{name}[:] = {first!r}"]
        lines = [f"def run(theta, steps, {', '.join(f'{n}s' if n in varying else n for n in self.rule.hyper)}):"]
        lines += [f"    {name} = real({_code(number)})" for name, number in numbers.items()]
        lines += ["    count = theta.shape[1]", f"    for block in prange((count + {BLOCK - 1}) // {BLOCK}):"]
        lines += [f"        first = block * {BLOCK}", f"        size = min({BLOCK}, count - first)"]
        lines += [f"        {line}" for line in start]
        lines += ["        for step in range(steps):", "            t = double(step + 1)"]
        lines += [f"            {line}" for line in shared]
        lines += ["            for i in range(size):", *(f"                {line}" for line in member)]
        return "\n".join(lines) + "\n"


def _gradient(objective):
    """The lines that compute ``g_0, g_1, …`` at ``at_0, at_1, …``, and the numbers in them, by their names."""
    place = {v: sp.Symbol(f"at_{j}", real=True) for j, v in enumerate(objective.variables)}
    slopes = [slope.xreplace(place) for slope in objective.gradient_expression]
    parts, slopes = sp.cse(slopes, sp.numbered_symbols("part_", real=True))
    names = [*(name for name, _ in parts), *(f"g_{j}" for j in range(len(slopes)))]
    formulas, numbers = _named_numbers([*(formula for _, formula in parts), *slopes])
    return [f"{name} = {_code(formula)}" for name, formula in zip(names, formulas, strict=True)], numbers


def _variable(name):
    return sp.Symbol(f"{name}_i", real=True)


def _code(expression):
    return _Printer().doprint(expression)


def _coordinate(expression, j):
    """`expression` for coordinate j of a member: every variable gets the coordinate's number."""
    own = {s: sp.Symbol(f"{s.name[:-2]}_{j}", real=True) for s in expression.free_symbols if s.name.endswith("_i")}
    return expression.xreplace(own)


def _running(expression, t, powers):
    """`expression` with each power b^(t + k) as b^k times a product that grows by one factor b a step."""
    found = {}
    for power in expression.atoms(sp.Pow):
        k = sp.expand(power.exp - t)
        if power.base.is_Symbol and k.is_Integer:
            running = powers.setdefault(power.base, sp.Symbol(f"{power.base}_power", positive=True))
            found[power] = running * power.base**k
    return expression.xreplace(found)


def _named_numbers(expressions):
    """`expressions` with names for their numbers, and what the names stand for: a number would widen a float32 loop."""
    names = {}

    def renamed(part):
        if part.is_Number and part not in (1, -1):
            return names.setdefault(part, sp.Symbol(f"number_{len(names)}", real=True))
        if part.is_Pow:  # an exponent is no factor
            return sp.Pow(renamed(part.base), part.exp)
        return part.func(*map(renamed, part.args)) if part.args else part

    renamed_all = [renamed(expression) for expression in expressions]
    return renamed_all, {name: number for number, name in names.items()}
