"""Sigmoid and binary cross-entropy: values, stability, gradients, and what they refuse."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from dlnotes import binary_cross_entropy, binary_cross_entropy_with_logits, sigmoid, softplus
from dlnotes.losses import binary_cross_entropy_with_logits_gradient, cross_entropy_terms

LOGITS = np.array([-1e4, -745.0, -100.0, -36.0, -1.5, -1e-9, 0.0, 1e-9, 0.3, 5.0, 36.0, 40.0, 700.0, 1e4])


def exact(function):
    """`function` at each logit in 60 digits, rounded to float64 (mpmath has no overflow)."""
    with mpmath.workdps(60):
        return np.array([float(function(mpmath.mpf(z))) for z in LOGITS])


def within_ulps(got, expected, ulps):
    normal = np.abs(expected) > np.finfo(float).tiny
    np.testing.assert_array_less(np.abs(got - expected)[normal], ulps * np.spacing(np.abs(expected[normal])) * 1.001)
    np.testing.assert_allclose(got[~normal], expected[~normal], atol=1e-300)


def test_sigmoid_and_softplus_are_accurate_and_quiet_everywhere():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        within_ulps(sigmoid(LOGITS), exact(lambda z: 1 / (1 + mpmath.exp(-z))), 4)
        within_ulps(softplus(LOGITS), exact(lambda z: mpmath.log1p(mpmath.exp(z))), 4)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_loss_from_logits_is_accurate_where_the_short_form_cancels(y):
    terms = cross_entropy_terms(np.full_like(LOGITS, y), LOGITS)
    within_ulps(terms, exact(lambda z: mpmath.log1p(mpmath.exp(-z if y else z))), 4)
    short = np.logaddexp(0, 40.0) - 1 * 40.0
    assert short == 0.0 < binary_cross_entropy_with_logits([1.0], [40.0])


def test_both_forms_agree_where_both_are_finite():
    rng = np.random.default_rng(0)
    z, y = rng.normal(scale=3, size=(4, 5)), rng.integers(2, size=(4, 5))
    assert binary_cross_entropy(y, sigmoid(z)) == pytest.approx(binary_cross_entropy_with_logits(y, z), rel=1e-12)


def test_known_values():
    assert binary_cross_entropy([1, 0], [0.5, 0.5]) == pytest.approx(np.log(2))
    assert binary_cross_entropy([1, 0], [0.8, 0.4]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert binary_cross_entropy([True, False], [0.5, 0.5]) == pytest.approx(np.log(2))
    tiny = 1e-20  # log(1 - p) would round to 0
    assert binary_cross_entropy([0], [tiny]) == pytest.approx(tiny, rel=1e-12, abs=0)
    assert binary_cross_entropy([0.3], [0.3]) == pytest.approx(-(0.3 * np.log(0.3) + 0.7 * np.log(0.7)))


def test_certain_predictions_give_zero_or_the_true_infinity_without_a_warning():
    with np.errstate(all="raise"):
        assert binary_cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0.0
        assert binary_cross_entropy([1.0], [0.0]) == np.inf
        assert binary_cross_entropy([0.0], [1.0]) == np.inf


def test_the_gradient_is_that_of_the_loss():
    rng, h = np.random.default_rng(1), 1e-6
    z, y = rng.normal(size=(3, 2)), rng.random((3, 2))
    gradient = binary_cross_entropy_with_logits_gradient(y, z)
    for i in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[i] = h
        up, down = binary_cross_entropy_with_logits(y, z + step), binary_cross_entropy_with_logits(y, z - step)
        assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_gradient_is_accurate_where_a_minus_y_cancels(y):
    got = binary_cross_entropy_with_logits_gradient(np.full_like(LOGITS, y), LOGITS) * LOGITS.size
    within_ulps(got, exact(lambda z: 1 / (1 + mpmath.exp(-z)) - y), 4)
    assert 1 / (1 + np.exp(-40.0)) - 1 == 0.0 > binary_cross_entropy_with_logits_gradient([1], [40.0])[0]


def test_float32_stays_float32():
    z = np.zeros(3, dtype=np.float32)
    assert sigmoid(z).dtype == softplus(z).dtype == np.float32
    assert binary_cross_entropy_with_logits_gradient([0, 1, 1], z).dtype == np.float32


def test_the_same_functions_read_symbols():
    z, y = sp.symbols("z y", real=True)
    assert sp.simplify(sigmoid(z).diff(z) - sigmoid(z) * (1 - sigmoid(z))) == 0
    assert sp.simplify(cross_entropy_terms(y, z).diff(z) - (sigmoid(z) - y)) == 0
    pair = sigmoid(np.array([z, y]))
    assert pair.dtype == object and list(pair) == [sigmoid(z), sigmoid(y)]
    assert list(softplus(np.array([z, y]))) == [softplus(z), softplus(y)]
    assert float(sigmoid(z).subs(z, 0.7)) == pytest.approx(sigmoid(0.7), rel=1e-15)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, r"p must be in \[0, 1\], got 1.2", lambda: binary_cross_entropy([1], [1.2])),
        (ValueError, r"p must be in \[0, 1\], got -0.1", lambda: binary_cross_entropy([1], [-0.1])),
        (ValueError, r"y must be in \[0, 1\], got 2", lambda: binary_cross_entropy([2], [0.5])),
        (ValueError, r"y must be in \[0, 1\], got -1", lambda: binary_cross_entropy_with_logits([-1], [0.5])),
        (ValueError, r"y must be in \[0, 1\], got 3", lambda: binary_cross_entropy_with_logits_gradient([3], [0.5])),
        (ValueError, r"y must have shape \(2, 1\), got \(2,\)", lambda: binary_cross_entropy([0, 1], [[0.5], [0.5]])),
        (ValueError, r"y must have shape \(1,\), got \(2,\)", lambda: binary_cross_entropy_with_logits([0, 1], [0.5])),
        (ValueError, "p must not be empty", lambda: binary_cross_entropy([], [])),
        (ValueError, "z must not be empty", lambda: binary_cross_entropy_with_logits([], [])),
        (ValueError, r"z must be finite, got inf at index \(1,\)", lambda: sigmoid([0.0, np.inf])),
        (ValueError, "z must be finite, got nan", lambda: softplus(np.nan)),
        (ValueError, "p must be finite, got nan", lambda: binary_cross_entropy([1], [np.nan])),
        (TypeError, "z must hold real numbers, got dtype", lambda: sigmoid(["a"])),
        (ValueError, "z must be a rectangular array", lambda: sigmoid([[1.0], [1.0, 2.0]])),
    ],
)
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
