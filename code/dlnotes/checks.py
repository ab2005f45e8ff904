"""Argument checks: every message names the argument, its value and what is allowed."""

from numbers import Integral, Real

import numpy as np


def real_array(name, value, *, shape=None, dimensions=None, dtype=None):
    """Return `value` as a finite, non-empty floating-point array.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        Real numbers. Integers and booleans become float64; a floating dtype is kept.
    shape : tuple of int, optional
        The exact shape the array must have.
    dimensions : int or tuple of int, optional
        The allowed number(s) of axes.
    dtype : dtype, optional
        Floating dtype to convert to.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    TypeError
        If `value` does not hold real numbers.
    ValueError
        If it is empty, has the wrong shape, or holds a NaN or an infinity.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged nested lists
        raise ValueError(f"{name} must be a rectangular array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    array = array.astype(dtype or (array.dtype if array.dtype.kind == "f" else float), copy=False)
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(f"{name} must have shape {tuple(shape)}, got {array.shape}")
    if dimensions is not None:
        allowed = (dimensions,) if isinstance(dimensions, Integral) else tuple(dimensions)
        if array.ndim not in allowed:
            raise ValueError(f"{name} must have {' or '.join(map(str, allowed))} axes, got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0])
        place = f" at index {first}" if first else ""
        raise ValueError(f"{name} must be finite, got {array[first]}{place}")
    return array


def real_number(name, value, *, low=-np.inf, high=np.inf, include_low=True, include_high=True):
    """Return `value` as a float inside an interval.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : float
        A finite real number (booleans are refused).
    low, high : float
        The ends of the interval.
    include_low, include_high : bool
        Whether each end belongs to it.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If it is not finite or lies outside the interval.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    number = float(value)
    above = number >= low if include_low else number > low
    below = number <= high if include_high else number < high
    if not (np.isfinite(number) and above and below):
        raise ValueError(f"{name} must be in {interval(low, high, include_low, include_high)}, got {value!r}")
    return number


def interval(low, high, include_low=True, include_high=True):
    """Write an interval as text, for instance ``[0, 1)``; an infinite end is always open.

    Parameters
    ----------
    low, high : float
        The ends.
    include_low, include_high : bool
        Whether each end belongs to the interval.

    Returns
    -------
    str
    """
    left = "[" if include_low and np.isfinite(low) else "("
    right = "]" if include_high and np.isfinite(high) else ")"
    return f"{left}{low:g}, {high:g}{right}"


def whole_number(name, value, *, low=0, high=None):
    """Return `value` as an int between `low` and `high`, both allowed.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : int
        A whole number (booleans are refused).
    low, high : int
        The ends of the range; no upper end when `high` is None.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `value` is not a whole number.
    ValueError
        If it lies outside the range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < low or (high is not None and value > high):
        allowed = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return int(value)


def axis(name, value, dimensions):
    """Return `value` as a non-negative axis of an array with that many axes.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : int
        An axis, counted from the end when negative.
    dimensions : int
        Number of axes.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `value` is not a whole number.
    ValueError
        If there is no such axis.
    """
    if dimensions == 0:
        raise ValueError(f"{name} must be an axis of the array, got {value!r} and an array without axes")
    return whole_number(name, value, low=-dimensions, high=dimensions - 1) % dimensions


def one_of(name, value, allowed):
    """Return `value` if it is one of the `allowed` strings.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : str
        What was given.
    allowed : iterable of str
        The strings that are accepted.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `value` is not among them.
    """
    allowed = list(allowed)
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")
    return value


def generator(name, value):
    """Return `value` if it is a `numpy.random.Generator` (no hidden global random state).

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : numpy.random.Generator
        For instance ``np.random.default_rng(0)``.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"{name} must be a numpy.random.Generator, for instance default_rng(0), got {value!r}")
    return value
