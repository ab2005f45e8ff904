"""The displayed formulas: what they say, and that they are the stages."""

import numpy as np
import pytest
import sympy as sp
from dlnotes import CATALOGUE, equations, gradient_descent, minimize
from dlnotes.variants import VARIANTS
from example_rules import average, corrected, late, look_ahead, running_sum

# rf-strings would hide the TeX: one raw string an equation, in the order of a textbook.
EXPECTED = {
    "sum": [
        r"g_{t} &= \nabla J{\left(\theta_{t-1} \right)}",
        r"n_{t} &= n_{t-1} + g_{t}^{2}",
        r"\Delta\theta_{t} &= - \frac{\eta g_{t}}{\sqrt{n_{t} + \varepsilon}}",
        r"\theta_{t} &= \theta_{t-1} + \Delta\theta_{t}",
    ],
    "average": [r"n_{t} &= \beta n_{t-1} + \left(1 - \beta\right) g_{t}^{2}"],
    "late": [
        r"V_{t} &= \gamma V_{t-1} + \left(1 - \gamma\right) \Delta\theta_{t}^{2}",
    ],
    "look-ahead": [
        r"g_{t} &= \nabla J{\left(\theta_{t-1} + \beta m_{t-1} \right)}",
        r"m_{t} &= \beta m_{t-1} - \eta g_{t}",
        r"\Delta\theta_{t} &= m_{t}",
    ],
    "Gradient descent": [
        r"g_{t} &= \nabla J{\left(\theta_{t-1} \right)}",
        r"\Delta\theta_{t} &= - \eta g_{t}",
        r"\theta_{t} &= \theta_{t-1} + \Delta\theta_{t}",
    ],
}


@pytest.mark.parametrize("rule", [running_sum, average, late, look_ahead, gradient_descent], ids=lambda r: r.name)
def test_equations_read_like_a_textbook(rule):
    lines = equations(rule).latex()
    for line in EXPECTED[rule.name]:
        assert line in lines
    assert len(lines) == len([s for s in rule.stages if s != "at"]) + 2


def test_equations_display_as_one_aligned_block():
    shown = equations(gradient_descent)._repr_latex_()
    assert shown.startswith("$\\displaystyle \\begin{aligned}\n") and shown.endswith("\n\\end{aligned}$")
    assert shown.count("&=") == 3


@pytest.mark.parametrize(
    "rule",
    [*CATALOGUE.values(), *VARIANTS.values(), running_sum, average, late, look_ahead, corrected],
    ids=lambda r: r.name,
)
def test_the_displayed_equations_are_what_runs(rule):
    """Iterate the displayed equations with `lambdify` and meet `minimize` after five steps."""
    emitted = equations(rule)
    symbols, state = emitted.symbols, {name: rule.start.get(name, 0.0) for name in rule.state}
    hyper = {"eta": 0.1, "beta": 0.7, "gamma": 0.6, "eps": 1e-3, "beta1": 0.8, "beta2": 0.9, "lam": 0.02}
    hyper = {name: hyper[name] for name in rule.hyper}

    def slope(x):
        return x**3 - 2.0

    theta = 1.5
    for t in range(1, 6):
        values = {symbols[h]: v for h, v in hyper.items()} | {symbols["t"]: t}
        values |= {symbols[f"{s}_previous"]: v for s, v in state.items()} | {symbols["theta"]: theta}
        values[symbols["g"]] = slope(sp.lambdify(list(values), emitted[0].rhs.args[0])(*values.values()))
        for equation in emitted[1:]:
            values[equation.lhs] = sp.lambdify(list(values), equation.rhs)(*values.values())
        theta = values[symbols["theta_t"]]
        state = {s: values[symbols[s]] for s in rule.state}
    run = minimize(rule, slope, 1.5, 5, **hyper)
    assert theta == pytest.approx(float(run.theta[-1]), rel=1e-13)


def test_equations_takes_a_rule():
    with pytest.raises(TypeError, match="rule must be a Rule, got 'adam'"):
        equations("adam")


def test_the_symbols_of_a_formula_carry_their_assumptions():
    symbols = equations(average).symbols
    assert symbols["eta"].is_positive and symbols["t"].is_integer and symbols["g"].is_real
    assert set(symbols) == {"eta", "beta", "eps", "t", "g", "theta", "theta_t", "n", "n_previous", "dtheta"}
    assert np.all([s.is_Symbol for s in symbols.values()])
