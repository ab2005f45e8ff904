"""From logits to probabilities: sigmoid, softmax and their logarithms, stable for every finite logit."""

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
    return sigmoid_terms(z if symbolic(z) else checks.real_array("z", z))[()]


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
    return softplus_terms(z if symbolic(z) else checks.real_array("z", z))[()]


def log_sigmoid(z):
    """``log(sigmoid(z))``, computed as ``-softplus(-z)``: finite where the sigmoid underflows to 0.

    Parameters
    ----------
    z : array_like of float
        Logits, of any shape. Symbols are read as by `softplus`.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Values of at most 0, of the shape of `z`.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers.
    ValueError
        If `z` is empty or not finite.
    """
    return -softplus(-z if symbolic(z) else -checks.real_array("z", z))


def log_sum_exp(z, axis=-1):
    """``log(sum(exp(z)))``: the smooth maximum, whose gradient is the softmax.

    Parameters
    ----------
    z : array_like of float
        Logits, with the classes along `axis`. An array of SymPy expressions gives a formula.
    axis : int, optional
        The axis that is summed over.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `z` without `axis`: the largest entry of `z`, plus at most ``log(classes)``.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `axis` is no whole number.
    ValueError
        If `z` is empty, not finite or without that axis.
    """
    z, symbols = _classes_last(z, axis)
    if symbols:
        return log(exp(z).sum(axis=-1))
    largest, rest, _ = _relative_exponentials(z)
    return (largest + np.log1p(rest))[..., 0][()]


def softmax(z, axis=-1):
    """``exp(z) / sum(exp(z))``: logits turned into probabilities.

    Parameters
    ----------
    z : array_like of float
        Logits, with the classes along `axis`. An array of SymPy expressions gives formulas.
    axis : int, optional
        The axis of the classes.

    Returns
    -------
    numpy.ndarray
        Of the shape of `z`: values in [0, 1] that sum to 1 along `axis`.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `axis` is no whole number.
    ValueError
        If `z` is empty, not finite or without that axis.

    Notes
    -----
    Bishop 2006, section 4.3.4.
    """
    z, symbols = _classes_last(z, axis)
    if symbols:
        return np.moveaxis(exp(z) / exp(z).sum(axis=-1, keepdims=True), -1, axis)
    return np.moveaxis(softmax_terms(z)[0], -1, axis)


def log_softmax(z, axis=-1):
    """``log(softmax(z))``, accurate also where a probability is next to 1 or underflows to 0.

    Parameters
    ----------
    z : array_like of float
        Logits, with the classes along `axis`. An array of SymPy expressions gives formulas.
    axis : int, optional
        The axis of the classes.

    Returns
    -------
    numpy.ndarray
        Of the shape of `z`: values of at most 0.

    Raises
    ------
    TypeError
        If `z` does not hold real numbers or `axis` is no whole number.
    ValueError
        If `z` is empty, not finite or without that axis.
    """
    z, symbols = _classes_last(z, axis)
    result = z - log(exp(z).sum(axis=-1, keepdims=True)) if symbols else log_softmax_terms(z)
    return np.moveaxis(result, -1, axis)


# What follows checks nothing. The first three read arrays of numbers or of symbols.
@singledispatch
def exp(x):
    """Exponential function of numbers, symbols, or arrays of either."""
    return np.frompyfunc(exp, 1, 1)(x) if symbolic(x) else np.exp(x)


@singledispatch
def log(x):
    """Natural logarithm of numbers, symbols, or arrays of either."""
    return np.frompyfunc(log, 1, 1)(x) if symbolic(x) else np.log(x)


def sigmoid_terms(z):
    """Return the sigmoid of each element."""
    if symbolic(z):
        return np.frompyfunc(sigmoid, 1, 1)(z)
    small = np.exp(-np.abs(z))  # never overflows
    return np.where(z >= 0, 1, small) / (1 + small)


def softplus_terms(z):
    """Return ``log(1 + exp(z))`` of each element."""
    return np.frompyfunc(softplus, 1, 1)(z) if symbolic(z) else np.logaddexp(0, z)


def softmax_terms(z):
    """Return p, the softmax along the last axis, and 1 - p, neither of them with cancellation."""
    _, rest, powers = _relative_exponentials(z)
    p = powers / (1 + rest)
    return p, np.where(np.arange(z.shape[-1]) == _top(z), rest / (1 + rest), 1 - p)


def log_softmax_terms(z):
    """Return the log-softmax along the last axis."""
    largest, rest, _ = _relative_exponentials(z)
    return (z - largest) - np.log1p(rest)  # two terms of one sign


def symbolic(value):
    """Tell symbols, and arrays of them, from numbers."""
    return getattr(value, "dtype", None) == np.dtype(object) or hasattr(value, "free_symbols")


def _classes_last(z, axis):
    symbols = symbolic(z)
    z = np.asarray(z) if symbols else checks.real_array("z", z)
    return np.moveaxis(z, checks.axis("axis", axis, z.ndim), -1), symbols


def _top(z):
    return np.argmax(z, axis=-1, keepdims=True)


def _relative_exponentials(z):
    """Return the largest logit, exp(z - largest), and its sum over the other classes."""
    largest = np.max(z, axis=-1, keepdims=True)
    powers = np.exp(z - largest)
    others = np.where(np.arange(z.shape[-1]) == _top(z), 0, powers)  # 1 + rest would round a small rest away
    return largest, others.sum(axis=-1, keepdims=True), powers
