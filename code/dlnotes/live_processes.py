"""The live figure of covariance functions: parameters moved, paths and a conditioned Gaussian process follow."""

from collections.abc import Mapping, Sequence

import numpy as np

from dlnotes import checks
from dlnotes.browser import javascript
from dlnotes.figure_style import COLOURS
from dlnotes.live_figure import LiveFigure
from dlnotes.live_moments import beside, ticks
from dlnotes.live_pictures import Picture, legend, side_by_side
from dlnotes.processes import (
    CovarianceFunction,
    brownian_motion,
    condition,
    matern,
    ornstein_uhlenbeck,
    periodic,
    refute_positive_semidefinite,
    squared_exponential,
    white_noise,
)

TIMES = np.round(np.linspace(0, 6, 121), 2)
"""Where paths are drawn and values observed."""
NOISES = (1e-4, 1.0)
MOST_OBSERVATIONS = 12
PATHS = 3
JITTER = 1e-8
"""Added to the diagonal before the Cholesky factor of paths, in units of the largest variance: far below a pixel."""
LINES = ("blue", "vermilion", "green", "purple")
"""Colours of the curve, the mean and the band, and of each path."""
TAKEN = ("function", "member", "noise", "observations", "other")
"""Names that the figure uses itself."""


def covariance_function(
    functions=None, *, observations=((0.8, 0.6), (1.7, 1.2), (2.6, -0.4), (4.8, -1.1)), noise=0.01, seed=0
):
    """Return the live figure of a covariance function: its curve, paths, and the process given a few values.

    The reader chooses a function, moves its parameters (from a tenth to ten times their first value), drags, adds
    and removes observations; the standard normal draws behind the paths stay the same.

    Parameters
    ----------
    functions : dict of str to CovarianceFunction or sequence of CovarianceFunction, optional
        By what the reader calls them; the first is shown first. A sequence holds the members of a family, such as
        Matérn functions of growing smoothness, which a slider chooses. By default those of `dlnotes.processes`.
    observations : sequence of (float, float), optional
        Time, from 0 to 6, and value of at most 12 observations. Times are rounded to 0.05, values to 0.01.
    noise : float, optional
        Variance of the errors in the observations, from 0.0001 to 1.
    seed : int, optional
        Seed of the draws.

    Returns
    -------
    LiveFigure
        For the last line of a notebook's cell.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If there is no function, one is not positive semi-definite on the times of the figure or is not defined
        there, members of a family have different parameters, or a number is out of range.
    """
    families = {label: _family(label, members) for label, members in _checked(functions).items()}
    noise = checks.real_number("noise", noise, low=NOISES[0], high=NOISES[1])
    points = _points(observations)
    draws = np.random.default_rng(checks.whole_number("seed", seed)).normal(size=(PATHS, TIMES.size)).round(3)
    label, (function, *_) = next(iter(families.items()))
    return LiveFigure(
        "process",
        f"{label} covariance function, {PATHS} paths, and the process given {len(points)} observations",
        _picture(function, points, noise, draws),
        {
            "first": {"function": label, "member": 0, "noise": noise, "other": 3.0},
            "labels": list(families),
            "observations": points.tolist(),
            "most": MOST_OBSERVATIONS,
            "noises": NOISES,
            "parameters": _parameters(families),
            "times": TIMES.tolist(),
            "draws": draws.tolist(),
            "jitter": JITTER,
            "reach": _reach(function, points),
            "colours": [COLOURS[c] for c in LINES],
        },
        {"families": _array(_array(map(javascript, members)) for members in families.values())},
        ("gaussian_process.js", "process.js"),
    )


def default_families():
    """Return the covariance functions that the figure offers by itself.

    Returns
    -------
    dict of str to list of CovarianceFunction
        By their labels; a family with several members is ordered by smoothness.
    """
    return {
        "squared exponential": [squared_exponential()],
        "Matérn": [matern(p / 2) for p in (1, 3, 5, 7)],
        "Ornstein–Uhlenbeck": [ornstein_uhlenbeck()],
        "periodic": [periodic(period=2.0)],
        "periodic × squared exponential": [periodic(period=2.0) * squared_exponential(length=3.0)],
        "Brownian motion": [brownian_motion()],
        "white noise": [white_noise()],
    }


def _checked(functions):
    if functions is None:
        return default_families()
    if not isinstance(functions, Mapping):
        raise TypeError(f"functions must be a dict of covariance functions, got {functions!r}")
    if not functions:
        raise ValueError("functions must hold at least one covariance function, got none")
    return functions


def _family(label, members):
    """The members of one family as a list, after a look at each."""
    if not isinstance(label, str):
        raise TypeError(f"functions must have strings as keys, got {label!r}")
    members = list(members) if isinstance(members, Sequence) else [members]
    name = f"functions[{label!r}]"
    if not members:
        raise ValueError(f"{name} must hold at least one covariance function, got none")
    for member in members:
        if not isinstance(member, CovarianceFunction):
            raise TypeError(f"{name} must be a CovarianceFunction or a sequence of them, got {member!r}")
        names = [str(symbol) for symbol in member.values]
        if names != [str(symbol) for symbol in members[0].values]:
            raise ValueError(f"{name} must have the same parameters in all members, got {names} in {member.name}")
        if taken := sorted(set(names).intersection(TAKEN)):
            raise ValueError(f"{name} must not have parameters called {list(TAKEN)}, got {taken}")
        if refute_positive_semidefinite(member(TIMES)) is not None:
            raise ValueError(f"{name} must be positive semi-definite, got {member.name}, which these times refute")
    return members


