"""The means: values against mpmath, properties, and what they refuse."""

import mpmath
import numpy as np
import pytest
from dlnotes.means import arithmetic_mean, geometric_mean, harmonic_mean, power_mean, quadratic_mean
from hypothesis import given, settings
from hypothesis import strategies as st

EXPONENTS = [-np.inf, -300, -2, -1, -1e-3, -1e-9, 0, 1e-12, 1e-3, 0.5, 1, 2, 3, 7, 300, np.inf]
rng = np.random.default_rng(0)
DATA = {
    "usual": rng.uniform(0.1, 3, size=7),
    "close": rng.uniform(1, 1 + 1e-9, size=5),
    "wide": 10 ** rng.uniform(-290, 300, size=9),
    "huge": np.full(4, 1e308),
    "tens": np.full(400, 10.0),
}


def exact(x, p):
    with mpmath.workdps(80):
        numbers = [mpmath.mpf(float(value)) for value in x]
        if np.isinf(p):
            return float(max(numbers) if p > 0 else min(numbers))
        if p == 0:
            return float(mpmath.exp(mpmath.fsum(map(mpmath.log, numbers)) / len(numbers)))
        return float((mpmath.fsum(value ** mpmath.mpf(p) for value in numbers) / len(numbers)) ** (1 / mpmath.mpf(p)))


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("name", DATA)
def test_every_exponent_is_accurate_and_quiet(name, p):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        got = power_mean(DATA[name], p)
    assert got == pytest.approx(exact(DATA[name], p), rel=2e-13 if name == "wide" else 2e-15)


def test_the_four_means_are_members_of_the_family():
    x = DATA["usual"]
    for mean, p in ((harmonic_mean, -1), (geometric_mean, 0), (arithmetic_mean, 1), (quadratic_mean, 2)):
        assert mean(x) == pytest.approx(power_mean(x, p), rel=1e-15) == pytest.approx(exact(x, p), rel=1e-15)


def test_known_values():
    assert arithmetic_mean([1, 2, 3]) == 2 and arithmetic_mean([-1, 3]) == 1
    assert geometric_mean([1, 4]) == pytest.approx(2) and geometric_mean([2, 4, 8]) == pytest.approx(4)
    assert harmonic_mean([30, 60]) == pytest.approx(40)
    assert quadratic_mean([-3, 4]) == pytest.approx(np.sqrt(12.5))
    assert arithmetic_mean([1e308, 1e308]) == 1e308 and arithmetic_mean([5e-324, 5e-324]) == 5e-324
    assert quadratic_mean([3e-320, 4e-320]) == pytest.approx(3.5355e-320, rel=1e-3)


def test_zeros_are_decided():
    assert (
        geometric_mean([0, 4]) == harmonic_mean([0, 4]) == power_mean([0, 4], -np.inf) == power_mean([0, 4], -0.1) == 0
    )
    assert power_mean([0, 4], 0.5) == 1 and quadratic_mean([0, 0]) == power_mean([0, 0], 3) == 0
    assert geometric_mean([0, 4], weights=[0, 1]) == pytest.approx(4)  # a zero of no weight does not count
    assert harmonic_mean([0, 4, 4], weights=[0, 1, 1]) == pytest.approx(4)


def test_axes_and_weights():
    x = rng.uniform(1, 5, size=(3, 4, 2))
    for axis in (0, 1, -1):
        weights = rng.random(x.shape[axis])
        for mean in (arithmetic_mean, geometric_mean, harmonic_mean, quadratic_mean):
            along = mean(x, axis=axis, weights=weights)
            moved = np.moveaxis(x, axis, -1)
            assert along.shape == moved.shape[:-1]
            assert along[1, 0] == pytest.approx(mean(moved[1, 0], weights=weights), rel=1e-14)
    repeated = np.repeat([1.0, 2.0, 5.0], [1, 3, 2])
    for p in EXPONENTS:
        assert power_mean([1, 2, 5], p, weights=[1, 3, 2]) == pytest.approx(power_mean(repeated, p), rel=1e-14)
    each = rng.random(x.shape)
    np.testing.assert_allclose(
        arithmetic_mean(x, axis=1, weights=each), np.average(x, axis=1, weights=each), rtol=1e-14
    )
    assert arithmetic_mean(x, weights=each) == pytest.approx(np.average(x, weights=each), rel=1e-14)
    assert geometric_mean([1, 2], weights=[1e308, 1e308]) == pytest.approx(np.sqrt(2))


