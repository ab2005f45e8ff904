"""The live figure of Adam's bias correction: running averages, with and without it, beside the true moments."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from dlnotes import checks
from dlnotes.browser import javascript
from dlnotes.figure_style import COLOURS, style
from dlnotes.live_figure import LiveFigure
from dlnotes.live_pictures import DASHES, Picture, legend, line_style, power_of_ten, side_by_side
from dlnotes.optimizers import adam
from dlnotes.rules import HYPERPARAMETERS, Rule
from dlnotes.variants import adam_uncorrected

STEPS = (10, 20, 50, 100, 200, 500, 1000, 2000)
DECAYS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
MEANS, NOISES = (-2.0, 2.0), (0.0, 3.0)
CORRECTED = style("adam")
UNCORRECTED = CORRECTED | {"linestyle": (0, (5, 1.8))}
TRUTH = {"color": COLOURS["theory"], "linestyle": "-"}
EXPECTED = {"color": COLOURS["theory"], "linestyle": (0, (1.2, 1.4))}
LEGEND = (
    (CORRECTED, "with bias correction"),
    (UNCORRECTED, "without"),
    (TRUTH, "true moment"),
    (EXPECTED, "expectation without correction"),
)


def bias_correction(*, beta1=0.9, beta2=0.999, mean=1.0, noise=0.5, steps=1000, seed=0):
    """Return the live figure of the bias correction: Adam's averages on a stream of gradients with known moments.

    The gradients are ``mean + noise * z`` with standard normal draws z that stay the same while the reader moves
    the rest. Two plots show m and n, with and without correction, against E[g] and E[g²]; the third shows the
    length of the step in units of η.

    Parameters
    ----------
    beta1, beta2 : float
        The decays at first, one of `DECAYS` each.
    mean : float
        Mean of the gradient at first, from -2 to 2.
    noise : float
        Standard deviation of the gradient at first, from 0 to 3.
    steps : int
        Number of steps at first, one of `STEPS`.
    seed : int
        Seed of the draws.

    Returns
    -------
    LiveFigure
        For the last line of a notebook's cell.

    Raises
    ------
    TypeError
        If an argument is no number.
    ValueError
        If it is out of range.
    """
    first = {}
    for name, value in (("beta1", beta1), ("beta2", beta2), ("steps", steps)):
        first[name] = checks.one_of(name, checks.real_number(name, value), STEPS if name == "steps" else DECAYS)
    first["mean"] = checks.real_number("mean", mean, low=MEANS[0], high=MEANS[1])
    first["noise"] = checks.real_number("noise", noise, low=NOISES[0], high=NOISES[1])
    first["steps"] = int(steps)
    rng = np.random.default_rng(checks.whole_number("seed", seed))
    draws = np.round(rng.normal(size=STEPS[-1]), 3)
    return LiveFigure(
        "moments",
        f"Adam's averages at beta1 = {beta1:g}, beta2 = {beta2:g}, with and without bias correction, {steps} steps",
        _picture(draws, **first),
        {
            "first": first,
            "choices": {"steps": STEPS, "decays": DECAYS, "means": MEANS, "noises": NOISES},
            "draws": draws.tolist(),
            "lines": [{"color": s["color"], "dash": DASHES[s["linestyle"]], "label": label} for s, label in LEGEND],
        },
        {"corrected": javascript(adam), "uncorrected": javascript(adam_uncorrected)},
        ("moments.js",),
    )


def stages_over_time(rule, gradients, **hyper):
    """Run a rule on given gradients and return all its stages at all steps.

    Parameters
    ----------
    rule : Rule
        For instance ``dlnotes.adam``. Its parameters stay 0: the gradients do not depend on them.
    gradients : array_like of float, shape (steps,)
        The gradient of each step.
    **hyper : float
        A value for each hyper-parameter that has no default, or another one than the default.

    Returns
    -------
    dict of str to numpy.ndarray of shape (steps,)

    Raises
    ------
    TypeError
        If `rule` is no `Rule`, or gradients are not real numbers.
    ValueError
        If gradients are not finite, or a hyper-parameter is unknown, missing or out of range.

    Examples
    --------
    >>> stages_over_time(adam, [2.0, 2.0], beta1=0.5)["m"].tolist()
    [1.0, 1.5]
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, got {rule!r}")
    gradients = checks.real_array("gradients", gradients, dimensions=1)
    values = {"theta": 0.0} | {name: rule.start.get(name, 0.0) for name in rule.state} | _hyper(rule, hyper)
    series = {stage: np.empty(gradients.size) for stage in rule.stages if stage != "at"}
    for i, g in enumerate(gradients):
        values |= {"g": g, "t": i + 1}
        for stage, found in series.items():
            values[stage] = found[i] = rule.stages[stage](*(values[name] for name in rule.reads[stage]))
    return series


