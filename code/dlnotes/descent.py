"""Run an update rule: `minimize` is the one loop of the book, `minibatches` feeds it parts of the data."""

from dataclasses import dataclass

import numpy as np

from dlnotes import checks
from dlnotes.rules import HYPERPARAMETERS, Rule


@dataclass(frozen=True)
class Trajectory:
    """What `minimize` recorded, at the steps ``0, every, 2 * every, …``.

    Attributes
    ----------
    theta : numpy.ndarray
        The parameters, of shape ``(records, *start.shape)``; ``theta[0]`` is the start.
    steps : numpy.ndarray of int
        The step number of each record.
    values : numpy.ndarray or None
        ``value(theta)`` at each record, of shape ``(records, *start.shape[:-1])``; None without `value`.
    gradient_norms : numpy.ndarray
        Euclidean norm of the gradient used for the step that leaves each record but the last,
        of shape ``(records - 1, *start.shape[:-1])``.
    evaluations : numpy.ndarray of int
        Gradient evaluations spent before each record: examples looked at where the gradient counts
        them in an attribute ``evaluations`` (as `minibatches` does), calls of the gradient otherwise.
    diverged : numpy.ndarray of bool
        For each member of a batch whether it left the finite numbers and was frozen, of shape
        ``start.shape[:-1]``. A single run raises instead, so there it is always False.
    """

    theta: np.ndarray
    steps: np.ndarray
    values: np.ndarray | None
    gradient_norms: np.ndarray
    evaluations: np.ndarray
    diverged: np.ndarray


def minimize(rule, gradient, start, steps, *, value=None, project=None, every=1, **hyper):
    """Apply an update rule `steps` times and return the path.

    The last axis of `start` holds the coordinates of one point. Further axes in front make a batch:
    that many independent runs at once, a whole sweep of hyper-parameters for instance.

    Parameters
    ----------
    rule : Rule
        For instance ``dlnotes.gradient_descent``.
    gradient : callable
        ``gradient(theta)`` of the shape of `theta`. An object that needs the step number or a
        batch of data advances itself at each call.
    start : array_like of float
        First parameters, of shape ``(d,)``, ``()`` or, for a batch, ``(…, d)``. A floating dtype is kept.
    steps : int
        Number of steps, at least 0.
    value : callable, optional
        ``value(theta)`` of shape ``start.shape[:-1]``, called once for each record.
    project : callable, optional
        Maps the parameters back into a constraint set after each step.
    every : int, optional
        Keep one record every so many steps; `steps` must be a multiple of it.
    **hyper : float, array_like or callable
        The rule's hyper-parameters. An array broadcasts to the shape of `start`: ``(C, 1)`` gives
        each of C members its own, ``(d,)`` each coordinate. A callable is a schedule: it is given
        the step number ``t = 1, …, steps``. What is left out takes the rule's default.

    Returns
    -------
    Trajectory

    Raises
    ------
    TypeError
        If the rule is not a `Rule`, or a hyper-parameter is missing, unknown or not a number.
    ValueError
        If `start` is empty or not finite, a hyper-parameter is out of range, a gradient or value has
        the wrong shape, or a single run meets a gradient, value or parameter that is not finite.
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, got {rule!r}")
    theta = checks.real_array("start", start).copy()
    steps = checks.whole_number("steps", steps)
    every = checks.whole_number("every", every, low=1)
    if steps % every:
        raise ValueError(f"every must divide steps = {steps}, got {every}")
    hyper = _hyperparameters(rule, hyper, theta, steps)
    schedules = {name: value for name, value in hyper.items() if callable(value)}

    records, members = steps // every + 1, theta.shape[:-1]
    path = np.empty((records, *theta.shape), theta.dtype)
    values = None if value is None else np.empty((records, *members))
    norms = np.empty((records - 1, *members))
    evaluations = np.zeros(records, dtype=np.int64)
    spent = getattr(gradient, "evaluations", 0)
    diverged = np.zeros(members, dtype=bool)
    state = rule.init(theta)

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # finiteness is checked below
        for t in range(steps + 1):
            if t % every == 0:
                record = t // every
                path[record] = theta
                evaluations[record] = getattr(gradient, "evaluations", t) - spent
                if value is not None:
                    values[record] = _value(value, theta, t, diverged)
            if t == steps:
                break
            now = {**hyper, **{name: _cast(h(t + 1), theta.dtype) for name, h in schedules.items()}}
            g = _gradient(gradient, rule.point(theta, state, t + 1, **now))
            if t % every == 0:
                norms[t // every] = np.linalg.norm(np.atleast_1d(g), axis=-1)
            step, new_state = rule(theta, g, state, t + 1, **now)
            new = theta + step
            if project is not None:
                new = checks.real_array("project(theta)", project(new), shape=theta.shape, dtype=theta.dtype)
            if not (np.isfinite(new).all() and np.isfinite(g).all()):
                bad = ~(np.isfinite(new) & np.isfinite(g))
                if not members:
                    _raise_not_finite(g, new, t + 1)
                frozen = bad.any(axis=-1, keepdims=True) | diverged[..., None]
                diverged = frozen[..., 0]
            if diverged.any():
                frozen = diverged[..., None]
                new = np.where(frozen, theta, new)
                new_state = {name: np.where(frozen, state[name], new_state[name]) for name in state}
            theta, state = new, new_state
    return Trajectory(path, np.arange(records) * every, values, norms, evaluations, diverged)


def _hyperparameters(rule, given, theta, steps):
    if unknown := sorted(set(given) - set(rule.hyper)):
        raise TypeError(f"{rule.name} has the hyper-parameters {list(rule.hyper)}, got also {unknown}")
    result = {}
    for name in rule.hyper:
        value = given.get(name, rule.default(name))
        if value is None:
            raise TypeError(f"{rule.name} needs {name} ({HYPERPARAMETERS[name].meaning})")
        samples = [value(t) for t in range(1, steps + 1)] if callable(value) else [value]
        for sample in samples:
            shape = np.shape(HYPERPARAMETERS[name].check(name, sample))
            try:
                fits = np.broadcast_shapes(shape, theta.shape) == theta.shape
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(f"{name} must broadcast to the shape {theta.shape} of start, got shape {shape}")
        result[name] = value if callable(value) else _cast(value, theta.dtype)
    return result


def _cast(value, dtype):
    """A number stays a number (it does not widen float32); an array takes the dtype of the parameters."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype)


