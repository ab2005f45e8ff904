"""An optimizer is a short list of named equations. A `Rule` holds them, and everything else reads them.

Each equation (a *stage*) is a function of names. Called with numbers it computes, called with
symbols it becomes the textbook formula: there is no second copy of it anywhere.
"""

from dataclasses import dataclass
from functools import singledispatch
from inspect import Parameter, signature

import numpy as np

from dlnotes import checks


@singledispatch
def sqrt(x):
    """Square root of numbers and arrays; `dlnotes.symbolic` adds the symbolic reading.

    Parameters
    ----------
    x : float, array or symbol
        Of any shape; not checked, as stages are.

    Returns
    -------
    float, array or symbol
        Of the shape of `x`.
    """
    return np.sqrt(x)


@singledispatch
def maximum(a, b):
    """Larger of two numbers or arrays, elementwise; `dlnotes.symbolic` adds the symbolic reading.

    Parameters
    ----------
    a, b : float, array or symbol
        Of one shape; not checked, as stages are.

    Returns
    -------
    float, array or symbol
    """
    symbolic = maximum.dispatch(type(b))  # dispatch alone would look at `a` only
    return np.maximum(a, b) if symbolic is maximum.dispatch(object) else symbolic(b, a)


@dataclass(frozen=True)
class Hyperparameter:
    """What every rule understands by one hyper-parameter's name.

    Attributes
    ----------
    tex : str
        How it is printed.
    meaning : str
        What it is.
    high : float
        The upper end of its range, which is ``[0, high)``.
    default : float or None
        Used when the caller gives none; None means that the caller must choose.
    """

    tex: str
    meaning: str
    high: float = np.inf
    default: float | None = None

    @property
    def range(self):
        """The allowed interval as text."""
        return checks.interval(0, self.high, True, False)

    def check(self, name, value):
        """Return `value`, a number or an array, if all of it lies in the range.

        Parameters
        ----------
        name : str
            The argument's name, for the message.
        value : array_like of float
            A number, or an array of one value per member or coordinate.

        Returns
        -------
        float or numpy.ndarray

        Raises
        ------
        TypeError
            If it does not hold real numbers.
        ValueError
            If any of it lies outside the range.
        """
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must be a real number, an array or a function of t, got {value!r}")
        outside = ~((array >= 0) & (array < self.high))  # written so that NaN is outside
        if outside.any():
            raise ValueError(f"{name} must be in {self.range}, got {array[outside].flat[0]}")
        return float(array) if array.ndim == 0 else array


HYPERPARAMETERS = {
    "eta": Hyperparameter(r"\eta", "learning rate (step size)"),
    "beta": Hyperparameter(r"\beta", "decay of the one moving average a rule keeps", 1, 0.9),
    "beta1": Hyperparameter(r"\beta_1", "decay of the first moment, the average of gradients", 1, 0.9),
    "beta2": Hyperparameter(r"\beta_2", "decay of the second moment, the average of squared gradients", 1, 0.999),
    "gamma": Hyperparameter(r"\gamma", "decay of the average of squared updates", 1, 0.9),
    "eps": Hyperparameter(r"\varepsilon", "keeps a denominator away from zero", default=1e-8),
    "lam": Hyperparameter(r"\lambda", "weight decay", default=0.01),
}
"""The one table of hyper-parameters. A name that stands neither here nor among a rule's stages is an error."""

INPUTS = ("theta", "g", "t")

BLOCK = 32_768  # elements of a large array that go through all stages together


