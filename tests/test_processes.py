"""Covariance functions and Gaussian processes: formulas, positive semi-definiteness, sampling, conditioning."""

import numpy as np
import pytest
import sympy as sp
from dlnotes.processes import (
    CovarianceFunction,
    S,
    T,
    autocovariance,
    brownian_motion,
    condition,
    log_marginal_likelihood,
    matern,
    ornstein_uhlenbeck,
    periodic,
    refute_positive_semidefinite,
    sample_paths,
    squared_exponential,
    white_noise,
)
from hypothesis import given, settings
from hypothesis import strategies as st

FUNCTIONS = {
    "white noise": white_noise(0.5),
    "Brownian": brownian_motion(2.0),
    "Ornstein-Uhlenbeck": ornstein_uhlenbeck(2, 0.7),
    "squared exponential": squared_exponential(2, 0.7),
    "Matérn 5/2": matern(2.5, 2, 0.7),
    "periodic": periodic(2, 0.7, 1.3),
    "sum": squared_exponential(2, 0.7) + periodic(0.5, 1.1, 1.3),
    "product": brownian_motion(0.5) * ornstein_uhlenbeck(1, 3),
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)
TIMES = np.array([0.0, 0.3, 1.1, 1.2, 2.9])
TOP_HAT = CovarianceFunction("top hat", sp.Piecewise((1, sp.Abs(S - T) <= 1), (0, True)), {})


def test_known_values():
    assert white_noise(3)([1, 2]).tolist() == [[3, 0], [0, 3]]
    assert brownian_motion(2)([1, 3], [2.0]).tolist() == [[2], [4]]
    assert ornstein_uhlenbeck(2, 3)([0], [3])[0, 0] == pytest.approx(2 / np.e)
    assert squared_exponential(2, 3)([0], [3])[0, 0] == pytest.approx(2 / np.sqrt(np.e))
    assert matern(1.5, 1, 2)([0], [2])[0, 0] == pytest.approx((1 + np.sqrt(3)) * np.exp(-np.sqrt(3)))
    assert periodic(2, 1, 4)([0], [8.0, 2.0])[0] == pytest.approx([2, 2 * np.exp(-2)])
    assert sp.simplify(matern(0.5).expression - ornstein_uhlenbeck().expression) == 0


@every_function
def test_the_matrix_is_symmetric_not_refuted_and_the_formula(name):
    function = FUNCTIONS[name]
    matrix = function(TIMES)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert refute_positive_semidefinite(matrix) is None
    at = {S: sp.Rational(11, 10), T: sp.Rational(3, 10)} | function.values
    assert matrix[2, 1] == pytest.approx(float(function.expression.subs(at)), rel=1e-12)
    assert function(TIMES[2:4], TIMES).tolist() == matrix[2:4].tolist()


@every_function
def test_the_gradient_is_that_of_the_matrix_in_the_logarithms(name):
    function, h = FUNCTIONS[name], 1e-6
    gradient = function.gradient(TIMES)
    assert gradient.shape == (len(function.parameters), 5, 5)
    for i, change in enumerate(gradient):
        step = np.exp(h * (np.arange(len(gradient)) == i))
        up, down = (function.at(function.parameters * s)(TIMES) for s in (step, 1 / step))
        np.testing.assert_allclose(change, (up - down) / (2 * h), rtol=1e-7, atol=1e-9)


def test_joined_functions_keep_their_parameters_apart():
    joined = (squared_exponential(1, 2) + squared_exponential(3, 4)) * ornstein_uhlenbeck(5, 6)
    assert list(map(str, joined.values)) == ["variance", "length", "variance_2", "length_2", "variance_3", "length_3"]
    assert joined.parameters.tolist() == [1, 2, 3, 4, 5, 6]
    expected = (squared_exponential(1, 2)(TIMES) + squared_exponential(3, 4)(TIMES)) * ornstein_uhlenbeck(5, 6)(TIMES)
    np.testing.assert_allclose(joined(TIMES), expected, rtol=1e-14)
    changed = (squared_exponential(1, 2)(TIMES) + squared_exponential(3, 4)(TIMES)) * ornstein_uhlenbeck(5, 7)(TIMES)
    np.testing.assert_allclose(joined.at([1, 2, 3, 4, 5, 7])(TIMES), changed, rtol=1e-14)
    assert "variance_3=5" in repr(joined) and "Ornstein-Uhlenbeck" in repr(joined)
    with pytest.raises(TypeError):
        joined + 1
    with pytest.raises(TypeError):
        joined * 2.0