def _points(observations):
    """Observed times and values as rows, times among `TIMES`."""
    if len(observations) == 0:
        return np.empty((0, 2))
    points = checks.real_array("observations", observations, dimensions=2)
    checks.real_array("observations", points, shape=(len(points), 2))
    if len(points) > MOST_OBSERVATIONS:
        raise ValueError(f"observations must be at most {MOST_OBSERVATIONS}, got {len(points)}")
    for time in points[:, 0]:
        checks.real_number("time of an observation", time, low=TIMES[0], high=TIMES[-1])
    nearest = np.abs(points[:, :1] - TIMES).argmin(axis=1)
    return np.column_stack([TIMES[nearest], points[:, 1].round(2)])


def _parameters(families):
    """The first value of each parameter, by the family in which it stands: families share the sliders."""
    return {
        label: {str(symbol): value for symbol, value in members[0].values.items()}
        for label, members in families.items()
    }


def _array(sources):
    return "[" + ",\n".join(sources) + "]"


def _reach(function, points):
    """Half the height of the frame: three standard deviations, and every observation inside."""
    deviation = np.sqrt(function(TIMES).diagonal().max())
    return float(max(3 * deviation, 1.2 * np.abs(points[:, 1]).max(initial=0)))


def paths(function, draws, times=TIMES):
    """Paths of a Gaussian process from given standard normal draws, by a Cholesky factor, as the figure draws them.

    Parameters
    ----------
    function : CovarianceFunction
        Of the process.
    draws : array_like of float, shape (paths, n)
        Standard normal numbers.
    times : array_like of float, shape (n,)
        Where the paths are wanted.

    Returns
    -------
    numpy.ndarray of shape (paths, n)

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If shapes do not fit, or the matrix at these times is not positive semi-definite.
    """
    matrix = function(times)
    draws = checks.real_array("draws", draws, dimensions=2)
    checks.real_array("draws", draws, shape=(len(draws), len(matrix)))
    return _rooted(matrix, JITTER * matrix.diagonal().max(), draws)


def _rooted(matrix, ridge, draws):
    try:
        return draws @ np.linalg.cholesky(matrix + ridge * np.eye(len(matrix))).T
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(matrix)[0]
        raise ValueError(f"function must be positive semi-definite, got an eigenvalue of {least:.3g}") from None


def _picture(function, points, noise, draws):
    """The figure as it starts, without a script."""
    times, reach, (blue, *others) = TIMES, _reach(function, points), [COLOURS[c] for c in LINES]
    mean, deviation = np.zeros(times.size), np.sqrt(function(times).diagonal())
    if len(points):
        mean, covariance = condition(function, *points.T, times, noise=noise)
        deviation = np.sqrt(np.maximum(covariance.diagonal(), 0))
    curve = function(times, [3.0])[:, 0]
    low, high = min(0.0, 1.1 * curve.min()), 1.1 * curve.max()
    ends = (times[0], times[-1])
    shape = Picture(ends, (low, high), ("time s", "C(s, t) for t = 3"), height=240)
    shape.path(times, curve, f'stroke="{blue}" stroke-width="2"')
    sample = Picture(ends, (-reach, reach), ("time", "paths"), height=240)
    for path, colour in zip(paths(function, draws), others, strict=True):
        sample.path(times, path, f'stroke="{colour}" stroke-width="1.6"')
    given = Picture(ends, (-reach, reach), ("time", "given the points: mean, 95 % band"), height=240)
    edge = np.concatenate([mean + 1.96 * deviation, (mean - 1.96 * deviation)[::-1]])
    given.path(np.r_[times, times[::-1]], edge, f'style="fill:{blue};fill-opacity:.18"')
    given.path(times, mean, f'stroke="{blue}" stroke-width="2"')
    for time, value in points:
        given.dot(time, value, 'fill="currentColor"')
    x_ticks, y_ticks = {float(t): f"{t:g}" for t in range(0, 7, 2)}, ticks(-reach, reach)
    about = f"the {function.name} process"
    names = [(blue, "covariance; mean and 95 % band"), *((colour, f"path {i}") for i, colour in enumerate(others, 1))]
    return side_by_side(
        shape.svg(f"Covariance of {about} with its value at time 3", x_ticks, ticks(low, high)),
        sample.svg(f"{PATHS} paths of {about}", x_ticks, y_ticks),
        given.svg(f"Mean and 95 % band of {about}, given {len(points)} observations", x_ticks, y_ticks),
        beside(legend([({"color": colour, "linestyle": "-"}, name) for colour, name in names])),
    )
