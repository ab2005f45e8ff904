"""Run an update rule: `minimize` is the one loop of the book, `minibatches` feeds it parts of the data."""

from dataclasses import dataclass

import numpy as np

from dlnotes import checks
from dlnotes.rules import BLOCK, HYPERPARAMETERS, Rule


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
        For a member of a batch that diverged the last one may be infinite or NaN.
    gradient_norms : numpy.ndarray
        Euclidean norm of the gradient used for the step that leaves each record but the last,
        of shape ``(records - 1, *start.shape[:-1])``; NaN or infinite once a member diverged.
    evaluations : numpy.ndarray of int
        Gradient evaluations spent before each record: examples looked at where the gradient counts
        them in an attribute ``evaluations`` (as `minibatches` does), calls of the gradient otherwise.
    diverged : numpy.ndarray of bool
        For each member of a batch whether its gradient, state, parameters or value left the finite
        numbers, so that it was frozen at its last finite parameters; of shape ``start.shape[:-1]``. A
        single run raises instead, so there it is always False.
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
        ``gradient(theta)`` of the shape of `theta`, which it must not write to. An object that needs
        the step number or a batch of data advances itself at each call.
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
        each of C members its own, ``(d,)`` each coordinate. A callable is a schedule: it is called
        once for each step number ``t = 1, …, steps``. What is left out takes the rule's default.

    Returns
    -------
    Trajectory

    Raises
    ------
    TypeError
        If the rule is not a `Rule`, a function is not callable or returns no real numbers, or a
        hyper-parameter is missing, unknown or not a number.
    ValueError
        If `start` is empty or not finite, a hyper-parameter is out of range, a gradient, value or stage
        has the wrong shape, or a single run meets a number that is not finite.
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, got {rule!r}")
    for name, function in {"gradient": gradient, "value": value, "project": project}.items():
        if not callable(function) and (name == "gradient" or function is not None):
            raise TypeError(f"{name} must be callable, got {function!r}")
    theta = _read_only(checks.real_array("start", start).copy())
    steps = checks.whole_number("steps", steps)
    every = checks.whole_number("every", every, low=1)
    if steps % every:
        raise ValueError(f"every must divide steps = {steps}, got {every}")
    hyper = _hyperparameters(rule, hyper, theta, steps)

    records, members, dtype = steps // every + 1, theta.shape[:-1], theta.dtype
    path = np.empty((records, *theta.shape), dtype)
    values = None if value is None else np.empty((records, *members))
    norms = np.empty((records - 1, *members))
    evaluations = np.zeros(records, dtype=np.int64)
    spent = getattr(gradient, "evaluations", 0)
    diverged = np.zeros(members, dtype=bool)
    state = rule.init(theta)
    large = theta.size > BLOCK  # then steps go through the cache in blocks, to the same bits

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # finiteness is checked below
        for t in range(steps + 1):
            record, recorded = t // every, t % every == 0
            if recorded:
                path[record] = theta
                evaluations[record] = getattr(gradient, "evaluations", t) - spent
                if value is not None:
                    values[record] = _returned("value", value(theta), members)
                    diverged = diverged | _not_finite({"value": values[record, ..., np.newaxis]}, t, members)
            if t == steps:
                break
            now = {name: given[t] if isinstance(given, list) else given for name, given in hyper.items()}
            point = rule.point(theta, state, t + 1, **now)
            if point is not theta:  # the rule looks ahead
                point = _returned(f"{rule.name}: stage 'at'", point, theta.shape).astype(dtype, copy=False)
                diverged = diverged | _not_finite({"the point of the gradient": point}, t + 1, members)
                point = _read_only(_frozen(diverged, theta, point))
            g = _returned("gradient", gradient(point), theta.shape).astype(dtype, copy=False)
            if recorded:
                norms[record] = _norm(g)
            if large and t:  # shapes were checked at the first step
                new, new_state = theta.copy(), state
                rule.step(new, g, new_state, t + 1, **now)
            else:
                new, new_state = _stepped(rule, theta, g, state, t + 1, now)
            diverged = diverged | _not_finite({"the gradient": g, "theta": new, **new_state}, t + 1, members)
            if project is not None:  # only finite points: a projection must not hide a divergence
                new = _frozen(diverged, theta, new)
                new = checks.real_array("project(theta)", project(new), shape=theta.shape, dtype=dtype)
            theta = _read_only(_frozen(diverged, theta, new))
            if new_state is not state:  # the path in blocks writes into arrays of its own
                state = {s: np.array(new_state[s], dtype, copy=large or None) for s in state}
    return Trajectory(path, np.arange(records) * every, values, norms, evaluations, diverged)


