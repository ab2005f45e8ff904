"""The four means and the power means that join them, weighted, along any axes, without overflow."""

import numpy as np

from dlnotes import checks


def arithmetic_mean(x, *, weights=None, axis=None):
    """Sum over count: the constant with the least squared distance to the data.

    Parameters
    ----------
    x : array_like of float
        Real numbers.
    weights : array_like of float, optional
        Weights of at least 0, of the shape of `x`, or of the length of `axis`. All 1 when None.
    axis : int, optional
        The axis to average over; all of them when None.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `x` without `axis`; in the unit of `x`.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers or `axis` is no whole number.
    ValueError
        If `x` is empty, not finite or without that axis, or if `weights` have another shape, a negative
        entry, or a total of 0.
    """
    x, weights = _last_axis(x, weights, axis)
    _, exponent = np.frexp(np.abs(x).max(axis=-1, keepdims=True))
    scaled = np.ldexp(x, -exponent)  # at most 1 and exact, so that no sum overflows
    return np.ldexp(_weighted(scaled, weights), exponent[..., 0])[()]


def geometric_mean(x, *, weights=None, axis=None):
    """The n-th root of the product: the constant factor that multiplies to the same total.

    Parameters
    ----------
    x : array_like of float
        Numbers of at least 0. A zero (of positive weight) makes the mean 0.
    weights, axis
        As for `arithmetic_mean`.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `x` without `axis`; in the unit of `x`.

    Raises
    ------
    TypeError
        As for `arithmetic_mean`.
    ValueError
        As for `arithmetic_mean`, and if a number is negative.
    """
    return power_mean(x, 0, weights=weights, axis=axis)


def harmonic_mean(x, *, weights=None, axis=None):
    """Count over the sum of reciprocals: the constant speed that takes the same time.

    Parameters
    ----------
    x : array_like of float
        Numbers of at least 0. A zero (of positive weight) makes the mean 0.
    weights, axis
        As for `arithmetic_mean`.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `x` without `axis`; in the unit of `x`.

    Raises
    ------
    TypeError
        As for `arithmetic_mean`.
    ValueError
        As for `arithmetic_mean`, and if a number is negative.
    """
    return power_mean(x, -1, weights=weights, axis=axis)


def quadratic_mean(x, *, weights=None, axis=None):
    """Root mean square: the constant size that has the same sum of squares.

    Parameters
    ----------
    x : array_like of float
        Real numbers; only their sizes count.
    weights, axis
        As for `arithmetic_mean`.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `x` without `axis`, at least 0; in the unit of `x`.

    Raises
    ------
    TypeError
        As for `arithmetic_mean`.
    ValueError
        As for `arithmetic_mean`.
    """
    return power_mean(np.abs(checks.real_array("x", x)), 2, weights=weights, axis=axis)


def power_mean(x, p, *, weights=None, axis=None):
    """Mean of the p-th powers, brought back by the p-th root.

    The exponents -1, 0, 1, 2 give the harmonic, geometric, arithmetic and quadratic mean, minus and plus
    infinity the least and the largest number. Exponent 0 is the limit from both sides.

    Parameters
    ----------
    x : array_like of float
        Numbers of at least 0. For exponents of at most 0 a zero (of positive weight) makes the mean 0.
    p : float
        The exponent, also ``-inf`` or ``inf``.
    weights, axis
        As for `arithmetic_mean`.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `x` without `axis`; in the unit of `x`.

    Raises
    ------
    TypeError
        As for `arithmetic_mean`, and if `p` is not a real number.
    ValueError
        As for `arithmetic_mean`, and if a number is negative or `p` is NaN.

    Notes
    -----
    Hardy, Littlewood and Pólya 1934, chapter 2.
    """
    if p not in (-np.inf, np.inf):
        p = checks.real_number("p", p)
    x, weights = _last_axis(x, weights, axis)
    if (x < 0).any():
        raise ValueError(f"x must be at least 0, got {x[x < 0].flat[0]}")
    counted = weights > 0
    least = np.min(x, axis=-1, where=counted, initial=np.inf)
    largest = np.max(x, axis=-1, where=counted, initial=0)
    if np.isinf(p):
        return (largest if p > 0 else least)[()]
    zero = largest == 0 if p > 0 else least == 0
    # log x as a whole number of doublings and a rest; doublings are counted from the end that matters most.
    mantissa, doublings = np.frexp(np.where(counted & (x > 0), x, 1))
    _, reference = np.frexp(np.where(zero, 1, largest if p > 0 else least)[..., np.newaxis])
    u = np.log(mantissa) + (doublings - reference) * np.log(2)
    u = np.where(counted & (x == 0) & (p > 0), -np.inf, u)
    mean = np.where(zero, 0, _log_mean_power(np.where(zero[..., np.newaxis], 0, u), weights, p))
    shift = np.rint(mean / np.log(2)).astype(int)
    root = np.ldexp(np.exp(mean - shift * np.log(2)), shift + reference[..., 0])
    return np.where(zero, 0, root)[()]


def _log_mean_power(u, weights, p):
    """Return the logarithm of the power mean of exp(u); -inf in `u` needs p > 0."""
    if p == 0:
        return _weighted(u, weights)
    top = np.max(p * u, axis=-1, keepdims=True)
    direct = (top[..., 0] + np.log(_weighted(np.exp(p * u - top), weights))) / p
    # A mean of powers next to 1 is told from 1 by the differences, so that a small p does not cancel.
    known = np.isfinite(u).all(axis=-1, keepdims=True)
    centre = _weighted(np.where(known, u, 0), weights)[..., np.newaxis]
    near = p * np.where(known, u - centre, np.inf)
    small = np.abs(near).max(axis=-1) < 0.5
    precise = np.log1p(_weighted(np.expm1(np.where(small[..., np.newaxis], near, 0)), weights)) / p
    return np.where(small, centre[..., 0] + precise, direct)


def _weighted(x, weights):
    return (weights * x).sum(axis=-1) / weights.sum(axis=-1)


def _last_axis(x, weights, axis):
    """Return the numbers and their weights, both with the averaged axis last."""
    x = checks.real_array("x", x)
    axis = None if axis is None else checks.axis("axis", axis, x.ndim)
    shape = x.shape if axis is None else (x.shape[axis],)
    weights = np.ones(shape) if weights is None else checks.real_array("weights", weights)
    if weights.shape not in (x.shape, shape):
        allowed = " or ".join(str(s) for s in dict.fromkeys((x.shape, shape)))
        raise ValueError(f"weights must have shape {allowed}, got {weights.shape}")
    if (weights < 0).any():
        raise ValueError(f"weights must be at least 0, got {weights[weights < 0].flat[0]}")
    if axis is None:
        x, weights = x.reshape(-1), weights.reshape(-1)
    else:
        x = np.moveaxis(x, axis, -1)
        weights = weights if weights.shape == shape else np.moveaxis(weights, axis, -1)
    largest = weights.max(axis=-1, keepdims=True)
    if (largest == 0).any():
        raise ValueError("weights must not all be 0, got a total of 0")
    return x, np.broadcast_to(weights / largest, x.shape)
