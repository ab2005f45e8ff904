"""The live race: rules of the catalogue on a surface, from a start and with rates that the reader chooses."""

import numpy as np

from dlnotes import checks
from dlnotes.browser import javascript
from dlnotes.descent import minimize
from dlnotes.figure_style import style
from dlnotes.live_figure import LiveFigure
from dlnotes.live_pictures import DASHES, Picture, legend, line_style, power_of_ten, side_by_side
from dlnotes.live_surfaces import CONDITION_NUMBERS, GRID, SETTINGS, contours, default_rates, dial, variants
from dlnotes.optimizers import CATALOGUE
from dlnotes.rules import HYPERPARAMETERS

MAX_STEPS = 500


def race(surface="rosenbrock", rules=("gradient_descent", "momentum", "rmsprop", "adam"), steps=200):
    """Return the race: paths on a surface and error curves of the rules, which the reader can change.

    Parameters
    ----------
    surface : str
        The surface that is shown first: ``"bowl"``, ``"rosenbrock"``, ``"beale"`` or ``"saddle"``.
    rules : sequence of str
        Names in ``dlnotes.CATALOGUE`` that run first; the reader can add all others.
    steps : int
        Steps of each run at first, from 10 to 500 by tens.

    Returns
    -------
    LiveFigure
        For the last line of a notebook's cell.

    Raises
    ------
    TypeError
        If `rules` is one string or `steps` is no whole number.
    ValueError
        If a name is unknown, a rule stands twice, or `steps` is out of range.

    Notes
    -----
    Each rule starts with the rate of a grid, four to a decade, that keeps its error lowest in the second hundred of
    two hundred steps, among those whose path stays in the picture. Adadelta has no rate; its ε takes the part.
    """
    checks.one_of("surface", surface, SETTINGS)
    if isinstance(rules, str):
        raise TypeError(f"rules must be a sequence of names, got {rules!r}")
    rules = [checks.one_of("rules", name, CATALOGUE) for name in rules]
    if len(set(rules)) < len(rules):
        raise ValueError(f"rules must name each rule once, got {rules}")
    checks.whole_number("steps", steps, low=10, high=MAX_STEPS)
    if steps % 10:
        raise ValueError(f"steps must be a multiple of 10, got {steps}")
    setting = SETTINGS[surface]
    return LiveFigure(
        "race",
        f"race of {', '.join(CATALOGUE[name].name for name in rules) or 'no rule'} on {setting.name}, {steps} steps",
        _picture(surface, rules, steps),
        {
            "first": {"surface": surface, "rules": rules, "steps": steps},
            "maxSteps": MAX_STEPS,
            "grid": GRID,
            "conditionNumbers": CONDITION_NUMBERS,
            "surfaces": {name: _surface(name) for name in SETTINGS},
            "contours": {name: contours(setting) for name, setting in variants().items()},
            "rules": {name: _appearance(name) for name in CATALOGUE},
            "shared": {name: default for name, (default, _) in SHARED.items()},
            "readers": {name: users for name, (_, users) in SHARED.items()},
        },
        {
            "rules": _object({name: javascript(rule) for name, rule in CATALOGUE.items()}),
            "surfaces": _object({name: javascript(setting.objective) for name, setting in variants().items()}),
        },
        ("race.js",),
    )


SHARED = {
    name: (HYPERPARAMETERS[name].default, ", ".join(r.name for r in CATALOGUE.values() if name in r.hyper))
    for name in ("beta", "gamma", "beta1", "beta2", "lam")
}
"""Hyper-parameters that have one slider for all rules: the default, and who reads it."""


def _surface(name):
    setting = SETTINGS[name]
    minimizers = setting.objective.minimizers
    least = float(setting.objective.value(minimizers[0]))
    found = {"name": setting.name, "start": setting.start, "x": setting.x, "y": setting.y, "least": least}
    return found | {"minimizers": minimizers.tolist(), "rates": default_rates(name)}


def _appearance(name):
    look = style(name)
    return {"color": look["color"], "dash": DASHES[look["linestyle"]], "dial": dial(name)}


def _object(sources):
    return "{" + ",\n".join(f"{name}: {source}" for name, source in sources.items()) + "}"


def _picture(surface, rules, steps):
    """The race as it starts, without a script."""
    setting, rates = SETTINGS[surface], default_rates(surface)
    value, least = setting.objective.value, setting.objective.value(setting.objective.minimizers[0])
    start_error = value(setting.start) - least
    limits = (10.0 ** np.floor(np.log10(start_error) - 6), 10.0 ** np.ceil(np.log10(start_error)))
    ground = Picture(setting.x, setting.y, ("θ₁", "θ₂"))
    curves = Picture((0, steps), limits, ("step", "error J − J*"), log_y=True)
    for line in contours(setting):
        x, y = np.reshape(line, (-1, 2)).T / GRID
        ground.path(
            setting.x[0] + x * np.ptp(setting.x),
            setting.y[0] + y * np.ptp(setting.y),
            'stroke="currentColor" opacity=".28"',
        )
    for name in rules:
        hyper = {key: default for key, (default, _) in SHARED.items() if key in CATALOGUE[name].hyper}
        hyper[dial(name)] = rates[name]
        start = np.array([setting.start])  # a batch of one: a run that diverges freezes and does not raise
        run = minimize(CATALOGUE[name], setting.objective.gradient, start, steps, value=value, **hyper)
        ground.path(*run.theta[:, 0].T, line_style(style(name)))
        ground.dot(*run.theta[-1, 0], f'fill="{style(name)["color"]}"')
        curves.path(run.steps, np.maximum(run.values[:, 0] - least, 1e-300), line_style(style(name)))
    ground.dot(*setting.start, 'fill="none" stroke="currentColor" stroke-width="2"', 7)
    for minimizer in setting.objective.minimizers:
        ground.text(*minimizer, "+", 'text-anchor="middle" dy="5" font-size="18"')
    powers = range(int(np.log10(limits[0])), int(np.log10(limits[1])) + 1, 2)
    names = ", ".join(CATALOGUE[name].name for name in rules)
    return side_by_side(
        ground.svg(
            f"Paths of {names} over the contour lines of {setting.name}, from {setting.start}",
            {float(v): f"{v:g}" for v in np.linspace(np.ceil(setting.x[0]), np.floor(setting.x[1]), 3)},
            {float(v): f"{v:g}" for v in np.linspace(np.ceil(setting.y[0]), np.floor(setting.y[1]), 3)},
        ),
        curves.svg(
            f"Error of {names} over {steps} steps",
            {0: "0", steps // 2: str(steps // 2), steps: str(steps)},
            {10.0**power: power_of_ten(power) for power in powers},
        ),
        below=legend([(style(name), CATALOGUE[name].name) for name in rules]),
    )
