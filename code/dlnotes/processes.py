"""Stochastic processes by their covariance functions: each written once as a formula, then sampled and conditioned.

A process X(t) is many random variables, one for each time t. Its covariance function is
``C(s, t) = E[(X(s) - E X(s)) (X(t) - E X(t))]``. All processes here have mean zero unless a mean is given.
"""

from math import factorial

import numpy as np
import sympy as sp

from dlnotes import checks

S, T = sp.symbols("s t", real=True)
"""The two times in every formula."""


class CovarianceFunction:
    """A function of two times and of positive parameters, read as a formula and as matrices of numbers.

    Sums and products of covariance functions are covariance functions: ``a + b``, ``a * b``.

    Parameters
    ----------
    name : str
        What people call it.
    expression : sympy.Expr
        The formula in the times `S` and `T` and in one symbol for each parameter.
    values : dict of sympy.Symbol to float
        Value of each parameter, greater than 0.
    earliest : float, optional
        The first time at which the process is defined.

    Attributes
    ----------
    parameters : numpy.ndarray
        The values, in the order of `values`.

    Raises
    ------
    TypeError
        If `expression` is no SymPy expression, or a parameter is no symbol or no real number.
    ValueError
        If a value is not positive, or the formula holds a symbol that is neither a time nor a parameter.

    Examples
    --------
    >>> brownian_motion()([1.0, 2.0]).tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """

    def __init__(self, name, expression, values, *, earliest=-np.inf):
        if not isinstance(expression, sp.Basic):
            raise TypeError(f"expression must be a SymPy expression, got {expression!r}")
        if not all(isinstance(symbol, sp.Symbol) for symbol in values):
            raise TypeError(f"values must have SymPy symbols as keys, got {list(values)!r}")
        if unknown := sorted(map(str, expression.free_symbols - {S, T, *values})):
            raise ValueError(f"expression must hold only s, t and the parameters, got also {unknown}")
        self.name, self.expression, self.earliest = name, expression, earliest
        self.values = {
            symbol: checks.real_number(str(symbol), value, low=0, include_low=False) for symbol, value in values.items()
        }
        self.parameters = np.array(list(self.values.values()))
        self._compiled = {}  # shared by all copies that differ in values only

    def at(self, parameters):
        """Return the same function with other values of its parameters.

        Parameters
        ----------
        parameters : array_like of float, shape (number of parameters,)
            The new values, greater than 0.

        Returns
        -------
        CovarianceFunction

        Raises
        ------
        TypeError
            If they are not real numbers.
        ValueError
            If their number is another one, or one is not positive.
        """
        parameters = checks.real_array("parameters", parameters, shape=self.parameters.shape)
        values = dict(zip(self.values, map(float, parameters), strict=True))
        other = CovarianceFunction(self.name, self.expression, values, earliest=self.earliest)
        other._compiled = self._compiled
        return other

    def __call__(self, s, t=None):
        """Return the covariances of the process at times `s` with those at times `t`.

        Parameters
        ----------
        s : array_like of float, shape (m,)
            Times.
        t : array_like of float, shape (n,), optional
            Other times; `s` when None.

        Returns
        -------
        numpy.ndarray of shape (m, n)

        Raises
        ------
        TypeError
            If times are not real numbers.
        ValueError
            If there are none, one is not finite or before the process starts, or the shape is another one.
        """
        return self._matrices("formula", s, t)[0]

    def gradient(self, s):
        """Return the derivatives of the matrix ``self(s)`` in the logarithms of the parameters.

        Parameters
        ----------
        s : array_like of float, shape (m,)
            Times.

        Returns
        -------
        numpy.ndarray of shape (number of parameters, m, m)

        Raises
        ------
        TypeError
            If times are not real numbers.
        ValueError
            As for the matrix itself.
        """
        return self._matrices("derivatives", s, None)

    def _matrices(self, what, s, t):
        s = self._times("s", s)
        t = s if t is None else self._times("t", t)
        if what not in self._compiled:
            by_logarithm = [symbol * self.expression.diff(symbol) for symbol in self.values]
            formulas = {"formula": [self.expression], "derivatives": by_logarithm}[what]
            self._compiled[what] = sp.lambdify([S, T, *self.values], formulas, modules="numpy", cse=True)
        # Full matrices, for the minimum that SymPy before 1.14 prints needs arguments of one shape.
        parts = self._compiled[what](*np.meshgrid(s, t, indexing="ij"), *self.parameters)
        return np.array([np.broadcast_to(part, (s.size, t.size)) for part in parts], dtype=float)

    def _times(self, name, value):
        times = checks.real_array(name, value, dimensions=1)
        if times.min() < self.earliest:
            raise ValueError(f"{name} must be at least {self.earliest:g} for {self.name}, got {times.min()}")
        return times

    def __add__(self, other):
        return self._joined(other, sp.Add, "+") if isinstance(other, CovarianceFunction) else NotImplemented

    def __mul__(self, other):
        return self._joined(other, sp.Mul, "*") if isinstance(other, CovarianceFunction) else NotImplemented

    def _joined(self, other, operation, sign):
        # A parameter of the second that is named like one of the first gets the next free number.
        names, renamed = {str(symbol) for symbol in self.values}, {}
        for symbol in other.values:
            stem, number, name = str(symbol).partition("_")[0], 2, str(symbol)
            while name in names:
                name, number = f"{stem}_{number}", number + 1
            names.add(name)
            renamed[symbol] = sp.Symbol(name, positive=True)
        expression = operation(self.expression, other.expression.subs(renamed, simultaneous=True))
        values = self.values | {renamed[symbol]: value for symbol, value in other.values.items()}
        name = f"({self.name} {sign} {other.name})"
        return CovarianceFunction(name, expression, values, earliest=max(self.earliest, other.earliest))

    def __repr__(self):
        told = ", ".join(f"{symbol}={value:.4g}" for symbol, value in self.values.items())
        return f"CovarianceFunction({self.name}: {told})"