class Rule:
    """An update rule: named stages, evaluated in the order in which they are written.

    A stage is a pure function whose argument names say what it reads: ``theta`` (the parameters
    before the step), ``g`` (the gradient), ``t`` (the step number, from 1), a hyper-parameter, or
    another stage. A stage that reads its own name reads its value from the step before: that makes
    it *state*. The stage ``dtheta`` is the step that is added to the parameters. The optional
    stage ``at`` is the point where the gradient is taken (the parameters, unless it says otherwise).

    Parameters
    ----------
    name : str
        The rule's name as people write it.
    start : dict of str to float, optional
        First value of each state that does not start at zero.
    previous : tuple of str, optional
        Stages that an earlier stage may read one step late. Without an entry here, reading a
        later stage is an error and not a silent shift of an index.
    defaults : dict of str to float, optional
        Defaults of this rule that differ from those in `HYPERPARAMETERS`.
    source : str, optional
        The paper or book that defines the rule.
    **stages : callable
        The equations, in order.

    Attributes
    ----------
    state : tuple of str
        Names whose value is carried from step to step.
    hyper : tuple of str
        Names of the hyper-parameters, in order of first use.
    stages : dict of str to callable
        The equations.

    Raises
    ------
    TypeError
        If a stage is not a plain function of names.
    ValueError
        If ``dtheta`` is missing, a name is unknown, a stage reads a value that does not exist yet, or
        no stage reads another one.

    Examples
    --------
    >>> descent = Rule("Gradient descent", dtheta=lambda eta, g: -eta * g)
    >>> descent(theta=1.0, g=2.0, state={}, t=1, eta=0.1)
    (-0.2, {})
    """

    def __init__(self, name, *, start=None, previous=(), defaults=None, source="", **stages):
        self.name, self.source, self.stages = name, source, dict(stages)
        if isinstance(previous, str):
            raise TypeError(f"{name}: previous must be a tuple of stage names, got {previous!r}")
        self.start = {s: checks.real_number(f"start[{s!r}]", value) for s, value in (start or {}).items()}
        self.previous, self.defaults = tuple(previous), dict(defaults or {})
        self.reads = {stage: self._arguments(stage, function) for stage, function in stages.items()}
        self._check_names()
        self.state = tuple(s for s in self.stages if s in self.reads[s] or s in self.previous)
        read = dict.fromkeys(argument for arguments in self.reads.values() for argument in arguments)
        self.hyper = tuple(argument for argument in read if argument in HYPERPARAMETERS)
        self._check_order()
        for given, known, what in ((self.start, self.state, "state"), (self.defaults, self.hyper, "hyper-parameters")):
            if unknown := sorted(set(given) - set(known)):
                raise ValueError(f"{name}: {unknown} not among its {what} {list(known)}")
        for parameter, value in self.defaults.items():
            HYPERPARAMETERS[parameter].check(parameter, value)

    def _arguments(self, stage, function):
        if not callable(function):
            raise TypeError(f"{self.name}: stage {stage!r} must be a function, got {function!r}")
        try:
            parameters = signature(function).parameters.values()
        except ValueError:
            raise TypeError(f"{self.name}: stage {stage!r} must name its arguments, got {function!r}") from None
        if any(p.kind is not Parameter.POSITIONAL_OR_KEYWORD or p.default is not Parameter.empty for p in parameters):
            raise TypeError(f"{self.name}: stage {stage!r} must take plain names, without defaults or stars")
        return tuple(p.name for p in parameters)

    def _check_names(self):
        if "dtheta" not in self.stages:
            raise ValueError(f"{self.name}: a rule needs a stage 'dtheta', got {list(self.stages)}")
        for taken in (*INPUTS, *HYPERPARAMETERS):
            if taken in self.stages:
                raise ValueError(f"{self.name}: {taken!r} is an input or hyper-parameter and can't be a stage")
        if unknown := sorted(set(self.previous) - set(self.stages)):
            raise ValueError(f"{self.name}: previous names {unknown} are not stages")
        known = {*INPUTS, *HYPERPARAMETERS, *self.stages} - {"at"}
        for stage, arguments in self.reads.items():
            if unknown := [argument for argument in arguments if argument not in known]:
                raise ValueError(f"{self.name}: stage {stage!r} reads unknown names {unknown}, known {sorted(known)}")

    def _check_order(self):
        if "g" in self.reads.get("at", ()):
            raise ValueError(f"{self.name}: the gradient is taken at 'at', so 'at' can't read it")
        written = set()
        for stage, arguments in self.reads.items():
            for argument in arguments:
                late = argument in self.stages and argument not in written and argument != stage
                if stage == "at" and argument in self.stages and argument not in self.state:
                    raise ValueError(f"{self.name}: 'at' reads {argument!r}, which is not state")
                if stage != "at" and late and argument not in self.previous:
                    raise ValueError(
                        f"{self.name}: {stage!r} reads {argument!r} before it is computed; "
                        f"to read its last value say previous=({argument!r},)"
                    )
            written.add(stage)
        for stage in self.stages:
            readers = [other for other in self.stages if other != stage and stage in self.reads[other]]
            if not readers and stage not in ("dtheta", "at"):
                raise ValueError(f"{self.name}: no stage reads the stage {stage!r}")

    def but(self, name, *, start=None, previous=None, defaults=None, source="", **changes):
        """Return a new rule that differs from this one in a few stages.

        A changed stage keeps its place. A new stage goes directly before the first stage that
        reads it; one that is read a step late (named in `previous`) goes last.

        Parameters
        ----------
        name : str
            The new rule's name.
        start, previous, defaults
            As for `Rule`; what is not given is taken over.
        source : str, optional
            The paper or book that defines the new rule.
        **changes : callable
            Stages to replace or to add.

        Returns
        -------
        Rule

        Raises
        ------
        ValueError
            If nothing reads a new stage, or the result is not a valid rule.
        """
        stages = {stage: changes.get(stage, function) for stage, function in self.stages.items()}
        previous = self.previous if previous is None else previous
        waiting = {stage: self._arguments(stage, f) for stage, f in changes.items() if stage not in stages}
        while waiting:  # a stage is placed once all its readers are
            free = [s for s in waiting if not any(s in reads for other, reads in waiting.items() if other != s)]
            if not free:
                raise ValueError(f"{name}: the new stages {sorted(waiting)} read each other")
            stage, items = free[0], list(stages.items())
            readers = [i for i, (_, f) in enumerate(items) if stage in signature(f).parameters]
            if stage != "at" and not readers:
                raise ValueError(f"{name}: no stage reads the new stage {stage!r}")
            place = 0 if stage == "at" else len(items) if stage in previous else readers[0]
            items.insert(place, (stage, changes[stage]))
            stages = dict(items)
            del waiting[stage]
        return Rule(
            name,
            start=self.start if start is None else start,
            previous=previous,
            defaults=self.defaults if defaults is None else {**self.defaults, **defaults},
            source=source,
            **stages,
        )

    def default(self, hyperparameter):
        """Return the default of a hyper-parameter in this rule, or None if the caller must choose it.

        Parameters
        ----------
        hyperparameter : str
            One of the names in `hyper`.

        Returns
        -------
        float or None

        Raises
        ------
        ValueError
            If the rule has no such hyper-parameter.
        """
        checks.one_of("hyperparameter", hyperparameter, self.hyper)
        return self.defaults.get(hyperparameter, HYPERPARAMETERS[hyperparameter].default)

    def init(self, theta):
        """Return the state before the first step.

        Parameters
        ----------
        theta : numpy.ndarray
            The parameters, of any shape.

        Returns
        -------
        dict of str to numpy.ndarray
            One array of the shape and dtype of `theta` for each name in `state`.

        Raises
        ------
        TypeError, ValueError
            If `theta` does not hold finite real numbers.
        """
        theta = checks.real_array("theta", theta)
        return {name: np.full_like(theta, self.start.get(name, 0)) for name in self.state}

    def point(self, theta, state, t, **hyper):
        """Return where the gradient of step `t` is taken: `theta`, or what the stage ``at`` says.

        Parameters
        ----------
        theta : array or symbol
            Parameters before the step.
        state : dict
            Last value of each name in `state`.
        t : int
            Step number, from 1.
        **hyper : float, array or symbol
            A value for each name in `hyper`.

        Returns
        -------
        array or symbol
            Of the shape of `theta`.
        """
        if "at" not in self.stages:
            return theta
        values = {**hyper, **state, "theta": theta, "t": t}
        return self.stages["at"](*(values[name] for name in self.reads["at"]))

    def __call__(self, theta, g, state, t, **hyper):
        """Evaluate the stages once. Nothing is validated here: `dlnotes.minimize` does that.

        Parameters
        ----------
        theta, g : array or symbol
            Parameters before the step, and the gradient, of one shape.
        state : dict
            Last value of each name in `state`.
        t : int
            Step number, from 1.
        **hyper : float, array or symbol
            A value for each name in `hyper`.

        Returns
        -------
        dtheta : array or symbol
            The step to add to `theta`.
        state : dict
            The new state.
        """
        values = {**hyper, **state, "theta": theta, "g": g, "t": t}
        for stage, function in self.stages.items():
            if stage != "at":
                values[stage] = function(*[values[name] for name in self.reads[stage]])
        return values["dtheta"], {name: values[name] for name in self.state}

    def step(self, theta, g, state, t, **hyper):
        """Take one step in place: `theta` and the arrays of `state` are changed.

        Large arrays go through all stages in blocks that stay in the processor's cache, which saves ways to memory
        and changes no bit of the result. As in a call, nothing is validated here.

        Parameters
        ----------
        theta, g : numpy.ndarray
            Parameters before the step, and the gradient, of one shape.
        state : dict of str to numpy.ndarray
            Last value of each name in `state`, each an array of its own.
        t : int
            Step number, from 1.
        **hyper : float or array
            A value for each name in `hyper`.
        """
        whole = theta.size <= BLOCK or any(np.ndim(value) for value in hyper.values())
        arrays = [theta, g, *state.values()]
        if not whole and all(array.flags.c_contiguous for array in arrays):
            theta, g, *averages = (array.reshape(-1) for array in arrays)
            state = dict(zip(state, averages, strict=True))
            blocks = [slice(first, first + BLOCK) for first in range(0, theta.size, BLOCK)]
        else:
            blocks = [...]
        for block in blocks:
            # Copies, for a stage may hand on what it read: nothing is written over before it is used.
            before = {name: array[block].copy() for name, array in state.items()}
            dtheta, after = self(theta[block], g[block], before, t, **hyper)
            for name, array in state.items():
                array[block] = after[name]
            theta[block] += dtheta

    def __repr__(self):
        return f"Rule({self.name!r}, stages={list(self.stages)}, state={list(self.state)}, hyper={list(self.hyper)})"
