"""Activations and cross-entropies: values, stability, gradients, properties, and what they refuse."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from dlnotes import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_gradient,
    cross_entropy,
    cross_entropy_with_logits,
    cross_entropy_with_logits_gradient,
    entropy,
    kl_divergence,
    log_sigmoid,
    log_softmax,
    log_sum_exp,
    sigmoid,
    softmax,
    softplus,
)
from dlnotes.datasets import one_hot
from dlnotes.losses import cross_entropy_terms
from hypothesis import given, settings
from hypothesis import strategies as st

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
        within_ulps(log_sigmoid(LOGITS), exact(lambda z: -mpmath.log1p(mpmath.exp(-z))), 4)


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


ROWS = [
    np.array(row, dtype=float)
    for row in ([0, 0], [50, 0], [0, 50], [1000, 999, -1000], [1e4, -1e4, 0], [-745, 0, 3], [1e-9, -1e-9, 0, 1e-9],
                [36.5, 1.25, -3.75, 36.5], [-1e4, -1e4 + 1], [7.3], [1e4, 1e4 - 40, 1e4 - 41])
]  # fmt: skip


@pytest.mark.parametrize("z", ROWS, ids=str)
def test_softmax_and_its_logarithms_are_accurate_and_quiet(z):
    spread = 1 + z.max() - z.min()
    with mpmath.workdps(60):
        powers = [mpmath.exp(mpmath.mpf(float(entry))) for entry in z]
        total = mpmath.fsum(powers)
        p = np.array([float(power / total) for power in powers])
        log_p = np.array([float(mpmath.log(power / total)) for power in powers])
        log_total = float(mpmath.log(total))
        rest = [float((total - power) / total) for power in powers]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        within_ulps(softmax(z), p, 4 * spread)
        within_ulps(log_softmax(z), log_p, 4 * spread)
        assert abs(log_sum_exp(z) - log_total) <= 4 * np.spacing(max(np.abs(z).max(), log_total))
        for label in range(len(z)):
            within_ulps(np.array([cross_entropy_with_logits(label, z)]), -log_p[[label]], 4 * spread)
            gradient = cross_entropy_with_logits_gradient(label, z)
            expected = np.where(np.arange(len(z)) == label, -np.array(rest), p)
            within_ulps(gradient, expected, 8 * spread)


def test_what_the_usual_forms_lose():
    z = np.array([50.0, 0.0])
    assert np.log(softmax(z))[0] == 0 > log_softmax(z)[0] == pytest.approx(-np.exp(-50), rel=1e-15)
    assert softmax(z)[0] - 1 == 0 > cross_entropy_with_logits_gradient(0, z)[0]
    close = np.array([0.5 + 1e-9, 0.5 - 1e-9])
    assert kl_divergence([0.5, 0.5], close) == pytest.approx(2e-18, rel=1e-7)
    assert abs(np.sum(0.5 * np.log(0.5 / close)) - 2e-18) > 1e-18


def test_known_values_of_several_classes():
    assert cross_entropy([0, 2], [[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]) == pytest.approx(-np.log(0.5 * 0.8) / 2)
    assert cross_entropy(1, [0.25, 0.75]) == pytest.approx(-np.log(0.75))
    assert entropy([0.5, 0.25, 0.25, 0]) == pytest.approx(1.5 * np.log(2))
    assert entropy([[1, 0.5], [0, 0.5]], axis=0).tolist() == pytest.approx([0, np.log(2)])
    assert kl_divergence([0.5, 0.5], [0.25, 0.75]) == pytest.approx(np.log(2) - 0.5 * np.log(3))


def test_certain_predictions_of_several_classes():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert cross_entropy([0, 1], [[1, 0], [0, 1]]) == 0
        assert cross_entropy([1], [[1, 0]]) == np.inf
        assert cross_entropy([[1, 0]], [[1, 0]]) == 0  # 0 log 0 counts as 0
        assert entropy([1, 0]) == 0 and not np.signbit(entropy([1, 0]))
        assert kl_divergence([1, 0], [1, 0]) == 0
        assert kl_divergence([0.5, 0.5], [1, 0]) == np.inf
        assert kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(np.log(2))
        assert kl_divergence([5e-324, 1], [0.5, 0.5]) == pytest.approx(np.log(2))


def test_two_classes_are_the_binary_loss():
    rng = np.random.default_rng(2)
    z, y = rng.normal(scale=5, size=20), rng.integers(2, size=20)
    pair = np.stack([np.zeros(20), z], axis=1)
    assert cross_entropy_with_logits(y, pair) == pytest.approx(binary_cross_entropy_with_logits(y, z), rel=1e-14)
    np.testing.assert_allclose(softmax(pair)[:, 1], sigmoid(z), rtol=1e-14)
    weighted = dict(class_weights=(0.5, 4), reduction="mean")
    assert cross_entropy_with_logits(y, pair, **weighted) == pytest.approx(
        binary_cross_entropy_with_logits(y, z, **weighted), rel=1e-14
    )


def test_weights_divide_by_their_sum_and_count_like_repeated_examples():
    y, p = np.array([0, 1, 1, 2]), np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    repeated = np.repeat([0, 1, 2, 3], [1, 2, 2, 3])
    assert cross_entropy(y, p, class_weights=[1, 2, 3]) == pytest.approx(cross_entropy(y[repeated], p[repeated]))
    binary, share = np.array([0, 1, 1]), np.array([0.3, 0.6, 0.2])
    repeated = np.repeat([0, 1, 2], [1, 4, 4])
    assert binary_cross_entropy(binary, share, class_weights=(1, 4)) == pytest.approx(
        binary_cross_entropy(binary[repeated], share[repeated])
    )
    assert binary_cross_entropy([0.5], [0.2], class_weights=(0, 2)) == pytest.approx(-np.log(0.2))


def test_labels_as_numbers_one_hot_or_smoothed_are_one_loss():
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=(9, 4)), rng.integers(4, size=9)
    loss = cross_entropy_with_logits(y, z, label_smoothing=0.2)
    assert loss == pytest.approx(cross_entropy_with_logits(0.8 * one_hot(y, 4) + 0.05, z), rel=1e-14)
    assert loss == pytest.approx(cross_entropy(y, softmax(z), label_smoothing=0.2), rel=1e-12)
    assert cross_entropy(one_hot(y, 4), softmax(z)) == pytest.approx(cross_entropy(y, softmax(z)), rel=1e-15)


def test_the_mean_over_pixels_is_not_the_mean_over_images():
    z = np.random.default_rng(4).normal(size=(2, 3, 4, 5))
    mask = np.zeros((2, 4, 5), int)
    mask[1, 1:] = -1  # the second image counts with a quarter of its pixels
    options = dict(axis=1, ignore_index=-1)
    terms = cross_entropy_with_logits(mask, z, reduction="none", **options)
    assert terms.shape == mask.shape and not terms[mask == -1].any()
    pixels = cross_entropy_with_logits(mask, z, **options)
    assert pixels == pytest.approx(terms[mask != -1].mean()) == pytest.approx(terms.sum() / 25)
    images = np.mean([cross_entropy_with_logits(m[None], one[None], **options) for m, one in zip(mask, z, strict=True)])
    assert abs(images - pixels) > 1e-3
    gradient = cross_entropy_with_logits_gradient(mask, z, **options)
    assert gradient.shape == z.shape and not gradient[1, :, 1:].any()
    np.testing.assert_allclose(gradient, np.moveaxis(
        cross_entropy_with_logits_gradient(mask, np.moveaxis(z, 1, -1), ignore_index=-1), -1, 1))  # fmt: skip
    assert cross_entropy_with_logits(mask, z, axis=1, ignore_index=-1) != cross_entropy_with_logits(mask % 3, z, axis=1)


@pytest.mark.parametrize("options", [{}, {"class_weights": [1, 0.5, 2, 0], "label_smoothing": 0.3}])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradient_of_several_classes_is_that_of_the_loss(options, reduction):
    rng, h = np.random.default_rng(5), 1e-6
    z, y = rng.normal(size=(3, 4)), np.array([0, 3, 2])
    gradient = cross_entropy_with_logits_gradient(y, z, reduction=reduction, **options)
    for i in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[i] = h
        up, down = (cross_entropy_with_logits(y, z + s, reduction=reduction, **options) for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-9)


def test_the_weighted_binary_gradient_is_that_of_the_loss():
    z, y, h = np.array([0.3, -2.0]), np.array([1.0, 0.25]), 1e-6
    for how in ("mean", "sum"):
        options = dict(class_weights=(0.5, 3), reduction=how)
        gradient = binary_cross_entropy_with_logits_gradient(y, z, **options)
        for i, step in enumerate(h * np.eye(2)):
            up, down = (binary_cross_entropy_with_logits(y, z + s, **options) for s in (step, -step))
            assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-6)


def test_several_classes_read_symbols():
    z, p, q = (np.array(sp.symbols(f"{name}1:4", real=True)) for name in "zpq")
    jacobian = sp.Matrix(softmax(z)).jacobian(list(z))
    probabilities = sp.Matrix(softmax(z))
    assert sp.simplify(jacobian - (sp.diag(*probabilities) - probabilities * probabilities.T)) == sp.zeros(3)
    assert all(sp.simplify(sp.diff(log_sum_exp(z), z[k]) - softmax(z)[k]) == 0 for k in range(3))
    assert all(sp.simplify(sp.exp(log_softmax(z)[k]) - softmax(z)[k]) == 0 for k in range(3))
    assert sp.expand(kl_divergence(p, q) + entropy(p) + sum(p * [sp.log(v) for v in q])) == 0
    point = dict(zip(z, [0.3, -1.0, 2.0], strict=True))
    np.testing.assert_allclose([float(f.subs(point)) for f in softmax(z)], softmax([0.3, -1.0, 2.0]), rtol=1e-14)
    assert log_sigmoid(z[0]) == -softplus(-z[0])


logits = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6).map(np.array)
few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@few
@given(logits, st.floats(-1e4, 1e4), st.randoms())
def test_softmax_sums_to_one_and_follows_shifts_and_permutations(z, shift, random):
    p = softmax(z)
    assert (p >= 0).all() and p.sum() == pytest.approx(1, rel=1e-14)
    rounding = 4 * np.spacing(np.abs(z).max() + abs(shift))
    np.testing.assert_allclose(softmax(z + shift), p, rtol=8 * rounding + 1e-14)
    np.testing.assert_allclose(log_softmax(z + shift), log_softmax(z), rtol=1e-12, atol=8 * rounding)
    assert log_sum_exp(z + shift) == pytest.approx(log_sum_exp(z) + shift, abs=8 * rounding + 1e-14)
    order = random.sample(range(len(z)), len(z))
    np.testing.assert_allclose(softmax(z[order]), p[order], rtol=1e-14)
    assert z.max() <= log_sum_exp(z) <= z.max() + np.log(len(z)) + 4 * np.spacing(np.abs(z).max()) + 1e-15
    assert softmax(z[:, None], axis=0).shape == (len(z), 1) and (log_softmax(z) <= 0).all()


@few
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_gibbs_inequality(pairs):
    p, q = (np.array(part) + 1e-3 for part in zip(*pairs, strict=True))
    p, q = p / p.sum(), q / q.sum()
    assert kl_divergence(p, q) >= 0 and kl_divergence(p, p) == 0
    assert 0 <= entropy(p) <= np.log(len(p)) + 1e-14
    crossed = cross_entropy(p, q)
    assert crossed == pytest.approx(entropy(p) + kl_divergence(p, q), rel=1e-12, abs=1e-14)
    assert crossed >= entropy(p) - 1e-14
    assert kl_divergence(p, q) == pytest.approx(np.sum(p * np.log(p / q)), rel=1e-9, abs=1e-14)


moderate = st.lists(st.floats(-20, 20), min_size=1, max_size=5).map(np.array)


@few
@given(moderate, st.integers(0, 4), st.floats(0, 0.9), st.lists(st.floats(0.1, 9), min_size=5, max_size=5))
def test_gradients_meet_central_differences(z, label, smoothing, weights):
    label, h = label % len(z), 1e-5
    options = dict(class_weights=weights[: len(z)], label_smoothing=smoothing, reduction="sum")
    gradient = cross_entropy_with_logits_gradient(label, z, **options)
    binary = dict(class_weights=weights[:2], reduction="sum")
    y = np.full(len(z), smoothing)
    slopes = binary_cross_entropy_with_logits_gradient(y, z, **binary)
    for i, step in enumerate(h * np.eye(len(z))):
        up, down = (cross_entropy_with_logits(label, z + s, **options) for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-6)
        up, down = (binary_cross_entropy_with_logits(y, z + s, **binary) for s in (step, -step))
        assert slopes[i] == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-6)


@few
@given(logits, st.integers(0, 5), st.floats(0, 0.9))
def test_losses_are_not_negative_and_keep_dtype_and_shape(z, label, smoothing):
    label %= len(z)
    assert cross_entropy_with_logits(label, z, label_smoothing=smoothing) >= 0
    single = cross_entropy_with_logits(np.full(2, label), np.float32([z, z]), reduction="none")
    assert single.dtype == np.float32 and single.shape == (2,)
    gradient = cross_entropy_with_logits_gradient(np.full(2, label), np.float32([z, z]))
    assert gradient.dtype == np.float32 and gradient.shape == (2, len(z))
    assert gradient.sum(axis=1) == pytest.approx(np.zeros(2), abs=1e-6)
    assert softmax(np.float32(z)).dtype == log_softmax(np.float32(z)).dtype == np.float32
    y = label / len(z)
    assert (binary_cross_entropy_with_logits(np.full(z.shape, y), z, reduction="none") >= 0).all()


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
        (ValueError, "y must be between 0 and 1, got 2", lambda: cross_entropy([2], [[0.5, 0.5]])),
        (ValueError, "y must be between 0 and 1, got -1", lambda: cross_entropy([-1], [[0.5, 0.5]])),
        (ValueError, "y must be between 0 and 1, got -1",
         lambda: cross_entropy([-1], [[0.5, 0.5]], ignore_index=-100)),
        (TypeError, "y must hold whole numbers or have the shape of the scores, got dtype float64",
         lambda: cross_entropy([1.0], [[0.5, 0.5]])),
        (ValueError, r"y must have shape \(1,\), got \(2,\)", lambda: cross_entropy([0, 1], [[0.5, 0.5]])),
        (ValueError, r"y must have shape \(2, 2\), got \(2,\)",
         lambda: cross_entropy_with_logits([0, 1], np.zeros((2, 3, 2)), axis=1)),
        (ValueError, "y must be a rectangular array", lambda: cross_entropy([[0], [0, 1]], [[0.5, 0.5]])),
        (ValueError, r"y must sum to 1 along axis -1, got a sum of 2.0",
         lambda: cross_entropy([[1, 1]], [[0.5, 0.5]])),
        (ValueError, r"p must sum to 1 along axis -1, got a sum of 1.1", lambda: cross_entropy([0], [[0.5, 0.6]])),
        (ValueError, r"p must be in \[0, 1\], got -0.5", lambda: cross_entropy([0], [[-0.5, 1.5]])),
        (ValueError, "p must be finite, got nan", lambda: cross_entropy([0], [[np.nan, 0.5]])),
        (ValueError, "z must be finite, got inf", lambda: cross_entropy_with_logits([0], [[np.inf, 0.5]])),
        (ValueError, "p must not be empty", lambda: cross_entropy(np.zeros(0, int), np.zeros((0, 3)))),
        (ValueError, "z must not be empty", lambda: cross_entropy_with_logits_gradient([], np.zeros((0, 3)))),
        (ValueError, "the examples must not all be ignored or have weight 0",
         lambda: cross_entropy_with_logits([-1, -1], np.zeros((2, 3)), ignore_index=-1)),
        (ValueError, "the examples must not all be ignored or have weight 0",
         lambda: cross_entropy_with_logits([-1, -1], np.zeros((2, 3)), ignore_index=-1, reduction="none")),
        (ValueError, "the examples must not all be ignored or have weight 0",
         lambda: binary_cross_entropy([1], [0.5], class_weights=(1, 0))),
        (ValueError, r"class_weights must have shape \(2,\), got \(3,\)",
         lambda: binary_cross_entropy([1], [0.5], class_weights=(1, 1, 1))),
        (ValueError, "class_weights must be at least 0, got -1.0",
         lambda: cross_entropy([1], [[0.5, 0.5]], class_weights=[1, -1])),
        (ValueError, r"label_smoothing must be in \[0, 1\), got 1.0",
         lambda: cross_entropy([1], [[0.5, 0.5]], label_smoothing=1.0)),
        (ValueError, "ignore_index must be None where y holds probabilities, got 0",
         lambda: cross_entropy([[0, 1]], [[0.5, 0.5]], ignore_index=0)),
        (TypeError, "ignore_index must be a whole number, got 0.5",
         lambda: cross_entropy([0], [[0.5, 0.5]], ignore_index=0.5)),
        (ValueError, r"reduction must be one of \['mean', 'sum', 'none'\], got 'max'",
         lambda: cross_entropy([0], [[0.5, 0.5]], reduction="max")),
        (ValueError, r"reduction must be one of \['mean', 'sum'\], got 'none'",
         lambda: cross_entropy_with_logits_gradient([0], [[0.5, 0.5]], reduction="none")),
        (ValueError, r"reduction must be one of \['mean', 'sum'\], got 'none'",
         lambda: binary_cross_entropy_with_logits_gradient([0], [0.5], reduction="none")),
        (ValueError, "axis must be between -2 and 1, got 2", lambda: softmax(np.zeros((2, 3)), axis=2)),
        (TypeError, "axis must be a whole number, got 0.5", lambda: log_softmax([1.0], axis=0.5)),
        (ValueError, "axis must be an axis of the array, got -1 and an array without axes", lambda: log_sum_exp(1.0)),
        (ValueError, "z must be finite, got nan", lambda: log_sum_exp([np.nan])),
        (ValueError, "p must sum to 1", lambda: entropy([0.5, 0.6])),
        (ValueError, r"q must have shape \(2,\), got \(3,\)", lambda: kl_divergence([0.5, 0.5], [0.2, 0.3, 0.5])),
        (ValueError, "q must sum to 1", lambda: kl_divergence([0.5, 0.5], [0.2, 0.3])),
    ],
)  # fmt: skip
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