positive = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6)
few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@few
@given(positive, st.floats(-20, 20), st.floats(-20, 20))
def test_the_mean_grows_with_the_exponent_and_lies_between_the_ends(x, p, q):
    low, high = sorted((p, q))
    assert power_mean(x, low) <= power_mean(x, high) * (1 + 1e-12)
    assert min(x) * (1 - 1e-12) <= power_mean(x, p) <= max(x) * (1 + 1e-12)
    assert harmonic_mean(x) <= geometric_mean(x) * (1 + 1e-12) <= arithmetic_mean(x) * (1 + 2e-12)
    assert arithmetic_mean(x) <= quadratic_mean(x) * (1 + 1e-12)


@few
@given(positive, st.floats(-20, 20), st.floats(1e-3, 1e3), st.integers(0, 5), st.floats(0, 10))
def test_the_mean_is_homogeneous_and_grows_with_each_number(x, p, factor, place, growth):
    assert power_mean(np.multiply(factor, x), p) == pytest.approx(factor * power_mean(x, p), rel=1e-12)
    larger = np.array(x)
    larger[place % len(x)] += growth
    assert power_mean(larger, p) >= power_mean(x, p) * (1 - 1e-12)
    assert power_mean(x[::-1], p) == pytest.approx(power_mean(x, p), rel=1e-13)
    assert power_mean(x, p, weights=np.full(len(x), factor)) == pytest.approx(power_mean(x, p), rel=1e-13)
    assert power_mean(x, -p) == pytest.approx(1 / power_mean(1 / np.array(x), p), rel=1e-12)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "x must not be empty", lambda: arithmetic_mean([])),
        (ValueError, "x must be finite, got nan", lambda: quadratic_mean([np.nan])),
        (ValueError, "x must be finite, got inf", lambda: geometric_mean([1, np.inf])),
        (ValueError, "x must be at least 0, got -1.0", lambda: geometric_mean([1, -1])),
        (ValueError, "x must be at least 0, got -2.0", lambda: harmonic_mean([1, -2])),
        (ValueError, "x must be at least 0, got -2.0", lambda: power_mean([1, -2], 2)),
        (TypeError, "x must hold real numbers", lambda: arithmetic_mean(["a"])),
        (ValueError, r"p must be in \(-inf, inf\), got nan", lambda: power_mean([1], np.nan)),
        (TypeError, "p must be a real number, got None", lambda: power_mean([1], None)),
        (ValueError, r"weights must have shape \(2,\), got \(3,\)", lambda: arithmetic_mean([1, 2], weights=[1, 1, 1])),
        (ValueError, r"weights must have shape \(2, 3\) or \(3,\), got \(2,\)",
         lambda: arithmetic_mean(np.ones((2, 3)), axis=1, weights=[1, 1])),
        (ValueError, "weights must be at least 0, got -1.0", lambda: arithmetic_mean([1, 2], weights=[1, -1])),
        (ValueError, "weights must not all be 0", lambda: geometric_mean([1, 2], weights=[0, 0])),
        (ValueError, "weights must not all be 0",
         lambda: arithmetic_mean(np.ones((2, 2)), axis=1, weights=[[1, 1], [0, 0]])),
        (ValueError, "axis must be between -1 and 0, got 1", lambda: arithmetic_mean([1, 2], axis=1)),
        (TypeError, "axis must be a whole number", lambda: arithmetic_mean([1, 2], axis=0.5)),
    ],
)  # fmt: skip
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