def _positive(names):
    return sp.symbols(names, positive=True)


def white_noise(variance=1.0):
    """Covariance function of white noise: the values at different times are uncorrelated.

    Parameters
    ----------
    variance : float, optional
        Variance at each time, greater than 0.

    Returns
    -------
    CovarianceFunction
    """
    (v,) = _positive("variance,")
    return CovarianceFunction("white noise", sp.Piecewise((v, sp.Eq(S, T)), (0, True)), {v: variance})


def brownian_motion(variance=1.0):
    """Covariance function of Brownian motion from 0 at time 0: ``variance * min(s, t)``.

    Parameters
    ----------
    variance : float, optional
        Growth of the variance per unit of time, greater than 0.

    Returns
    -------
    CovarianceFunction
        For times of at least 0.

    Notes
    -----
    Rasmussen and Williams 2006, chapter 4.
    """
    (v,) = _positive("variance,")
    return CovarianceFunction("Brownian motion", v * sp.Min(S, T), {v: variance}, earliest=0)


def ornstein_uhlenbeck(variance=1.0, length=1.0):
    """Covariance function of the Ornstein-Uhlenbeck process: ``variance * exp(-|s - t| / length)``.

    Parameters
    ----------
    variance : float, optional
        Variance at each time, greater than 0.
    length : float, optional
        Lag at which the correlation is 1/e, greater than 0.

    Returns
    -------
    CovarianceFunction

    Notes
    -----
    Uhlenbeck and Ornstein 1930; Rasmussen and Williams 2006, chapter 4.
    """
    v, length_ = _positive("variance length")
    return CovarianceFunction(
        "Ornstein-Uhlenbeck", v * sp.exp(-sp.Abs(S - T) / length_), {v: variance, length_: length}
    )


def squared_exponential(variance=1.0, length=1.0):
    """Covariance function of an infinitely smooth process: ``variance * exp(-(s - t)**2 / (2 * length**2))``.

    Parameters
    ----------
    variance : float, optional
        Variance at each time, greater than 0.
    length : float, optional
        Length scale, greater than 0.

    Returns
    -------
    CovarianceFunction

    Notes
    -----
    Rasmussen and Williams 2006, chapter 4.
    """
    v, length_ = _positive("variance length")
    formula = v * sp.exp(-((S - T) ** 2) / (2 * length_**2))
    return CovarianceFunction("squared exponential", formula, {v: variance, length_: length})


def matern(smoothness=1.5, variance=1.0, length=1.0):
    """Matérn covariance function of half-integer smoothness: a polynomial times an exponential.

    Parameters
    ----------
    smoothness : float, optional
        1/2 (which is Ornstein-Uhlenbeck), 3/2, 5/2, …; a path has ``smoothness - 1/2`` derivatives.
    variance : float, optional
        Variance at each time, greater than 0.
    length : float, optional
        Length scale, greater than 0.

    Returns
    -------
    CovarianceFunction

    Raises
    ------
    ValueError
        If the smoothness is not half an odd number, at least 1/2.

    Notes
    -----
    Rasmussen and Williams 2006, chapter 4.
    """
    order = checks.real_number("smoothness", smoothness, low=0.5) - 0.5
    if order != int(order):
        raise ValueError(f"smoothness must be 1/2, 3/2, 5/2, …, got {smoothness!r}")
    p, (v, length_) = int(order), _positive("variance length")
    distance = sp.sqrt(2 * p + 1) * sp.Abs(S - T) / length_
    polynomial = sum(
        sp.Rational(factorial(p) * factorial(p + i), factorial(2 * p) * factorial(i) * factorial(p - i))
        * (2 * distance) ** (p - i)
        for i in range(p + 1)
    )
    return CovarianceFunction(
        f"Matérn {2 * p + 1}/2", v * polynomial * sp.exp(-distance), {v: variance, length_: length}
    )