few = settings(max_examples=40, deadline=None, derandomize=True, database=None)


@few
@given(
    st.lists(st.integers(0, 300), min_size=2, max_size=8, unique=True),
    st.sampled_from(sorted(FUNCTIONS)),
    st.sampled_from(sorted(FUNCTIONS)),
)
def test_sums_and_products_are_not_refuted(times, one, other):
    times = np.array(times) / 100
    for joined in (FUNCTIONS[one] + FUNCTIONS[other], FUNCTIONS[one] * FUNCTIONS[other]):
        matrix = joined(times)
        np.testing.assert_array_equal(matrix, matrix.T)
        assert refute_positive_semidefinite(matrix) is None


def test_an_invalid_candidate_is_refuted_by_its_weights():
    matrix = TOP_HAT([0, 0.8, 1.6])
    weights = refute_positive_semidefinite(matrix)
    assert weights @ matrix @ weights == pytest.approx(1 - np.sqrt(2)) and weights @ weights == pytest.approx(1)
    assert refute_positive_semidefinite(TOP_HAT([0, 0.8])) is None  # two times do not show it
    assert refute_positive_semidefinite(np.ones((3, 3))) is None  # singular, and a covariance


@every_function
def test_paths_have_the_covariance(name):
    function, count = FUNCTIONS[name], 40_000
    paths = sample_paths(function, TIMES, count, rng=np.random.default_rng(0), mean=3.0)
    assert paths.shape == (count, 5)
    scale = function(TIMES).max()
    np.testing.assert_allclose(paths.mean(axis=0), 3, atol=5 * np.sqrt(scale / count))
    np.testing.assert_allclose(np.cov(paths.T), function(TIMES), atol=8 * scale / np.sqrt(count))


def test_paths_of_a_nearly_singular_matrix():
    times = np.linspace(0, 1, 60)  # Cholesky fails here
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(squared_exponential()(times))
    paths = sample_paths(squared_exponential(), times, 3, rng=np.random.default_rng(1), mean=np.zeros(60))
    assert np.isfinite(paths).all() and np.abs(np.diff(paths, axis=1)).max() < 0.2


def test_the_autocovariance_is_that_of_the_definition_and_is_not_refuted():
    series = np.random.default_rng(2).normal(size=50).cumsum()
    found = autocovariance(series, 49)
    centred = series - series.mean()
    assert found[0] == pytest.approx(np.var(series)) and found.shape == (50,)
    assert found[3] == pytest.approx(np.mean(np.r_[centred[3:] * centred[:-3], 0, 0, 0]))
    assert refute_positive_semidefinite(found[np.abs(np.subtract.outer(range(50), range(50)))]) is None


def test_conditioning_on_one_value_is_the_formula_on_paper():
    function = ornstein_uhlenbeck(2, 1)
    mean, covariance = condition(function, [0], [3], [0, 1], noise=0.5, mean=1)
    r = 2 / np.e
    np.testing.assert_allclose(mean, [1 + 2 / 2.5 * 2, 1 + r / 2.5 * 2])
    np.testing.assert_allclose(covariance, [[2 - 4 / 2.5, r - 2 * r / 2.5], [r - 2 * r / 2.5, 2 - r * r / 2.5]])


def test_without_noise_the_mean_goes_through_the_values():
    values = np.array([1.0, -2.0, 0.5])
    mean, covariance = condition(squared_exponential(), [2, 0, 4], values, [2, 0, 4, 3])
    np.testing.assert_allclose(mean[:3], values, rtol=1e-10)
    np.testing.assert_allclose(np.diag(covariance)[:3], 0, atol=1e-12)
    assert 0 < covariance[3, 3] < 1


def test_the_gradient_of_the_likelihood():
    function, noise, h = FUNCTIONS["sum"], 0.2, 1e-6
    values = np.array([1.0, 0.3, -1.0, 0.2, 0.7])
    value, gradient = log_marginal_likelihood(function, TIMES, values, noise=noise)
    matrix = function(TIMES) + noise * np.eye(5)
    expected = -values @ np.linalg.inv(matrix) @ values / 2 - np.log(np.linalg.det(2 * np.pi * matrix)) / 2
    assert value == pytest.approx(expected, rel=1e-12)
    for i, slope in enumerate(gradient):
        steps = np.exp(h * (np.arange(len(gradient)) == i))
        up, down = (
            log_marginal_likelihood(function.at(function.parameters * s[:-1]), TIMES, values, noise=noise * s[-1])[0]
            for s in (steps, 1 / steps)
        )
        assert slope == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-8)


