"""Test surfaces, each given once as a SymPy expression; value, gradient and Hessian are derived from it."""

from functools import cached_property

import numpy as np
import sympy as sp

from dlnotes import checks


class Objective:
    """A function of a few variables, read as a formula and as NumPy code.

    Parameters
    ----------
    name : str
        What people call it.
    expression : sympy.Expr
        The function.
    variables : sequence of sympy.Symbol
        Its variables, in the order of the coordinates.
    minimizers : sequence of sequence of float, optional
        The known points of its least value; none where it has no minimum.
    source : str, optional
        Where it comes from.

    Attributes
    ----------
    dimension : int
        Number of variables d.
    gradient_expression, hessian_expression : sympy.Matrix
        First and second derivatives, of shape (d, 1) and (d, d).

    Raises
    ------
    TypeError
        If `expression` is no SymPy expression or a variable is no symbol.
    ValueError
        If there is no variable or one stands twice, the expression holds a symbol that is not a
        variable, or a minimizer has another length.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> parabola = Objective("parabola", x**2, [x], minimizers=[[0]])
    >>> parabola.gradient([3.0])
    array([6.])
    """

    def __init__(self, name, expression, variables, *, minimizers=(), source=""):
        if not isinstance(expression, sp.Expr | int | float):
            raise TypeError(f"expression must be a SymPy expression, got {expression!r}")
        self.name, self.source = name, source
        self.expression, self.variables = sp.sympify(expression), tuple(variables)
        if not all(isinstance(variable, sp.Symbol) for variable in self.variables):
            raise TypeError(f"variables must be SymPy symbols, got {variables!r}")
        if not self.variables or len(set(self.variables)) < len(self.variables):
            raise ValueError(f"variables must be one or more different symbols, got {variables!r}")
        self.dimension = len(self.variables)
        if unknown := sorted(map(str, self.expression.free_symbols - set(self.variables))):
            raise ValueError(f"expression must hold only the variables {self.variables}, got also {unknown}")
        shape = (len(minimizers), self.dimension)
        self.minimizers = checks.real_array("minimizers", minimizers, shape=shape) if shape[0] else np.empty(shape)

    # Derived and compiled at first use: an import need not wait for functions that nobody calls.
    @cached_property
    def gradient_expression(self):
        """First derivatives, a `sympy.Matrix` of shape (d, 1)."""
        return sp.Matrix([self.expression.diff(v) for v in self.variables])

    @cached_property
    def hessian_expression(self):
        """Second derivatives, a `sympy.Matrix` of shape (d, d)."""
        return sp.hessian(self.expression, self.variables)

    @cached_property
    def _value(self):
        return self._compiled([self.expression])

    @cached_property
    def _gradient(self):
        return self._compiled(list(self.gradient_expression))

    @cached_property
    def _hessian(self):
        return self._compiled(list(self.hessian_expression))

    def _compiled(self, expressions):
        return sp.lambdify(self.variables, expressions, modules="numpy", cse=True)

    def _evaluate(self, function, theta):
        theta = np.asarray(theta)
        if theta.ndim == 0 or theta.shape[-1] != self.dimension or theta.dtype.kind not in "fiu":
            raise ValueError(
                f"theta must hold real numbers in an array of shape (…, {self.dimension}), "
                f"got dtype {theta.dtype} and shape {theta.shape}"
            )
        theta = checks.real_array("theta", theta)
        parts = function(*np.moveaxis(theta, -1, 0))
        result = np.empty((*theta.shape[:-1], len(parts)), theta.dtype)
        for i, part in enumerate(parts):
            result[..., i] = part  # a constant part fills its place
        return result

    def value(self, theta):
        """Return the function's value.

        Parameters
        ----------
        theta : array_like of float, shape (…, d)
            Points; the last axis holds the coordinates.

        Returns
        -------
        numpy.ndarray of shape (…), a number for one point

        Raises
        ------
        ValueError
            If the last axis does not hold d real coordinates, or one of them is not finite.
        """
        return self._evaluate(self._value, theta)[..., 0][()]

    def gradient(self, theta):
        """Return the gradient, of the shape of `theta`. Parameters and errors as for `value`."""
        return self._evaluate(self._gradient, theta)

    def hessian(self, theta):
        """Return the Hessian matrices, of shape (…, d, d). Parameters and errors as for `value`."""
        flat = self._evaluate(self._hessian, theta)
        return flat.reshape(*flat.shape[:-1], self.dimension, self.dimension)

    def _repr_latex_(self):
        return f"$\\displaystyle J({', '.join(map(sp.latex, self.variables))}) = {sp.latex(self.expression)}$"

    def __repr__(self):
        return f"Objective({self.name!r}, {self.expression})"


_x = sp.symbols("x1:3", real=True)


def quadratic_bowl(condition_number=10, *, curvature=1):
    """Return ``½ (μ x₁² + κ μ x₂²)``: a bowl whose valley is κ times as flat along it as across it.

    Parameters
    ----------
    condition_number : float
        The ratio κ ≥ 1 of the largest to the smallest curvature.
    curvature : float
        The smallest curvature μ > 0, that of the first coordinate.

    Returns
    -------
    Objective
        Its Hessian has the eigenvalues μ and L = κμ everywhere.

    Raises
    ------
    TypeError
        If an argument is not a real number.
    ValueError
        If κ < 1 or μ ≤ 0.
    """
    checks.real_number("condition_number", condition_number, low=1)
    checks.real_number("curvature", curvature, low=0, include_low=False)
    mu = sp.nsimplify(curvature, rational=True)
    expression = (mu * _x[0] ** 2 + sp.nsimplify(condition_number, rational=True) * mu * _x[1] ** 2) / 2
    return Objective("quadratic bowl", expression, _x, minimizers=[[0, 0]])


ravine = quadratic_bowl(100)
"""The test problem of the chapters on momentum and adaptive rates, a hundred times as curved across as along."""

rosenbrock = Objective(
    "Rosenbrock",
    (1 - _x[0]) ** 2 + 100 * (_x[1] - _x[0] ** 2) ** 2,
    _x,
    minimizers=[[1, 1]],
    source="Rosenbrock 1960",
)
"""A narrow curved valley, easy to enter, slow to follow to its minimum."""

beale = Objective(
    "Beale",
    sum((c - _x[0] * (1 - _x[1] ** k)) ** 2 for k, c in enumerate(map(sp.Rational, ("3/2", "9/4", "21/8")), 1)),
    _x,
    minimizers=[[3, 0.5]],
    source="Beale 1958",
)
"""Flat plains between steep walls, with one minimum."""

saddle = Objective("saddle", (_x[0] ** 2 - _x[1] ** 2) / 2 + _x[1] ** 4 / 4, _x, minimizers=[[0, -1], [0, 1]])
"""A saddle point at the origin between two minima."""

tilted_double_well = Objective(
    "tilted double well",
    (_x[0] ** 2 - 1) ** 2 / 4 + _x[0] / 10,
    _x[:1],
    minimizers=[[float(min(sp.Poly(4 * _x[0] ** 3 - 4 * _x[0] + sp.Rational(2, 5), _x[0]).nroots(n=20)))]],
)
"""A non-convex function of one variable with a deep and a shallow valley."""