def periodic(variance=1.0, length=1.0, period=1.0):
    """Covariance function of smooth periodic paths: ``variance * exp(-2 * sin(pi (s - t) / period)**2 / length**2)``.

    Parameters
    ----------
    variance : float, optional
        Variance at each time, greater than 0.
    length : float, optional
        Length scale, without unit, greater than 0: small for wiggly paths.
    period : float, optional
        The period, greater than 0.

    Returns
    -------
    CovarianceFunction

    Notes
    -----
    MacKay 1998; Rasmussen and Williams 2006, chapter 4.
    """
    v, length_, period_ = _positive("variance length period")
    formula = v * sp.exp(-2 * sp.sin(sp.pi * (S - T) / period_) ** 2 / length_**2)
    return CovarianceFunction("periodic", formula, {v: variance, length_: length, period_: period})


def refute_positive_semidefinite(matrix):
    """Look for weights c with ``c @ matrix @ c < 0``, which no covariance matrix allows.

    Finding none at some times proves nothing about other times: not refuted is not proved.

    Parameters
    ----------
    matrix : array_like of float, shape (n, n)
        A symmetric matrix, such as a candidate for a covariance function gives at n times.

    Returns
    -------
    numpy.ndarray of shape (n,), or None
        Weights of length 1 that refute it, or None where the least eigenvalue is not below the rounding
        of the largest, ``10 * n * eps`` times it.

    Raises
    ------
    TypeError
        If `matrix` does not hold real numbers.
    ValueError
        If it is not square, not symmetric, or not finite.
    """
    eigenvalues, vectors, tolerance = _spectrum(matrix)
    if eigenvalues[0] >= -tolerance:
        return None
    weights = vectors[:, 0]
    return weights * (np.sign(weights[np.argmax(np.abs(weights))]) or 1)


def sample_paths(covariance, times, count, *, rng, mean=0.0):
    """Draw paths of a Gaussian process with a given covariance function.

    Parameters
    ----------
    covariance : CovarianceFunction
        Of the process.
    times : array_like of float, shape (n,)
        In strictly increasing order.
    count : int
        Number of paths.
    rng : numpy.random.Generator
        Source of randomness.
    mean : float or array_like of shape (n,), optional
        Mean at each time.

    Returns
    -------
    numpy.ndarray of shape (count, n)

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If times do not increase or are out of range, `count` is below 1, the mean has another shape, or
        the matrix at these times is not positive semi-definite.

    Notes
    -----
    From the symmetric root of the matrix, which exists where the Cholesky factor does not; eigenvalues
    below 0 by no more than rounding count as 0.
    """
    times = checks.real_array("times", times, dimensions=1)
    if (np.diff(times) <= 0).any():
        late = np.flatnonzero(np.diff(times) <= 0)[0]
        raise ValueError(f"times must increase, got {times[late]} before {times[late + 1]}")
    count = checks.whole_number("count", count, low=1)
    checks.generator("rng", rng)
    mean = _at_each("mean", mean, times.shape)
    eigenvalues, vectors, tolerance = _spectrum(_function("covariance", covariance)(times))
    if eigenvalues[0] < -tolerance:
        raise ValueError(
            f"covariance must be positive semi-definite at these times, got an eigenvalue of {eigenvalues[0]:.3g}"
        )
    root = vectors * np.sqrt(np.where(eigenvalues > 0, eigenvalues, 0))
    return mean + rng.normal(size=(count, times.size)) @ (root @ vectors.T)


def autocovariance(series, lags):
    """Empirical covariance function of one stationary series, at lags 0, 1, … .

    Parameters
    ----------
    series : array_like of float, shape (n,)
        Values at equal distances in time.
    lags : int
        The largest lag, below n.

    Returns
    -------
    numpy.ndarray of shape (lags + 1,)
        ``sum((x[i] - mean) * (x[i + lag] - mean)) / n``: with the divisor n at every lag the estimate is
        biased, and positive semi-definite.

    Raises
    ------
    TypeError
        If `series` does not hold real numbers or `lags` is no whole number.
    ValueError
        If it is empty, not finite or too short.

    Notes
    -----
    Brockwell and Davis 1991, chapter 7.
    """
    series = checks.real_array("series", series, dimensions=1)
    lags = checks.whole_number("lags", lags, high=series.size - 1)
    centred = series - series.mean()
    return np.array([centred[: series.size - lag] @ centred[lag:] for lag in range(lags + 1)]) / series.size


