"""The surfaces of the live race: what part of each is seen, its contour lines, and rates that suit it."""

from functools import cache
from typing import NamedTuple

import contourpy
import numpy as np

from dlnotes import objectives
from dlnotes.descent import minimize
from dlnotes.optimizers import CATALOGUE

CONDITION_NUMBERS = (1, 2, 5, 10, 20, 50, 100)
GRID = 1000
"""Points of contour lines are whole numbers from 0 to this, across and up the frame."""
TUNING_STEPS = 200
RATES = 10.0 ** np.arange(-4, 1.01, 0.25)
"""Rates that are tried for the defaults, four to a decade as in the chapter that compares the rules."""


class Setting(NamedTuple):
    """A surface on the stage.

    Parameters
    ----------
    name : str
        As it is shown.
    objective : Objective
        The surface.
    start : pair of float
        Where runs start.
    x, y : pair of float
        What part is seen: the ends of both axes.
    levels : tuple of float
        Heights of the contour lines.
    """

    name: str
    objective: objectives.Objective
    start: tuple
    x: tuple
    y: tuple
    levels: tuple


def _bowl(condition_number):
    rings = tuple(0.3 * k**2 * (1 + condition_number / 20) for k in range(1, 20))
    bowl = objectives.quadratic_bowl(condition_number)
    return Setting("quadratic bowl", bowl, (-10.0, 1.0), (-11, 4.5), (-2.6, 2.6), rings)


_DECADES = tuple(10.0 ** np.arange(-1, 3.6, 0.5))
SETTINGS = {
    "bowl": _bowl(20),
    "rosenbrock": Setting(
        "Rosenbrock’s valley", objectives.rosenbrock, (-1.2, 1.0), (-1.9, 1.9), (-0.8, 2.3), _DECADES
    ),
    "beale": Setting("Beale’s plains", objectives.beale, (-1.0, 1.5), (-2, 4.3), (-1.4, 2.4), _DECADES),
    "saddle": Setting(
        "saddle", objectives.saddle, (1.5, 0.01), (-0.8, 1.8), (-0.4, 1.4), tuple(np.arange(-0.225, 1.6, 0.1))
    ),
}
"""The surfaces of two variables, as the chapters show them."""


def variants():
    """Return every setting that needs a formula of its own: there is one bowl for each condition number.

    Returns
    -------
    dict of str to Setting
    """
    bowls = {f"bowl{number}": _bowl(number) for number in CONDITION_NUMBERS}
    return bowls | {name: setting for name, setting in SETTINGS.items() if name != "bowl"}


def dial(name):
    """Return the hyper-parameter that sets the length of a rule's steps: ``eta``, or ``eps`` where there is none.

    Parameters
    ----------
    name : str
        A name in ``dlnotes.CATALOGUE``.

    Returns
    -------
    str
    """
    return "eta" if "eta" in CATALOGUE[name].hyper else "eps"


def _turned(name, rates):
    """The dial at some rates; the root of ε is a length as the rate of Adam is one."""
    return {"eta": rates} if dial(name) == "eta" else {"eps": np.square(rates)}


@cache
def default_rates(surface):
    """Return for each rule the value of its dial with which it starts on a surface.

    Parameters
    ----------
    surface : str
        A name in `SETTINGS`.

    Returns
    -------
    dict of str to float
    """
    setting = SETTINGS[surface]
    (left, right), (bottom, top) = setting.x, setting.y
    result = {}
    for name, rule in CATALOGUE.items():
        starts, value = np.tile(setting.start, (len(RATES), 1)), setting.objective.value
        dials = {key: np.reshape(values, (-1, 1)) for key, values in _turned(name, RATES).items()}
        run = minimize(rule, setting.objective.gradient, starts, TUNING_STEPS, value=value, **dials)
        x, y = np.moveaxis(run.theta, -1, 0)
        seen = ((x > left) & (x < right) & (y > bottom) & (y < top)).all(axis=0) & ~run.diverged
        error = run.values[TUNING_STEPS // 2 :].max(axis=0) - value(setting.objective.minimizers[0])
        best = RATES[np.where(seen, np.maximum(error, 1e-9), np.inf).argmin()]
        (chosen,) = _turned(name, best).values()
        result[name] = float(f"{chosen:.3g}")
    return result


@cache
def contours(setting):
    """Return the contour lines of a surface in the frame of its picture.

    Parameters
    ----------
    setting : Setting
        The surface, its frame and levels.

    Returns
    -------
    list of list of int
        Each line as ``[x0, y0, x1, y1, …]``, whole numbers from 0 to `GRID` across and up.
    """
    # Uneven counts: no node on an axis of symmetry, where rounding decides on which side of a level it is.
    x, y = np.linspace(*setting.x, 280), np.linspace(*setting.y, 263)
    z = setting.objective.value(np.stack(np.meshgrid(x, y), axis=-1))
    generator = contourpy.contour_generator(np.linspace(0, GRID, 280), np.linspace(0, GRID, 263), z)
    lines = [line for level in setting.levels for line in generator.lines(level)]
    return [_thinned(np.rint(line).astype(int)).ravel().tolist() for line in lines if len(line) > 3]


def _thinned(points):
    """Leave out points that lie within a unit of the line between those that stay."""
    kept, first = [0], 0
    for last in range(2, len(points)):
        chord = points[last] - points[first]
        between = points[first + 1 : last] - points[first]
        off = np.abs(between @ [-chord[1], chord[0]]) > max(np.hypot(*chord), 1)
        if off.any():
            first = last - 1
            kept.append(first)
    return points[[*kept, len(points) - 1]]