def _hyper(rule, given):
    for name in given:
        checks.one_of("hyper-parameter", name, rule.hyper)
    values = {name: given.get(name, rule.default(name)) for name in rule.hyper}
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{name} must be given, for {rule.name} has no default, got None")
    return {name: HYPERPARAMETERS[name].check(name, value) for name, value in values.items()}


def _picture(draws, *, beta1, beta2, mean, noise, steps):
    """The figure as it starts, without a script: time on a logarithmic axis."""
    g, square = mean + noise * draws[:steps], mean**2 + noise**2
    hyper = {"eta": 1.0, "beta1": beta1, "beta2": beta2}
    corrected, uncorrected = (stages_over_time(rule, g, **hyper) for rule in (adam, adam_uncorrected))
    weights = stages_over_time(adam_uncorrected, np.ones(steps), **hyper)
    seen = np.unique(np.geomspace(1, steps, 300).astype(int)) - 1  # as close as pixels
    width, time = np.log10(steps), np.log10(seen + 1)
    powers = {float(p): power_of_ten(p) for p in range(int(width) + 1)}
    top = {"m": (min(0.0, mean - noise), max(0.0, mean) + 1.2 * noise or 1.0), "n": (0.0, 2 * square or 1.0)}
    svgs = []
    for name, title, truth in (("m", "first moment", mean), ("n", "second moment", square)):
        plot = Picture((0, width), top[name], ("step t", title), height=240)
        plot.path([0, width], [truth, truth], line_style(TRUTH, 1.4))
        plot.path(time, truth * weights[name][seen], line_style(EXPECTED, 1.4))
        plot.path(time, uncorrected[name][seen], line_style(UNCORRECTED, 1.8))
        plot.path(time, corrected[f"{name}_hat"][seen], line_style(CORRECTED, 1.8))
        label = f"The {title} with and without bias correction over {steps} steps, and the true value {truth:.3g}"
        svgs.append(plot.svg(label, powers, ticks(*top[name])))
    longest = max(1.0, *(np.ceil(np.abs(series["dtheta"]).max()) for series in (corrected, uncorrected)))
    plot = Picture((0, width), (0.0, longest), ("step t", "length of the step / η"), height=240)
    plot.path([0, width], [1, 1], 'stroke="currentColor" stroke-opacity=".3"')
    for series, look in ((uncorrected, UNCORRECTED), (corrected, CORRECTED)):
        plot.path(time, np.abs(series["dtheta"][seen]), line_style(look, 1.8))
    svgs.append(plot.svg(f"Length of Adam's step in units of the rate over {steps} steps", powers, ticks(0, longest)))
    return side_by_side(*svgs, beside(legend(LEGEND)))


def ticks(low, high):
    """Return a few round numbers between two others, and how they are written.

    Parameters
    ----------
    low, high : float
        The ends of an axis.

    Returns
    -------
    dict of float to str

    Examples
    --------
    >>> ticks(-3, 3)
    {-2.0: '−2', 0.0: '0', 2.0: '2'}
    """
    values = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
    return {float(value): f"{value:g}".replace("-", "−") for value in values if low <= value <= high}


def beside(html):
    """Return HTML as the companion of the last picture in a row, of the same width.

    Parameters
    ----------
    html : str
        For instance a legend.

    Returns
    -------
    str
    """
    return f'<div style="flex:1 1 320px;max-width:460px;align-self:center">{html}</div>'
