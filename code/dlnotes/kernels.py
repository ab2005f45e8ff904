"""The machine's reading: a rule's stages as one fused loop over all coordinates, compiled by numba.

`dlnotes.kernel_source` prints the loop. numba is an extra: the book's other readings need only NumPy.
"""

import math
from functools import cache

import numpy as np

from dlnotes import checks
from dlnotes.kernel_source import BLOCK, KernelSource
from dlnotes.objectives import Objective
from dlnotes.rules import HYPERPARAMETERS, Rule

DTYPES = {np.dtype("float64"), np.dtype("float32")}
SERIAL = 16_384  # below this size a second thread costs more than it saves


def compiled(rule):
    """Return the machine kernel of a rule: the same stages as one loop that steps in place.

    Parameters
    ----------
    rule : Rule
        For instance ``dlnotes.adam``.

    Returns
    -------
    Kernel
        One object for each rule; it compiles at the first call for each dtype, in a fraction of a second.

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
        self._printed = KernelSource(rule)
        self.source = self._printed.step()
        self._states, self._hypers = set(rule.state), set(rule.hyper)
        self._defaults = {name: rule.default(name) for name in rule.hyper}

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
        for name, array in zip(self._printed.arrays, arrays, strict=True):
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

    # --- compilation ---------------------------------------------------------------------------------------------
    def _loop(self, kind, dtype, size):
        threads = min(_numba().get_num_threads(), -(-size // SERIAL))
        key = kind, dtype, threads > 1
        if key not in self._loops:
            source = self._printed.step() if kind == "step" else self._printed.point()
            self._loops[key] = _compile(source, dtype, parallel=threads > 1)
        return self._loops[key], threads

    def _sweep(self, objective, varying, dtype, parallel):
        key = objective, varying, dtype, parallel
        if key not in self._sweeps:
            self._sweeps[key] = _compile(self._printed.sweep(objective, varying), dtype, parallel)
        return self._sweeps[key]


def _compile(source, dtype, parallel):
    """Compile a printed function. One operation may be fused with the next (a product and a sum rounded once)."""
    numba = _numba()
    names = vars(math) | {"real": dtype.type, "double": np.float64, "empty": np.empty}
    exec(source, names | {"prange": numba.prange if parallel else range, "min": min}, scope := {})
    return numba.njit(parallel=parallel, fastmath={"contract"}, error_model="numpy", nogil=True)(scope["run"])