def _gradient(gradient, point):
    g = np.asarray(gradient(point))
    if g.shape != point.shape:
        raise ValueError(f"gradient must return the shape {point.shape} of its argument, got {g.shape}")
    if g.dtype.kind not in "fiu":
        raise TypeError(f"gradient must return real numbers, got dtype {g.dtype}")
    return g.astype(point.dtype, copy=False)


def _value(value, theta, t, diverged):
    result = np.asarray(value(theta), dtype=float)
    if result.shape != theta.shape[:-1]:
        raise ValueError(f"value must return the shape {theta.shape[:-1]}, one number a point, got {result.shape}")
    if not theta.shape[:-1] and not np.isfinite(result):
        raise ValueError(f"value must be finite, got {result} after step {t}")
    return result


def _raise_not_finite(g, new, t):
    what, array = ("the gradient", g) if not np.isfinite(g).all() else ("theta", new)
    array = np.atleast_1d(array)
    coordinate = np.flatnonzero(~np.isfinite(array))[0]
    raise ValueError(f"{what} must be finite, got {array[coordinate]} at coordinate {coordinate} in step {t}")


class MiniBatchGradient:
    """A gradient that looks at the next mini-batch at each call. Made by `minibatches`.

    Attributes
    ----------
    batch_size : int
        Examples in a batch.
    updates_per_epoch : int
        Calls until every example has been looked at once.
    evaluations : int
        Examples looked at so far.
    """

    def __init__(self, gradient, data, batch_size, rng, replace):
        self._gradient, self._data, self._rng, self._replace = gradient, data, rng, replace
        self.examples = len(data[0])
        self.batch_size = batch_size
        self.updates_per_epoch = -(-self.examples // batch_size)
        self.evaluations = 0
        self._order, self._next = None, self.examples

    def __call__(self, theta):
        batch = self._batch()
        self.evaluations += len(batch)
        return self._gradient(theta, *(array[batch] for array in self._data))

    def _batch(self):
        if self._replace:
            return self._rng.integers(self.examples, size=self.batch_size)
        if self._next >= self.examples:
            self._order, self._next = self._rng.permutation(self.examples), 0
        batch = self._order[self._next : self._next + self.batch_size]
        self._next += self.batch_size
        return batch


def minibatches(gradient, *data, batch_size, rng, replace=False):
    """Turn the gradient on given data into a gradient on one mini-batch after the other.

    With ``batch_size=1`` descent along it is stochastic gradient descent, with all examples batch
    gradient descent, in between mini-batch gradient descent.

    Parameters
    ----------
    gradient : callable
        ``gradient(theta, *batch)``: the mean gradient over the examples it is given.
    *data : array_like
        Arrays whose first axis counts the same N examples, for instance features and labels.
    batch_size : int
        Examples in a batch, from 1 to N. If it does not divide N the last batch of an epoch is smaller.
    rng : numpy.random.Generator
        Source of the random order.
    replace : bool, optional
        Draw each batch from all examples with replacement. By default every epoch runs once through
        the data in a new random order.

    Returns
    -------
    MiniBatchGradient
        Call it with ``theta``; its attribute ``evaluations`` counts the examples looked at.

    Raises
    ------
    TypeError
        If `gradient` is not callable, or `batch_size` or `rng` has the wrong type.
    ValueError
        If there is no data, the arrays differ in length, or `batch_size` is out of range.

    Notes
    -----
    Robbins and Monro 1951; Bottou, Curtis and Nocedal 2018, section 3.
    """
    if not callable(gradient):
        raise TypeError(f"gradient must be callable, got {gradient!r}")
    if not data:
        raise ValueError("data must hold at least one array, got none")
    for i, array in enumerate(data):
        checks.real_array(f"data[{i}]", array)
    data = [np.asarray(array) for array in data]  # labels keep their dtype
    lengths = [len(array) if array.ndim else 0 for array in data]
    if len(set(lengths)) > 1 or 0 in lengths:
        raise ValueError(f"data must be arrays with one first axis of examples, got lengths {lengths}")
    batch_size = checks.whole_number("batch_size", batch_size, low=1, high=lengths[0])
    return MiniBatchGradient(gradient, data, batch_size, checks.generator("rng", rng), bool(replace))
