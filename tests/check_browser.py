"""JavaScript printed from rules, surfaces and covariance functions computes what NumPy computes, in headless Chromium.

Needs Chromium, so plain pytest does not collect it; `make pages` runs it.
"""

import shutil

import numpy as np
import pytest
from dlnotes import CATALOGUE, objectives, processes
from dlnotes.browser import javascript
from dlnotes.variants import VARIANTS
from playwright.sync_api import sync_playwright

RULES = CATALOGUE | VARIANTS
SURFACES = {s.name: s for s in vars(objectives).values() if isinstance(s, objectives.Objective)}
COVARIANCES = {
    "white noise": processes.white_noise(0.5),
    "Brownian": processes.brownian_motion(2.0),
    "Ornstein-Uhlenbeck": processes.ornstein_uhlenbeck(2, 0.7),
    "squared exponential": processes.squared_exponential(2, 0.7),
    **{f"Matérn {p}/2": processes.matern(p / 2, 2, 0.7) for p in (1, 3, 5, 7)},
    "periodic": processes.periodic(2, 0.7, 1.3),
    "sum": processes.squared_exponential(2, 0.7) + processes.periodic(0.5, 1.1, 1.3),
    "product": processes.brownian_motion(0.5) * processes.ornstein_uhlenbeck(1, 3) + processes.white_noise(3),
}
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
                const all = rule.stages(theta, g, state, t, hyper);
                if (all.dtheta !== dtheta || Object.keys(after).some(k => all[k] !== after[k])) throw Error("differ");
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


def test_every_stage_can_be_read_and_is_numpys(page):
    adam, g, state, t = CATALOGUE["adam"], 0.7, {"m": -0.2, "n": 0.3}, 5
    hyper = numbers(adam)
    values = {"theta": 1.5, "g": g, "t": t, **state, **hyper}
    for stage, function in adam.stages.items():
        values[stage] = function(*(values[name] for name in adam.reads[stage]))
    found = page.evaluate(f"args => ({javascript(adam)}).stages(...args)", [1.5, g, state, t, hyper])
    assert list(found) == list(adam.stages)
    np.testing.assert_allclose(list(found.values()), [values[stage] for stage in found], rtol=1e-14)


@pytest.mark.parametrize("name", COVARIANCES)
def test_a_covariance_function_is_numpys(page, name):
    function, times = COVARIANCES[name], np.array([0.0, 0.25, 0.3, 1.1, 1.2, 2.9])
    other = function.at(function.parameters * np.linspace(0.7, 1.4, function.parameters.size))
    for known in (function, other):
        found = page.evaluate(
            f"""([times, values]) => {{
                const f = {javascript(function)};
                const parameters = Object.fromEntries(Object.keys(f.parameters).map((name, i) => [name, values[i]]));
                return times.map(s => times.map(t => f.covariance(s, t, parameters)));
            }}""",
            [times.tolist(), known.parameters.tolist()],
        )
        np.testing.assert_allclose(found, known(times), rtol=1e-13, atol=1e-300)


def test_a_changed_formula_is_seen(page):
    source = javascript(CATALOGUE["adam"])
    assert source.count("Math.sqrt(eps + n_hat)") == 1
    changed = source.replace("Math.sqrt(eps + n_hat)", "(eps + Math.sqrt(n_hat))")
    hyper = numbers(CATALOGUE["adam"]) | {"eps": 1.0}
    run = "([s, h]) => eval('(' + s + ')').step(1, 0.5, {m: 0, n: 0}, 1, h)[0]"
    assert abs(page.evaluate(run, [source, hyper]) / page.evaluate(run, [changed, hyper]) - 1) > 0.1
