"""The live figures of bias correction and covariance functions: arguments, numbers and what is written as HTML."""

import json
import re

import numpy as np
import pytest
import sympy as sp
from dlnotes import CATALOGUE, adam, explorer, minimize
from dlnotes.live_moments import STEPS, beside, stages_over_time, ticks
from dlnotes.live_processes import TIMES, default_families, paths
from dlnotes.processes import CovarianceFunction, S, T, matern, squared_exponential, white_noise
from dlnotes.variants import adam_uncorrected

TOP_HAT = CovarianceFunction("top hat", sp.Piecewise((1, sp.Abs(S - T) <= 1), (0, True)), {})
DEFAULTS = {"bias_correction": explorer.bias_correction, "covariance_function": explorer.covariance_function}


def data(figure):
    """Return what the script of a figure reads."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure._repr_html_(), re.S)[1])


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_html_is_one_element_and_the_same_each_time(name):
    html = DEFAULTS[name]()._repr_html_()
    assert html == DEFAULTS[name]()._repr_html_()
    assert html.startswith("<descent-explorer figure=") and html.endswith("</descent-explorer>")
    assert html.count("<descent-explorer figure=") == 1 and html.count("</script>") == 2
    assert len(html) < 75_000 and not re.search(r"\bid=|https?:(?!//www.w3.org/2000/svg)", html)
    bundle = DEFAULTS[name]()._repr_mimebundle_()
    assert bundle["text/html"] == html and "\n" not in bundle["text/plain"]


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_static_picture_stands_before_the_script(name):
    html = DEFAULTS[name]()._repr_html_()
    picture = html[: html.index("<script")]
    assert picture.count('role="img"') == 3 and "NaN" not in picture and "inf" not in picture
    assert picture.count("<path") > 6


def test_the_seed_changes_the_draws_and_nothing_else():
    first, second = data(explorer.bias_correction()), data(explorer.bias_correction(seed=1))
    assert first.pop("draws") != second.pop("draws") and first == second
    first, second = data(explorer.covariance_function()), data(explorer.covariance_function(seed=1))
    assert first.pop("draws") != second.pop("draws") and first == second


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"beta1": 0.91}, ValueError, r"beta1 must be one of \[0.0, .*\], got 0.91"),
        ({"beta2": "0.9"}, TypeError, "beta2 must be a real number, got '0.9'"),
        ({"steps": 30}, ValueError, r"steps must be one of \[10, 20, .*\], got 30"),
        ({"mean": 2.5}, ValueError, r"mean must be in \[-2, 2\], got 2.5"),
        ({"noise": -0.1}, ValueError, r"noise must be in \[0, 3\], got -0.1"),
        ({"noise": None}, TypeError, "noise must be a real number, got None"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
    ],
)
def test_bias_correction_refuses(wrong, error, message):
    with pytest.raises(error, match=message):
        explorer.bias_correction(**wrong)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"functions": [white_noise()]}, TypeError, "functions must be a dict of covariance functions, got"),
        ({"functions": {}}, ValueError, "functions must hold at least one covariance function, got none"),
        ({"functions": {3: white_noise()}}, TypeError, "functions must have strings as keys, got 3"),
        (
            {"functions": {"a": []}},
            ValueError,
            r"functions\['a'\] must hold at least one covariance function, got none",
        ),
        ({"functions": {"a": "k"}}, TypeError, r"functions\['a'\] must be a CovarianceFunction or a sequence.*'k'"),
        ({"functions": {"a": TOP_HAT}}, ValueError, "must be positive semi-definite, got top hat, which these times"),
        (
            {"functions": {"a": [white_noise(), squared_exponential()]}},
            ValueError,
            r"same parameters in all members, got \['variance', 'length'\] in squared exponential",
        ),
        ({"noise": 0}, ValueError, r"noise must be in \[0.0001, 1\], got 0"),
        ({"observations": [[1, 2, 3]]}, ValueError, r"observations must have shape \(1, 2\), got \(1, 3\)"),
        ({"observations": [[1, np.nan]]}, ValueError, r"observations must be finite, got nan at index \(0, 1\)"),
        ({"observations": [[6.5, 0]]}, ValueError, r"time of an observation must be in \[0, 6\], got .*6.5"),
        ({"observations": [[1, 0]] * 13}, ValueError, "observations must be at most 12, got 13"),
        ({"observations": [["a", 0]]}, TypeError, "observations must hold real numbers"),
        ({"seed": 1.5}, TypeError, "seed must be a whole number, got 1.5"),
    ],
)
def test_covariance_function_refuses(wrong, error, message):
    with pytest.raises(error, match=message):
        explorer.covariance_function(**wrong)


def test_a_parameter_may_not_take_a_name_of_the_figure():
    noise = sp.Symbol("noise", positive=True)
    own = CovarianceFunction("own", noise * sp.exp(-sp.Abs(S - T)), {noise: 1.0})
    with pytest.raises(ValueError, match=r"must not have parameters called .*, got \['noise'\]"):
        explorer.covariance_function({"own": own})


def test_texts_of_the_caller_cannot_break_the_page():
    evil = CovarianceFunction("</script><b>", squared_exponential().expression, squared_exponential().values)
    html = explorer.covariance_function({"<img onerror=1>&": evil})._repr_html_()
    assert "<img" not in html and "<b>" not in html and html.count("</script>") == 2
    assert data(explorer.covariance_function({"<img onerror=1>&": evil}))["labels"] == ["<img onerror=1>&"]


def test_observations_are_rounded_to_the_times_and_may_be_none():
    figure = explorer.covariance_function(observations=[(0.81, 0.123), (5.99, -1)])
    assert data(figure)["observations"] == [[0.8, 0.12], [6.0, -1.0]]
    none = explorer.covariance_function(observations=())
    assert data(none)["observations"] == [] and "0 observations" in repr(none)


def test_families_share_parameters_and_keep_their_order():
    families = {"rough to smooth": [matern(0.5), matern(2.5)], "white": white_noise(0.3)}
    found = data(explorer.covariance_function(families))
    assert found["labels"] == list(families) and found["first"]["function"] == "rough to smooth"
    assert found["parameters"] == {"rough to smooth": {"variance": 1, "length": 1}, "white": {"variance": 0.3}}
    source = explorer.covariance_function(families).generated["families"]
    assert source.index("Matérn 1/2") < source.index("Matérn 5/2") < source.index("white noise")
    assert set(data(explorer.covariance_function())["labels"]) == set(default_families())


@pytest.mark.parametrize("name", ["adam", "nadam", "amsgrad", "adadelta", "rmsprop"])
def test_stages_over_time_are_those_of_a_run(name):
    rule, rng = CATALOGUE[name], np.random.default_rng(3)
    gradients = rng.normal(size=50)
    hyper = {"eta": 0.1} if "eta" in rule.hyper else {}
    stream = iter(gradients)
    run = minimize(rule, lambda theta: np.full(1, next(stream)), [0.0], 50, **hyper)
    found = stages_over_time(rule, gradients, **hyper)
    np.testing.assert_allclose(np.cumsum(found["dtheta"]), run.theta[1:, 0], rtol=1e-12, atol=1e-14)
    assert list(found) == [stage for stage in rule.stages if stage != "at"]


def test_the_averages_are_the_sums_on_paper():
    g = np.random.default_rng(4).normal(size=30)
    biased, fair = stages_over_time(adam_uncorrected, g), stages_over_time(adam, g)
    weights = 0.1 * 0.9 ** np.arange(30)[::-1]
    assert biased["m"][-1] == pytest.approx(weights @ g, rel=1e-12)
    assert fair["m_hat"][-1] == pytest.approx(weights @ g / weights.sum(), rel=1e-12)
    t = np.arange(1, 31)
    ratio = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)
    np.testing.assert_allclose(biased["dtheta"] / fair["dtheta"], ratio, rtol=1e-9)


def test_stages_over_time_refuses():
    with pytest.raises(TypeError, match="rule must be a Rule, got 'adam'"):
        stages_over_time("adam", [1.0])
    with pytest.raises(ValueError, match="gradients must be finite"):
        stages_over_time(adam, [np.inf])
    with pytest.raises(ValueError, match=r"hyper-parameter must be one of .*, got 'gamma'"):
        stages_over_time(adam, [1.0], gamma=0.1)
    with pytest.raises(ValueError, match=r"beta1 must be in \[0, 1\), got 1"):
        stages_over_time(adam, [1.0], beta1=1.0)
    with pytest.raises(ValueError, match="eta must be given, for RMSprop has no default"):
        stages_over_time(CATALOGUE["rmsprop"], [1.0])


def test_paths_have_the_covariance_of_the_function():
    draws = np.random.default_rng(5).normal(size=(40_000, 3))
    times = [0.5, 1.0, 3.0]
    found = paths(squared_exponential(2.0), draws, times)
    np.testing.assert_allclose(np.cov(found.T), squared_exponential(2.0)(times), atol=0.06)
    np.testing.assert_allclose(paths(white_noise(4.0), draws, times), 2 * draws, rtol=1e-7)


def test_paths_refuse():
    with pytest.raises(ValueError, match=r"draws must have shape \(2, 121\), got \(2, 5\)"):
        paths(squared_exponential(), np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"function must be positive semi-definite, got an eigenvalue of -8\.01"):
        paths(TOP_HAT, np.zeros((1, TIMES.size)))


@pytest.mark.parametrize(("low", "high"), [(0, 7), (-3, 3), (0, 1.1), (-0.3, 250), (0, 1)])
def test_ticks_are_inside_and_few(low, high):
    values = list(ticks(low, high))
    assert 3 <= len(values) <= 6 and min(values) >= low and max(values) <= high


def test_small_things():
    assert STEPS[-1] == len(data(explorer.bias_correction())["draws"]) and beside("x").count("x") >= 1
    flat = explorer.bias_correction(mean=0.0, noise=0.0)
    assert "NaN" not in flat.picture and 'd="M"' not in flat.picture and flat.picture.count("<svg") > 3
