"""The JavaScript that is printed from the rules and surfaces computes what NumPy computes, in headless Chromium.

Needs Chromium, so plain pytest does not collect it; `make pages` runs it.
"""

import shutil

import numpy as np
import pytest
from dlnotes import CATALOGUE, objectives
from dlnotes.browser import javascript
from dlnotes.variants import VARIANTS
from playwright.sync_api import sync_playwright

RULES = CATALOGUE | VARIANTS
SURFACES = {s.name: s for s in vars(objectives).values() if isinstance(s, objectives.Objective)}
STEPS = 200
EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser.new_page()
        browser.close()


def numbers(rule):
    return {name: 0.01 if rule.default(name) is None else rule.default(name) for name in rule.hyper}


@pytest.mark.parametrize("name", RULES)
def test_each_step_restarted_from_numpys_state_is_numpys(page, name):
    rule, rng = RULES[name], np.random.default_rng(0)
    hyper, theta = numbers(rule), np.array([1.5])
    state, inputs, expected = rule.init(theta), [], []
    for t in range(1, STEPS + 1):
        g = rng.normal(size=1)
        point = rule.point(theta, state, t, **hyper)
        dtheta, after = rule(theta, g, state, t, **hyper)
        inputs.append([theta[0], g[0], {k: float(v[0]) for k, v in state.items()}, t])
        expected.append([point[0], dtheta[0], *(after[k][0] for k in rule.state)])
        theta, state = theta + dtheta, after
    found = page.evaluate(
        f"""([inputs, hyper]) => {{
            const rule = {javascript(rule)};
            return inputs.map(([theta, g, state, t]) => {{
                const [dtheta, after] = rule.step(theta, g, state, t, hyper);
                return [rule.point(theta, state, t, hyper), dtheta, ...Object.keys(rule.start).map(k => after[k])];
            }});
        }}""",
        [inputs, hyper],
    )
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-16)
    declared = page.evaluate(f"() => ({javascript(rule)})")
    assert declared["hyper"] == {h: rule.default(h) for h in rule.hyper} and set(declared["start"]) == set(rule.state)


@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_and_its_gradient_are_numpys(page, name):
    surface = SURFACES[name]
    points = np.random.default_rng(1).uniform(-2, 2, size=(50, surface.dimension))
    found = page.evaluate(
        f"""points => {{
            const surface = {javascript(surface)};
            return points.map(p => [surface.value(...p), ...surface.gradient(...p)]);
        }}""",
        points.tolist(),
    )
    expected = np.column_stack([surface.value(points), surface.gradient(points)])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_changed_formula_is_seen(page):
    source = javascript(CATALOGUE["adam"])
    assert source.count("Math.sqrt(eps + n_hat)") == 1
    changed = source.replace("Math.sqrt(eps + n_hat)", "(eps + Math.sqrt(n_hat))")
    hyper = numbers(CATALOGUE["adam"]) | {"eps": 1.0}
    run = "([s, h]) => eval('(' + s + ')').step(1, 0.5, {m: 0, n: 0}, 1, h)[0]"
    assert abs(page.evaluate(run, [source, hyper]) / page.evaluate(run, [changed, hyper]) - 1) > 0.1
