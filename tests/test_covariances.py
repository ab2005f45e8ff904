"""Covariance and correlation: against NumPy and exact fractions, streams and merges, properties, bad input."""

from fractions import Fraction

import numpy as np
import pytest
from dlnotes.covariances import RunningCovariance, correlation, covariance, covariance_matrix
from hypothesis import given, settings
from hypothesis import strategies as st

rng = np.random.default_rng(0)


def exact(x, y, ddof=1):
    x, y = [Fraction(float(v)) for v in x], [Fraction(float(v)) for v in y]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return float(sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / (len(x) - ddof))


def running(rows):
    accumulator = RunningCovariance()
    for row in rows:
        accumulator.add(row)
    return accumulator


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e9])
@pytest.mark.parametrize("ddof", [0, 1])
def test_all_ways_give_the_exact_covariance_at_any_offset(offset, ddof):
    rows = rng.normal(size=(200, 2)) @ [[1, 0.5], [0, 1]] + offset
    truth = exact(*rows.T, ddof)
    assert covariance(*rows.T, ddof=ddof) == pytest.approx(truth, rel=1e-12)
    assert covariance_matrix(rows, ddof)[0, 1] == pytest.approx(truth, rel=1e-12)
    stream = running(rows)
    assert stream.covariance(ddof)[0, 1] == pytest.approx(truth, rel=1e-12)
    merged = running(rows[:70]).merge(running(rows[70:71])).merge(running(rows[71:]))
    assert merged.count == 200 and merged.covariance(ddof)[0, 1] == pytest.approx(truth, rel=1e-12)
    np.testing.assert_allclose(merged.mean(), rows.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(stream.mean(), rows.mean(axis=0), rtol=1e-14)


def test_against_numpy():
    rows = rng.normal(size=(30, 4)) * [1, 10, 0.1, 1e150]
    np.testing.assert_allclose(covariance_matrix(rows), np.cov(rows.T), rtol=1e-10)
    np.testing.assert_allclose(covariance_matrix(rows, 0), np.cov(rows.T, ddof=0), rtol=1e-10)
    np.testing.assert_allclose(running(rows).covariance(), np.cov(rows.T), rtol=1e-10)
    assert correlation(rows[:, 0], rows[:, 3]) == pytest.approx(np.corrcoef(rows.T)[0, 3], rel=1e-12)


def test_known_values():
    assert covariance([1, 2, 3], [2, 4, 9]) == 3.5 and covariance([1, 2, 3], [2, 4, 9], ddof=0) == pytest.approx(7 / 3)
    assert correlation([1, 2, 3], [1, 2, 3]) == 1 and correlation([1, 2], [5, 3]) == -1
    assert correlation([-1, 0, 1], [1, 0, 1]) == pytest.approx(0, abs=1e-15)  # dependent, and uncorrelated
    assert correlation([0, 1e300, 2e300], [0, 1e-300, 2e-300]) == 1


def test_a_correlation_next_to_one_keeps_its_distance():
    x = np.array([-1.0, 0.0, 1.0])
    y = x + 1e-7 * np.array([1.0, -2.0, 1.0])
    assert 1 - correlation(x, y) == pytest.approx(1.5e-14, rel=0.01)
    assert 1 + correlation(x, -y) == pytest.approx(1.5e-14, rel=0.01)


table = st.integers(2, 8).flatmap(
    lambda n: st.lists(st.tuples(*[st.floats(-100, 100).map(lambda v: round(v, 3))] * 3), min_size=n, max_size=n)
)
few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@few
@given(table, st.floats(-5, 5), st.floats(-5, 5))
def test_covariance_is_bilinear_symmetric_and_blind_to_offsets(rows, a, b):
    x, y, z = np.array(rows).T
    near = dict(rel=1e-9, abs=1e-8)
    assert covariance(a * x + b * y, z) == pytest.approx(a * covariance(x, z) + b * covariance(y, z), **near)
    assert covariance(x, y) == pytest.approx(covariance(y, x), **near)
    assert covariance(x + a, y + b) == pytest.approx(covariance(x, y), **near)
    matrix = covariance_matrix(np.array(rows))
    assert np.linalg.eigvalsh(matrix).min() >= -1e-9 * max(1, np.abs(matrix).max())
    assert covariance(x, y) ** 2 <= covariance(x, x) * covariance(y, y) + 1e-6
    if min(np.ptp(x), np.ptp(y)) > 0.1:
        assert -1 <= correlation(x, y) <= 1
        assert correlation(3 * x - 1, y) == pytest.approx(correlation(x, y), abs=1e-12)
        assert correlation(-x, y) == pytest.approx(-correlation(x, y), abs=1e-12)


@few
@given(table, st.integers(0, 8), st.integers(0, 8))
def test_merging_does_not_depend_on_the_order_of_the_parts(rows, i, j):
    rows = np.array(rows)
    i, j = sorted((min(i, len(rows)), min(j, len(rows))))
    a, b, c = running(rows[:i]), running(rows[i:j]), running(rows[j:])
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        assert merged.count == len(rows)
        np.testing.assert_allclose(merged.covariance(), covariance_matrix(rows), rtol=1e-9, atol=1e-9)
    assert (a.count, b.count, c.count) == (i, j - i, len(rows) - j)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, r"y must have shape \(2,\), got \(3,\)", lambda: covariance([1, 2], [1, 2, 3])),
        (ValueError, "there must be more than ddof = 1 observations, got 1", lambda: covariance([1], [2])),
        (ValueError, "there must be more than ddof = 2 observations, got 2", lambda: covariance([1, 2], [2, 3], 2)),
        (ValueError, "ddof must be at least 0, got -1", lambda: covariance([1, 2], [2, 3], -1)),
        (TypeError, "ddof must be a whole number", lambda: covariance([1, 2], [2, 3], 0.5)),
        (ValueError, "x must not be empty", lambda: covariance([], [])),
        (ValueError, "x must be finite, got nan", lambda: correlation([1, np.nan], [1, 2])),
        (ValueError, "y must not be constant, got 0.1 throughout", lambda: correlation([1, 2, 3], [0.1, 0.1, 0.1])),
        (ValueError, "there must be more than ddof = 1 observations, got 1", lambda: correlation([1], [2])),
        (ValueError, "x must have 2 axes", lambda: covariance_matrix([1, 2])),
        (ValueError, "there must be more than ddof = 1 observations, got 1", lambda: covariance_matrix([[1, 2]])),
        (ValueError, "there must be more than ddof = 0 observations, got 0", lambda: RunningCovariance().mean()),
        (ValueError, "there must be more than ddof = 1 observations, got 1", lambda: running([[1.0]]).covariance()),
        (ValueError, r"observation must have shape \(1,\), got \(2,\)", lambda: running([[1.0], [1.0, 2.0]])),
        (ValueError, "observation must be finite", lambda: running([[np.inf]])),
        (TypeError, "other must be a RunningCovariance, got 3", lambda: running([[1.0]]).merge(3)),
        (ValueError, r"other must have shape \(1,\), got \(2,\)",
         lambda: running([[1.0]]).merge(running([[1.0, 2.0]]))),
    ],
)  # fmt: skip
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
