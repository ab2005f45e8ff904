"""The live map of momentum: where a run creeps, swings, jumps or diverges, and the eigenvalues that decide it."""

import numpy as np
import sympy as sp

from dlnotes import checks
from dlnotes.browser import javascript
from dlnotes.descent import minimize
from dlnotes.figure_style import COLOURS, style
from dlnotes.live_figure import LiveFigure
from dlnotes.live_pictures import DASHES, Picture, legend, line_style, power_of_ten, side_by_side
from dlnotes.optimizers import CATALOGUE
from dlnotes.stability import BETA, ETA, LAM, borders, iteration_matrix

MAX_STEPS = 200
PLACES = {
    "momentum": {"creeps": (0.31, 0.015), "swings": (1, 0.4), "jumps": (1.75, 0.015), "diverges": (3.3, 0.25)},
    "nesterov": {"creeps": (0.23, 0.1), "swings": (0.68, 0.5), "jumps": (1.31, 0.3), "diverges": (2.7, 0.4)},
}
"""Where the words stand on the map of each rule: those of the chapter on momentum."""


def momentum_map(eta=0.5, beta=0.8, rule="momentum", steps=40):
    """Return the map of momentum: a point in the plane of rate and decay, its eigenvalues, and the run.

    Parameters
    ----------
    eta : float
        The learning rate at first, in units of 1/λ: from 0.01 to 4.
    beta : float
        The decay at first, from 0 to 0.99.
    rule : str
        ``"momentum"`` or ``"nesterov"``, shown first.
    steps : int
        Steps of the run, from 10 to 200 by tens.

    Returns
    -------
    LiveFigure
        For the last line of a notebook's cell.

    Raises
    ------
    TypeError
        If `eta` or `beta` is not a real number, or `steps` is no whole number.
    ValueError
        If an argument is out of its range.
    """
    eta = checks.real_number("eta", eta, low=0.01, high=4)
    beta = checks.real_number("beta", beta, low=0, high=0.99)
    checks.one_of("rule", rule, PLACES)
    checks.whole_number("steps", steps, low=10, high=MAX_STEPS)
    if steps % 10:
        raise ValueError(f"steps must be a multiple of 10, got {steps}")
    names = ("eta", "lam", "beta")
    return LiveFigure(
        "momentum",
        f"map of {rule} in the plane of rate and decay, at ηλ = {eta:g}, β = {beta:g}",
        _picture(eta, beta, rule, steps),
        {
            "first": {"rule": rule, "u": eta, "beta": beta, "steps": steps},
            "maxSteps": MAX_STEPS,
            "colours": {"swings": COLOURS["blue"], "diverges": COLOURS["vermilion"], "theory": COLOURS["theory"]},
            "rules": {name: _map(name) for name in PLACES},
        },
        {
            "rules": "{" + ",\n".join(f"{name}: {javascript(CATALOGUE[name])}" for name in PLACES) + "}",
            "matrices": "{"
            + ",\n".join(f"{name}({', '.join(names)}) {{ return {_rows(name)}; }}" for name in PLACES)
            + "}",
        },
        ("momentum.js",),
    )


def _rows(name):
    rows = iteration_matrix(CATALOGUE[name]).tolist()
    return "[" + ", ".join(f"[{', '.join(sp.jscode(entry) for entry in row)}]" for row in rows) + "]"


def _map(name):
    look, lines = style(name), border_lines(name)
    found = {"name": CATALOGUE[name].name, "color": look["color"], "dash": DASHES[look["linestyle"]]}
    return found | {"places": PLACES[name]} | {key: line.round(4).tolist() for key, line in lines.items()}


def border_lines(name):
    """Return the borders of a map as points.

    Parameters
    ----------
    name : str
        ``"momentum"`` or ``"nesterov"``.

    Returns
    -------
    dict of str to numpy.ndarray of shape (n, 2)
        Points (u, β): ``"swings"`` around the region of complex eigenvalues, open at β = 1; ``"diverges"`` along
        the limit.
    """
    decays = np.linspace(0, 1, 61) ** 2  # close together near 0, where the borders bend
    low, high, limit = (
        np.column_stack([np.broadcast_to(sp.lambdify(BETA, border)(decays), decays.shape), decays])
        for border in borders(CATALOGUE[name])
    )
    return {"swings": np.concatenate([low[::-1], high]), "diverges": limit}


def _picture(eta, beta, name, steps):
    """The map and the run as they start, without a script."""
    plane = Picture((0, 4), (0, 1), ("ηλ", "β"), height=280)
    lines = border_lines(name)
    plane.path(*lines["swings"].T, f'stroke="{COLOURS["blue"]}" stroke-width="1.8"')
    plane.path(*lines["diverges"].T, f'stroke="{COLOURS["vermilion"]}" stroke-width="1.8"')
    for word, place in PLACES[name].items():
        plane.text(*place, word, 'text-anchor="middle"')
    plane.dot(eta, beta, 'fill="none" stroke="currentColor" stroke-width="2.5"', 6)
    run = minimize(CATALOGUE[name], lambda theta: theta, np.ones((1, 1)), steps, eta=eta, beta=beta)
    distance = np.abs(run.theta[:, 0, 0])
    radius = float(np.abs(np.linalg.eigvals(_numbers(name, eta, beta))).max())
    low, high = 10.0 ** np.floor(np.log10(np.clip(radius**steps, 1e-12, 0.1))), 10.0
    curve = Picture((0, steps), (low, high), ("step", "distance |θ|"), height=280, log_y=True)
    curve.path(run.steps, radius**run.steps, f'stroke="{COLOURS["theory"]}" stroke-width="2" stroke-dasharray="5 3"')
    curve.path(run.steps, np.maximum(distance, 1e-300), line_style(style(name)))
    powers = range(int(np.log10(low)), 2, max(1, int(-np.log10(low)) // 4))
    theory = {"color": COLOURS["theory"], "linestyle": (0, (5, 1.8))}
    return side_by_side(
        plane.svg(
            f"Map of {CATALOGUE[name].name} over rate times curvature and decay, with a point at ({eta:g}, {beta:g})",
            {v: str(v) for v in range(5)},
            {0: "0", 0.5: "0.5", 1: "1"},
        ),
        curve.svg(
            f"Distance from the minimum over {steps} steps, beside the power of the spectral radius {radius:.3f}",
            {0: "0", steps // 2: str(steps // 2), steps: str(steps)},
            {10.0**power: power_of_ten(power) for power in powers},
        ),
        below=legend(
            [(style(name), CATALOGUE[name].name), (theory, f"spectral radius {radius:.3f} to the power of the step")]
        ),
    )


def _numbers(name, eta, beta):
    return np.array(iteration_matrix(CATALOGUE[name]).subs({ETA: eta, LAM: 1, BETA: beta}), dtype=float)
