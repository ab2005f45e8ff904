"""The machine's reading: a rule's stages as one fused loop over all coordinates, compiled by numba.

The stages are called with symbols, as for the displayed formula, and printed as the body of a loop. What depends
on hyper-parameters and t alone is taken out of the loop and computed once, in double precision. numba is an extra:
the book's other readings need only NumPy.
"""

import math
from functools import cache, cached_property

import numpy as np
import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from dlnotes import checks, symbolic  # noqa: F401  (symbolic teaches sqrt and maximum to read symbols)
from dlnotes.objectives import Objective
from dlnotes.rules import HYPERPARAMETERS, Rule

DTYPES = {np.dtype("float64"), np.dtype("float32")}
SERIAL = 16_384  # below this size a second thread costs more than it saves
TAKEN = {
    *vars(math),
    "real",
    "double",
    "empty",
    "prange",
    "min",
    "threads",
    "thread",
    "size",
    "i",
    "run",
    "steps",
    "step",
}
BLOCK = 64  # members of a sweep that go through all steps together, in the nearest cache


def compiled(rule):
    """Return the machine kernel of a rule: the same stages as one loop that steps in place.

    Parameters
    ----------
    rule : Rule
        For instance ``dlnotes.adam``.

    Returns
    -------
    Kernel
        One object for each rule; it compiles at the first call for each dtype, about a second.

    Raises
    ------
    TypeError
        If `rule` is not a `Rule`.
    ImportError
        If numba is not installed.
    ValueError
        If a state has a name that the loop needs itself.

    Examples
    --------
    >>> from dlnotes import momentum
    >>> theta, g = np.array([1.0, 2.0]), np.array([1.0, 4.0])
    >>> step, state = compiled(momentum), momentum.init(theta)
    >>> step(theta, g, state, t=1, eta=0.1)
    >>> theta, state["m"]
    (array([0.9, 1.6]), array([-0.1, -0.4]))
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, got {rule!r}")
    _numba()
    return _kernel(rule)


@cache
def _kernel(rule):
    return Kernel(rule)


def _numba():
    try:
        import numba
    except ImportError as error:  # missing, or refusing this NumPy: the cause stays visible
        raise ImportError(
            'compiled rules need numba: install the extra "fast" from the clone, pip install -e ".[fast]"'
        ) from error
    return numba


class Kernel:
    """A compiled rule, made by `compiled`. Call it to take a step in place.

    Attributes
    ----------
    rule : Rule
        The rule whose stages were compiled.
    source : str
        The loop as it was printed, Python that numba compiles.
    """

    def __init__(self, rule):
        self.rule, self._checked, self._loops, self._sweeps = rule, (None, None), {}, {}
        self._body = _Body(rule)
        self.source = self._body.step()

    def __call__(self, theta, g, state, t, **hyper):
        """Take one step: `theta` and the arrays of `state` are changed in place.

        Parameters
        ----------
        theta, g : numpy.ndarray
            Parameters before the step, and the gradient: contiguous, of one shape and dtype, float64 or float32.
        state : dict of str to numpy.ndarray
            Last value of each name in ``rule.state``, as ``rule.init(theta)`` makes it.
        t : int
            Step number, from 1.
        **hyper : float
            The rule's hyper-parameters; what is left out takes the rule's default. They are rounded to the dtype of
            `theta`.

        Raises
        ------
        TypeError
            If an array is none, or a hyper-parameter is missing, unknown or not a number.
        ValueError
            If an array has another shape or dtype than `theta`, is not contiguous or is read-only, t < 1, or a
            hyper-parameter is out of range. Numbers that are not finite go through, as in `Rule`.
        """
        arrays = self._arrays(theta, g, state)
        values = self._values(hyper, t)
        loop, threads = self._loop("step", theta.dtype, theta.size)
        loop(threads, *arrays, float(t), *values)

    def point(self, theta, state, t, *, out=None, **hyper):
        """Return where the gradient of step `t` is taken: `theta` itself, or `out`.

        Parameters
        ----------
        theta, state, t, **hyper
            As in a call, which raises the same errors.
        out : numpy.ndarray, optional
            Where the point is written, of the shape and dtype of `theta`; by default into a new array.

        Returns
        -------
        numpy.ndarray
            Of the shape and dtype of `theta`.
        """
        if "at" not in self.rule.stages:
            return theta
        result = np.empty_like(theta) if out is None else out
        arrays = self._arrays(theta, result, state)
        values = self._values(hyper, t)
        loop, threads = self._loop("point", theta.dtype, theta.size)
        loop(threads, *arrays, float(t), *values)
        return result

    def sweep(self, objective, start, steps, **hyper):
        """Run many configurations of the rule at once on a surface, and return where each of them ends.

        Gradients are compiled into the loop from the surface's own expression. ``minimize`` does the same on
        arrays; this is its fast form where only the ends matter.

        Parameters
        ----------
        objective : Objective
            The surface, in d variables.
        start : array_like of float, shape (d,) or (C, d)
            The start, one for all members or one for each.
        steps : int
            Number of steps, at least 0.
        **hyper : float or array_like
            The rule's hyper-parameters: a number, or one value for each of the C members, of shape (C,).

        Returns
        -------
        numpy.ndarray of shape (C, d)
            The parameters after the last step. A member that leaves the finite numbers is not frozen as by
            ``minimize``: it ends infinite or NaN, or, where only a square overflowed, no longer moves there.

        Raises
        ------
        TypeError
            If `objective` is not an `Objective`, or a hyper-parameter is missing, unknown or not a number.
        ValueError
            If `start` or `steps` does not fit, or a hyper-parameter is out of range or of another length.
        """
        if not isinstance(objective, Objective):
            raise TypeError(f"objective must be an Objective, got {objective!r}")
        start = checks.real_array("start", start)
        if start.ndim not in (1, 2) or start.shape[-1] != objective.dimension:
            raise ValueError(f"start must have the shape (…, {objective.dimension}), got {start.shape}")
        dtype = start.dtype if start.dtype in DTYPES else np.dtype(float)
        steps = checks.whole_number("steps", steps)
        values = self._named(hyper)
        members = {len(start)} if start.ndim == 2 else set()
        for name, value in values.items():
            values[name] = np.asarray(HYPERPARAMETERS[name].check(name, value), dtype).astype(float)
            if values[name].ndim > 1:
                raise ValueError(f"{name} must be a number or have the shape (C,), got shape {values[name].shape}")
            members |= {values[name].size} if values[name].ndim else set()
        if len(members) > 1:
            raise ValueError(f"start and hyper-parameters must agree on the number of members, got {sorted(members)}")
        count = members.pop() if members else 1
        varying = tuple(name for name, value in values.items() if value.ndim)
        theta = np.empty((objective.dimension, count), dtype)
        theta[:] = start.T if start.ndim == 2 else start[:, np.newaxis]
        run = self._sweep(objective, varying, dtype, parallel=count > 4 * BLOCK)
        run(theta, steps, *(value if value.ndim else float(value) for value in values.values()))
        return np.ascontiguousarray(theta.T)

    # --- checks --------------------------------------------------------------------------------------------------
    def _arrays(self, theta, g, state):
        if state.keys() != self._states:
            raise ValueError(f"state must hold {list(self.rule.state)}, got {list(state)}")
        arrays = [theta, g, *(state[name] for name in self.rule.state)]
        for name, array in zip(self._body.arrays, arrays, strict=True):
            if type(array) is not np.ndarray or array.dtype not in DTYPES:
                raise TypeError(f"{name} must be a NumPy array of float64 or float32, got {array!r}")
            if array.shape != theta.shape or array.dtype != theta.dtype:
                raise ValueError(
                    f"{name} must have the shape {theta.shape} and dtype {theta.dtype} of theta, "
                    f"got {array.shape} and {array.dtype}"
                )
            flags = array.flags
            if not (flags.c_contiguous and (flags.writeable or array is g)):
                raise ValueError(f"{name} must be contiguous and writeable, got {flags}")
        return arrays if theta.ndim == 1 else [array.reshape(-1) for array in arrays]

    def _named(self, hyper):
        if unknown := hyper.keys() - self._hypers:
            raise TypeError(f"{self.rule.name} has the hyper-parameters {list(self.rule.hyper)}, got {sorted(unknown)}")
        values = {name: hyper.get(name, self._defaults[name]) for name in self.rule.hyper}
        for name, value in values.items():
            if value is None:
                raise TypeError(f"{self.rule.name} needs {name} ({HYPERPARAMETERS[name].meaning})")
        return values

    def _values(self, hyper, t):
        if not t >= 1:
            raise ValueError(f"t must be in [1, inf), got {t}")
        known, values = self._checked  # one pair: another thread may replace it
        try:
            if hyper == known:  # the common case: the same numbers as at the step before
                return values
        except ValueError:  # an array is neither equal nor unequal; it is refused below
            pass
        values = []
        for name, value in self._named(hyper).items():
            if np.ndim(value):
                raise TypeError(f"{name} must be a number, got an array of shape {np.shape(value)}")
            values.append(HYPERPARAMETERS[name].check(name, value))
        self._checked = dict(hyper), values
        return values

    @cached_property
    def _states(self):
        return dict.fromkeys(self.rule.state).keys()

    @cached_property
    def _hypers(self):
        return dict.fromkeys(self.rule.hyper).keys()

    @cached_property
    def _defaults(self):
        return {name: self.rule.default(name) for name in self.rule.hyper}

    # --- compilation ---------------------------------------------------------------------------------------------
    def _loop(self, kind, dtype, size):
        threads = min(_numba().get_num_threads(), -(-size // SERIAL))
        key = kind, dtype, threads > 1
        if key not in self._loops:
            source = self._body.step() if kind == "step" else self._body.point()
            self._loops[key] = _compile(source, dtype, parallel=threads > 1)
        return self._loops[key], threads

    def _sweep(self, objective, varying, dtype, parallel):
        key = objective, varying, dtype, parallel
        if key not in self._sweeps:
            self._sweeps[key] = _compile(self._body.sweep(objective, varying), dtype, parallel)
        return self._sweeps[key]


def _compile(source, dtype, parallel):
    """Compile a printed function. One operation may be fused with the next (a product and a sum rounded once)."""
    numba = _numba()
    names = vars(math) | {"real": dtype.type, "double": np.float64, "empty": np.empty}
    exec(source, names | {"prange": numba.prange if parallel else range, "min": min}, scope := {})
    return numba.njit(parallel=parallel, fastmath={"contract"}, error_model="numpy", nogil=True)(scope["run"])


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


class _Body:
    """The statements of a rule for one coordinate, and what of them can stand before the loop."""

    def __init__(self, rule):
        self.rule, self.fixed = rule, {}
        self.arrays = ["theta", "g", *rule.state]
        if taken := sorted(TAKEN.intersection(self.arrays)):
            raise ValueError(f"{rule.name}: {taken} are names of the loop itself, call that state otherwise")
        self.t = sp.Symbol("t", positive=True, integer=True)
        self.hyper = {name: sp.Symbol(name, positive=True) for name in rule.hyper}
        values = {**self.hyper, "t": self.t, **{name: _variable(name) for name in self.arrays}}
        self.lines = []
        if "at" in rule.stages:
            self.at = self._hoisted(rule.stages["at"](*(values[name] for name in rule.reads["at"])))
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
        """The source of the loop of one step."""
        body = [f"{name}_i = {_code(formula)}" for name, formula in ((n[:-2], f) for n, f in self.lines)]
        body += [f"{name}_part[i] = {name}_i" for name in self.rule.state] + ["theta_part[i] = theta_i + dtheta_i"]
        return self._function(body)

    def point(self):
        """The source of the loop that writes the point of the gradient into ``g``."""
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
        """The source of a run of all members: blocks of members in threads, steps, members of a block."""
        d, powers = objective.dimension, {}
        fixed = {symbol: _running(formula, self.t, powers) for formula, symbol in self.fixed.items()}
        own = {sp.Symbol(name, positive=True) for name in varying}
        powers = {base: (power, base in own) for base, power in powers.items()}
        own |= {power for power, is_own in powers.values() if is_own}
        shared = [f"{symbol} = real({_code(f)})" for symbol, f in fixed.items() if not f.free_symbols & own]
        members = [f"{symbol} = real({_code(f)})" for symbol, f in fixed.items() if f.free_symbols & own]

        states = [f"{name}_{j}" for name in self.rule.state for j in range(d)]
        members += [f"theta_{j} = theta_{j}s[i]" for j in range(d)]
        members += [f"{state} = {state}s[i]" for state in states]
        at = getattr(self, "at", _variable("theta"))
        members += [f"at_{j} = {_code(_coordinate(at, j))}" for j in range(d)]
        place = {v: sp.Symbol(f"at_{j}", real=True) for j, v in enumerate(objective.variables)}
        names = [sp.Symbol(f"g_{j}", real=True) for j in range(d)]
        parts, slopes = sp.cse(
            [slope.xreplace(place) for slope in objective.gradient_expression], sp.numbered_symbols("part_", real=True)
        )
        formulas, numbers = _named_numbers([formula for _, formula in parts] + slopes)
        members += [
            f"{name} = {_code(formula)}" for name, formula in zip([n for n, _ in parts] + names, formulas, strict=True)
        ]
        for name, formula in self.lines:
            members += [f"{name[:-2]}_{j} = {_code(_coordinate(formula, j))}" for j in range(d)]
        members += [f"{state}s[i] = {state}" for state in states]
        members += [f"theta_{j}s[i] = theta_{j} + dtheta_{j}" for j in range(d)]
        for base, (power, is_own) in powers.items():
            (members if is_own else shared).insert(0, f"{power}{'s[i]' if is_own else ''} *= {base}")
            if is_own:
                members.insert(1, f"{power} = {power}s[i]")
        members = [f"{name} = {name}_part[i]" for name in varying] + members

        lines = [f"def run(theta, steps, {', '.join(f'{n}s' if n in varying else n for n in self.rule.hyper)}):"]
        lines += [f"    {name} = real({_code(number)})" for name, number in numbers.items()]
        lines += ["    count = theta.shape[1]", f"    for block in prange((count + {BLOCK - 1}) // {BLOCK}):"]
        lines += [f"        first = block * {BLOCK}", f"        size = min({BLOCK}, count - first)"]
        lines += [f"        theta_{j}s = theta[{j}, first : first + size]" for j in range(d)]
        lines += [f"        {name}_part = {name}s[first : first + size]" for name in varying]
        for state in states:
            lines += [
                f"        {state}s = empty({BLOCK}, real)",
                f"        {state}s[:] = {self.rule.start.get(state.rpartition('_')[0], 0.0)!r}",
            ]
        for _, (power, is_own) in powers.items():
            lines += (
                [f"        {power}s = empty({BLOCK}, double)", f"        {power}s[:] = 1.0"]
                if is_own
                else [f"        {power} = 1.0"]
            )
        lines += ["        for step in range(steps):", "            t = double(step + 1)"]
        lines += [f"            {line}" for line in shared]
        lines += ["            for i in range(size):", *(f"                {line}" for line in members)]
        return "\n".join(lines) + "\n"


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