def condition(covariance, times, values, new_times, *, noise=0.0, mean=0.0):
    """Gaussian process, given values at some times: its mean and covariance at other times.

    Parameters
    ----------
    covariance : CovarianceFunction
        Of the process before anything is observed.
    times, values : array_like of float, shape (n,)
        What was observed, in any order.
    new_times : array_like of float, shape (m,)
        Where the process is asked for.
    noise : float, optional
        Variance of independent errors in the observed values, at least 0.
    mean : float, optional
        Mean of the process before anything is observed.

    Returns
    -------
    mean : numpy.ndarray of shape (m,)
        Conditional mean of the process, without noise.
    covariance : numpy.ndarray of shape (m, m)
        Conditional covariance of the process, without noise.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If shapes do not fit, a number is out of range, or the matrix of the observations is not positive
        definite (two values at one time without noise, for instance).

    Notes
    -----
    Rasmussen and Williams 2006, algorithm 2.1.
    """
    times, values, factor = _observed(covariance, times, values, noise)
    mean = checks.real_number("mean", mean)
    across = np.linalg.solve(factor, covariance(times, new_times))
    whitened = np.linalg.solve(factor, values - mean)
    return mean + across.T @ whitened, covariance(new_times) - across.T @ across


def log_marginal_likelihood(covariance, times, values, *, noise):
    """Log density of observed values under a Gaussian process of mean zero, and its gradient.

    Parameters
    ----------
    covariance : CovarianceFunction
        Of the process.
    times, values : array_like of float, shape (n,)
        What was observed.
    noise : float
        Variance of independent errors in the values, at least 0.

    Returns
    -------
    value : float
        ``-y @ inv(K) @ y / 2 - log(det(K)) / 2 - n * log(2 * pi) / 2`` with K the matrix of the observations.
    gradient : numpy.ndarray of shape (number of parameters + 1,)
        Derivatives in the logarithms of the parameters and, last, of the noise.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If shapes do not fit, a number is out of range, or K is not positive definite.

    Notes
    -----
    Rasmussen and Williams 2006, section 5.4.1.
    """
    times, values, factor = _observed(covariance, times, values, noise)
    inverse_factor = np.linalg.solve(factor, np.eye(times.size))
    inverse = inverse_factor.T @ inverse_factor
    weights = inverse @ values
    value = -0.5 * values @ weights - np.log(np.diag(factor)).sum() - 0.5 * times.size * np.log(2 * np.pi)
    slopes = 0.5 * (np.outer(weights, weights) - inverse)
    by_parameter = [np.sum(slopes * change) for change in covariance.gradient(times)]
    return float(value), np.array([*by_parameter, noise * np.trace(slopes)])


def _function(name, value):
    if not isinstance(value, CovarianceFunction):
        raise TypeError(f"{name} must be a CovarianceFunction, got {value!r}")
    return value


def _at_each(name, value, shape):
    value = checks.real_array(name, value)
    return value if value.ndim == 0 else checks.real_array(name, value, shape=shape)


def _spectrum(matrix):
    matrix = checks.real_array("matrix", matrix, dimensions=2)
    checks.real_array("matrix", matrix, shape=(len(matrix), len(matrix)))
    if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=1e-12 * np.abs(matrix).max()):
        raise ValueError(f"matrix must be symmetric, got a difference of {np.abs(matrix - matrix.T).max():.3g}")
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return eigenvalues, vectors, 10 * len(matrix) * np.finfo(float).eps * np.abs(eigenvalues).max()


def _observed(covariance, times, values, noise):
    """Return times, values, and the Cholesky factor of the matrix of the observations."""
    matrix = _function("covariance", covariance)(times)
    times = checks.real_array("times", times)
    values = checks.real_array("values", values, shape=times.shape)
    noise = checks.real_number("noise", noise, low=0)
    try:
        return times, values, np.linalg.cholesky(matrix + noise * np.eye(times.size))
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(matrix + noise * np.eye(times.size))[0]
        raise ValueError(
            f"covariance must be positive definite at the observed times, got an eigenvalue of {least:.3g} "
            f"with noise {noise:g}; more noise helps"
        ) from None