rng = np.random.default_rng(3)
v = sp.Symbol("v", positive=True)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, r"variance must be in \(0, inf\), got 0", lambda: white_noise(0)),
        (ValueError, r"length must be in \(0, inf\), got -1", lambda: squared_exponential(1, -1)),
        (ValueError, "smoothness must be 1/2, 3/2, 5/2, …, got 1", lambda: matern(1)),
        (ValueError, r"smoothness must be in \[0.5, inf\), got 0", lambda: matern(0)),
        (TypeError, "expression must be a SymPy expression", lambda: CovarianceFunction("bad", lambda s, t: 1, {})),
        (ValueError, r"expression must hold only s, t and the parameters, got also \['v'\]",
         lambda: CovarianceFunction("bad", v * S * T, {})),
        (TypeError, "values must have SymPy symbols as keys", lambda: CovarianceFunction("bad", S * T, {"v": 1})),
        (ValueError, r"parameters must have shape \(2,\), got \(1,\)", lambda: squared_exponential().at([1])),
        (ValueError, "length must be in", lambda: squared_exponential().at([1, -1])),
        (ValueError, "s must be at least 0 for Brownian motion, got -1", lambda: brownian_motion()([-1.0, 1])),
        (ValueError, r"t must be at least 0 for \(white noise \+ Brownian motion\)",
         lambda: (white_noise() + brownian_motion())([1.0], [-1])),
        (ValueError, "s must be finite", lambda: white_noise()([np.nan])),
        (ValueError, "s must not be empty", lambda: white_noise().gradient([])),
        (ValueError, "s must have 1 axes", lambda: white_noise()([[1.0]])),
        (ValueError, "times must increase, got 2.0 before 1.0",
         lambda: sample_paths(white_noise(), [0, 2, 1], 1, rng=rng)),
        (ValueError, "times must increase, got 1.0 before 1.0",
         lambda: sample_paths(white_noise(), [0, 1, 1], 1, rng=rng)),
        (ValueError, "covariance must be positive semi-definite at these times, got an eigenvalue of -0.414",
         lambda: sample_paths(TOP_HAT, [0, 0.8, 1.6], 1, rng=rng)),
        (ValueError, "count must be at least 1", lambda: sample_paths(white_noise(), [0, 1], 0, rng=rng)),
        (TypeError, "rng must be", lambda: sample_paths(white_noise(), [0, 1], 1, rng=0)),
        (TypeError, "covariance must be a CovarianceFunction", lambda: sample_paths(np.minimum, [0, 1], 1, rng=rng)),
        (ValueError, r"mean must have shape \(2,\), got \(3,\)",
         lambda: sample_paths(white_noise(), [0, 1], 1, rng=rng, mean=[0, 0, 0])),
        (ValueError, "lags must be between 0 and 2, got 3", lambda: autocovariance([1, 2, 3], 3)),
        (ValueError, "series must not be empty", lambda: autocovariance([], 0)),
        (ValueError, "covariance must be positive definite at the observed times",
         lambda: condition(squared_exponential(), [1, 1], [0, 1], [2])),
        (ValueError, r"values must have shape \(2,\), got \(3,\)",
         lambda: condition(white_noise(), [1, 2], [0, 1, 2], [2])),
        (ValueError, r"noise must be in \[0, inf\), got -1", lambda: condition(white_noise(), [1], [0], [2], noise=-1)),
        (TypeError, "covariance must be a CovarianceFunction", lambda: condition(np.minimum, [1], [0], [2])),
        (ValueError, "values must be finite", lambda: log_marginal_likelihood(white_noise(), [1], [np.nan], noise=1)),
        (ValueError, "covariance must be positive definite",
         lambda: log_marginal_likelihood(TOP_HAT, [0, 0.8, 1.6], [1, 2, 3], noise=0.1)),
        (ValueError, r"matrix must have shape \(2, 2\), got \(2, 3\)",
         lambda: refute_positive_semidefinite(np.ones((2, 3)))),
        (ValueError, "matrix must be symmetric", lambda: refute_positive_semidefinite([[1, 2], [0, 1]])),
    ],
)  # fmt: skip
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
