"""The sigmoid and the binary cross-entropy, stable where they are computed from logits."""

from functools import singledispatch

import numpy as np

from dlnotes import checks


@singledispatch
def sigmoid(z):
    """Logistic function ``1 / (1 + exp(-z))``, without overflow for any finite `z`.

    Parameters
    ----------
    z : array_like of float
        Logits, of any shape. An array of SymPy expressions is read symbolically, element by element.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Values in [0, 1], of the shape of `z`.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `z` is empty or not finite.
    """
    return sigmoid_terms(z if _symbolic(z) else checks.real_array("z", z))[()]


@singledispatch
def softplus(z):
    """``log(1 + exp(z))``, the loss of a logit that should be very negative.

    Parameters
    ----------
    z : array_like of float
        Logits, of any shape. An array of SymPy expressions is read symbolically, element by element.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Non-negative values, of the shape of `z`.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `z` is empty or not finite.
    """
    return softplus_terms(z if _symbolic(z) else checks.real_array("z", z))[()]


def binary_cross_entropy(y, p):
    """Mean binary cross-entropy of predicted probabilities, in nats.

    A certain prediction that is wrong (``p = 0`` for ``y = 1``) gives the true value, infinity.

    Parameters
    ----------
    y : array_like of float
        Labels: 1 positive, 0 negative; values between are probabilities of the positive class.
    p : array_like of float
        Predicted probabilities of the positive class, of the shape of `y`.

    Returns
    -------
    float
        ``mean(-y * log(p) - (1 - y) * log(1 - p))`` over all elements.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If shapes differ, an argument is empty, or a value lies outside [0, 1].

    Notes
    -----
    Bishop 2006, section 4.3.2.
    """
    p = checks.real_array("p", p)
    y = _labels(y, p.shape, p.dtype)
    _check_unit_interval("p", p)
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = np.where(y == 0, 0, -y * np.log(p))  # 0 * log 0 counts as 0
        negative = np.where(y == 1, 0, -(1 - y) * np.log1p(-p))
    return float(np.mean(positive + negative))


def binary_cross_entropy_with_logits(y, z):
    """Mean binary cross-entropy of logits ``z = log(p / (1 - p))``, in nats.

    Finite and accurate for every finite logit, where the form from probabilities overflows.

    Parameters
    ----------
    y : array_like of float
        Labels: 1 positive, 0 negative; values between are probabilities of the positive class.
    z : array_like of float
        Logits, of the shape of `y`.

    Returns
    -------
    float
        ``mean((1 - y) * softplus(z) + y * softplus(-z))`` over all elements.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If shapes differ, an argument is empty or not finite, or a label lies outside [0, 1].

    Notes
    -----
    Bishop 2006, section 4.3.2. The shorter ``softplus(z) - y * z`` cancels at ``y = 1``.
    """
    z = checks.real_array("z", z)
    return float(np.mean(cross_entropy_terms(_labels(y, z.shape, z.dtype), z)))


def binary_cross_entropy_with_logits_gradient(y, z):
    """Gradient of `binary_cross_entropy_with_logits` with respect to the logits.

    Parameters
    ----------
    y : array_like of float
        Labels in [0, 1].
    z : array_like of float
        Logits, of the shape of `y`.

    Returns
    -------
    numpy.ndarray
        ``(sigmoid(z) - y) / z.size``, of the shape and dtype of `z`; computed as
        ``(1 - y) * sigmoid(z) - y * sigmoid(-z)``, which does not cancel at ``y = 1``.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If shapes differ, an argument is empty or not finite, or a label lies outside [0, 1].

    Notes
    -----
    Bishop 2006, equation 5.18, divided by the number of labels; in the weights, equation 4.91.
    """
    z = checks.real_array("z", z)
    y = _labels(y, z.shape, z.dtype)
    return ((1 - y) * sigmoid_terms(z) - y * sigmoid_terms(-z)) / z.size


# What follows checks nothing; it reads symbols, and arrays of numbers or of symbols.
def sigmoid_terms(z):
    """Return the sigmoid of each element."""
    if _symbolic(z):
        return np.frompyfunc(sigmoid, 1, 1)(z)
    small = np.exp(-np.abs(z))  # never overflows
    return np.where(z >= 0, 1, small) / (1 + small)


def softplus_terms(z):
    """Return ``log(1 + exp(z))`` of each element."""
    return np.frompyfunc(softplus, 1, 1)(z) if _symbolic(z) else np.logaddexp(0, z)


def cross_entropy_terms(y, z):
    """Return ``(1 - y) * softplus(z) + y * softplus(-z)``, the loss of each label and logit."""
    return (1 - y) * softplus_terms(z) + y * softplus_terms(-z)


def _symbolic(value):
    """Tell symbols, and arrays of them, from numbers."""
    return getattr(value, "dtype", None) == np.dtype(object) or hasattr(value, "free_symbols")


def _labels(y, shape, dtype):
    y = checks.real_array("y", y, shape=shape, dtype=dtype)
    _check_unit_interval("y", y)
    return y


def _check_unit_interval(name, array):
    outside = (array < 0) | (array > 1)
    if outside.any():
        raise ValueError(f"{name} must be in [0, 1], got {array[outside].flat[0]}")
