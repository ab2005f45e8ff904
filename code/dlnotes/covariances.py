"""Covariance and correlation of paired data: in two passes, as a stream, and merged from parts."""

import numpy as np

from dlnotes import checks


def covariance(x, y, ddof=1):
    """Covariance of two variables that were observed in pairs.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        The pairs.
    ddof : int, optional
        What is taken off n in the divisor: 1 makes the estimate unbiased, 0 gives the mean product.

    Returns
    -------
    float
        In the unit of `x` times the unit of `y`.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers or `ddof` is no whole number.
    ValueError
        If the lengths differ, there are not more than `ddof` pairs, or a number is not finite.

    Notes
    -----
    Two passes, the second corrected for the rounding of the means (Chan, Golub and LeVeque 1983).
    """
    x, y = _pairs(x, y)
    divisor = _divisor(len(x), ddof)
    dx, dy = _centred(x), _centred(y)
    return float((dx @ dy - dx.sum() * dy.sum() / len(x)) / divisor)


def correlation(x, y):
    """Pearson's coefficient: the covariance of two variables in units of their standard deviations.

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        At least two pairs.

    Returns
    -------
    float
        Without unit, in [-1, 1].

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If the lengths differ, there are fewer than two pairs, a number is not finite, or a variable is
        constant.

    Notes
    -----
    From the distance of the two unit vectors, which keeps within [-1, 1] and is accurate at both ends.
    """
    x, y = _pairs(x, y)
    _divisor(len(x), 1)
    units = []
    for name, values in (("x", x), ("y", y)):
        if values.max() == values.min():
            raise ValueError(f"{name} must not be constant, got {values[0]} throughout")
        centred = _centred(values)
        centred = centred - centred.mean()
        centred = centred / np.abs(centred).max()  # neither squares nor their sum can overflow
        units.append(centred / np.sqrt(centred @ centred))
    u, v = units
    if u @ v > 0:
        return float(1 - (u - v) @ (u - v) / 2)
    return float((u + v) @ (u + v) / 2 - 1)


def covariance_matrix(x, ddof=1):
    """Covariances of all pairs of columns.

    Parameters
    ----------
    x : array_like of float, shape (n, d)
        One observation a row.
    ddof : int, optional
        What is taken off n in the divisor.

    Returns
    -------
    numpy.ndarray of shape (d, d)
        Symmetric and, up to rounding, positive semi-definite.

    Raises
    ------
    TypeError
        If `x` does not hold real numbers or `ddof` is no whole number.
    ValueError
        If `x` is not a table, has not more than `ddof` rows, or holds a NaN or an infinity.
    """
    x = checks.real_array("x", x, dimensions=2)
    divisor = _divisor(len(x), ddof)
    centred = _centred(x)
    total = centred.sum(axis=0)
    return (centred.T @ centred - np.outer(total, total) / len(x)) / divisor


class RunningCovariance:
    """Mean and covariance of observations that come one at a time, or in parts that are merged.

    Each accumulator keeps its first observation as a shift and works with differences from it, so a
    common offset of the data costs no digits.

    Attributes
    ----------
    count : int
        Number of observations so far.

    Notes
    -----
    Welford 1962 for one observation, Chan, Golub and LeVeque 1983 for two parts.

    Examples
    --------
    >>> running = RunningCovariance()
    >>> for pair in ([1.0, 2.0], [2.0, 4.0], [3.0, 9.0]):
    ...     running.add(pair)
    >>> running.mean().tolist(), running.covariance().tolist()
    ([2.0, 5.0], [[1.0, 3.5], [3.5, 13.0]])
    """

    def __init__(self):
        self.count, self._shift, self._mean, self._products = 0, None, None, None

    def add(self, observation):
        """Take one more observation into account.

        Parameters
        ----------
        observation : array_like of float, shape (d,)
            One number for each variable.

        Raises
        ------
        TypeError
            If it does not hold real numbers.
        ValueError
            If its shape is not that of the first one, or a number is not finite.
        """
        x = checks.real_array("observation", observation, dimensions=1)
        if self._shift is None:
            self._shift, self._mean, self._products = x, np.zeros_like(x), np.zeros((x.size, x.size))
        x = checks.real_array("observation", x, shape=self._shift.shape) - self._shift
        self.count += 1
        before = x - self._mean
        self._mean = self._mean + before / self.count
        self._products = self._products + np.outer(before, x - self._mean)

    def merge(self, other):
        """Return the accumulator of both parts together; neither of the two is changed.

        Parameters
        ----------
        other : RunningCovariance
            Another part of the data, of the same variables.

        Returns
        -------
        RunningCovariance

        Raises
        ------
        TypeError
            If `other` is no `RunningCovariance`.
        ValueError
            If it has another number of variables.
        """
        if not isinstance(other, RunningCovariance):
            raise TypeError(f"other must be a RunningCovariance, got {other!r}")
        first, second = (self, other) if self.count else (other, self)
        merged = RunningCovariance()
        merged.__dict__.update(first.__dict__)
        if second.count:
            checks.real_array("other", second._shift, shape=first._shift.shape)
            merged.count = first.count + second.count
            # The shifts are subtracted first: they are large, and their difference is small.
            between = (second._shift - first._shift) + (second._mean - first._mean)
            merged._mean = first._mean + between * (second.count / merged.count)
            spread = np.outer(between, between) * (first.count * second.count / merged.count)
            merged._products = first._products + second._products + spread
        return merged

    def mean(self):
        """Return the mean of each variable, of shape (d,); a `ValueError` if there is no observation."""
        _divisor(self.count, 0)
        return self._shift + self._mean

    def covariance(self, ddof=1):
        """Return the covariance matrix.

        Parameters
        ----------
        ddof : int, optional
            What is taken off the count in the divisor.

        Returns
        -------
        numpy.ndarray of shape (d, d)

        Raises
        ------
        TypeError
            If `ddof` is no whole number.
        ValueError
            If there are not more than `ddof` observations.
        """
        divisor = _divisor(self.count, ddof)
        return (self._products + self._products.T) / (2 * divisor)


def _pairs(x, y):
    x = checks.real_array("x", x, dimensions=1)
    return x, checks.real_array("y", y, shape=x.shape)


def _centred(x):
    shifted = x - x[0]  # exact for data that are close together, so that the mean is too
    return shifted - shifted.mean(axis=0)


def _divisor(count, ddof):
    ddof = checks.whole_number("ddof", ddof)
    if count <= ddof:
        raise ValueError(f"there must be more than ddof = {ddof} observations, got {count}")
    return count - ddof