def _stepped(rule, theta, g, state, t, hyper):
    """The parameters and the state after one step, of the right shapes."""
    step, new_state = rule(theta, g, state, t, **hyper)
    for stage, array in {"dtheta": step, **new_state}.items():
        if (shape := np.shape(array)) != theta.shape:
            raise ValueError(f"{rule.name}: stage {stage!r} must have the shape {theta.shape} of start, got {shape}")
    return np.asarray(theta + step, theta.dtype), new_state


def _hyperparameters(rule, given, theta, steps):
    """The checked value of each hyper-parameter; for a schedule the list of its values."""
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
        samples = [_cast(sample, theta.dtype) for sample in samples]
        result[name] = samples if callable(value) else samples[0]
    return result


def _cast(value, dtype):
    """A number stays a number (it does not widen float32); an array takes the dtype of the parameters."""
    return float(value) if np.ndim(value) == 0 else np.array(value, dtype)


def _read_only(array):
    """A view that a gradient or value can't write to: the path is the rule's alone."""
    view = array.view()
    view.flags.writeable = False
    return view


def _returned(name, result, shape):
    """What a function of the caller returned, as an array of real numbers of the wanted shape."""
    try:
        result = np.asarray(result)
    except ValueError as error:  # ragged nested lists
        raise ValueError(f"{name} must return a rectangular array: {error}") from None
    if result.dtype.kind not in "fiu":
        raise TypeError(f"{name} must return real numbers, got dtype {result.dtype}")
    if result.shape != shape:
        raise ValueError(f"{name} must return the shape {shape}, got {result.shape}")
    return result


def _not_finite(arrays, t, members):
    """Which members of a batch hold a number that is not finite; in a single run that raises."""
    bad = np.zeros(members, dtype=bool)
    for name, array in arrays.items():
        finite = np.isfinite(array)
        if finite.all():
            continue
        if not members:
            first = np.flatnonzero(~finite)[0]
            place = f" at coordinate {first}" if np.size(array) > 1 else ""
            raise ValueError(f"{name} must be finite, got {np.ravel(array)[first]}{place} in step {t}")
        bad |= ~finite.all(axis=-1)
    return bad


def _frozen(diverged, old, new):
    """`new`, but `old` for the members that diverged."""
    return np.where(diverged[..., np.newaxis], old, new) if diverged.any() else new


def _norm(g):
    """Euclidean length over the last axis, also where the squares would overflow."""
    g = np.atleast_1d(g)
    norm = np.linalg.norm(g, axis=-1)
    if not np.isfinite(norm).all():
        scale = np.abs(g).max(axis=-1, keepdims=True)
        norm = np.where(np.isfinite(norm), norm, np.linalg.norm(g / scale, axis=-1) * scale[..., 0])
    return norm


class MiniBatchGradient:
    """A gradient that looks at the next mini-batch at each call. Made by `minibatches`.

    Attributes
    ----------
    batch_size : int
        Examples in a batch.
    updates_per_epoch : int
        Calls until as many examples have been looked at as there are: ``ceil(N / batch_size)``.
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
        If `gradient` is not callable, or `batch_size`, `rng` or `replace` has the wrong type.
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
    if not isinstance(replace, bool):
        raise TypeError(f"replace must be True or False, got {replace!r}")
    return MiniBatchGradient(gradient, data, batch_size, checks.generator("rng", rng), replace)
