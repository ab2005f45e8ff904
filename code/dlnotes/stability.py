"""When a linear rule with one state is stable on a quadratic: its iteration matrix, and where its behaviour changes."""

from typing import NamedTuple

import sympy as sp

from dlnotes.rules import Rule

ETA, LAM, BETA = sp.symbols("eta lam beta", positive=True)
U, Z = sp.symbols("u z")


class Borders(NamedTuple):
    """Where a rule changes its behaviour: values of u = ηλ, as SymPy expressions of β.

    Parameters
    ----------
    swing_from, swing_to : sympy.Expr
        Between them the eigenvalues are complex.
    diverge_from : sympy.Expr
        From here on one of them is -1 or beyond.
    """

    swing_from: sp.Expr
    swing_to: sp.Expr
    diverge_from: sp.Expr


def iteration_matrix(rule):
    """Return the matrix that maps (θ, state) to the next pair where the gradient is λ times the point.

    Parameters
    ----------
    rule : Rule
        One that is linear and has the hyper-parameters η and β and one state, such as ``dlnotes.momentum``.

    Returns
    -------
    sympy.Matrix of shape (2, 2)
        In the symbols ``ETA``, ``LAM`` and ``BETA`` of this module.

    Raises
    ------
    TypeError
        If `rule` is not a `Rule`.
    ValueError
        If its hyper-parameters or its state are others, or it is not linear.

    Examples
    --------
    >>> from dlnotes import momentum
    >>> iteration_matrix(momentum)
    Matrix([
    [-eta*lam + 1, beta],
    [    -eta*lam, beta]])
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, got {rule!r}")
    if set(rule.hyper) != {"eta", "beta"} or len(rule.state) != 1:
        raise ValueError(f"rule must have the hyper-parameters eta and beta and one state, got {rule!r}")
    theta, memory = sp.symbols("theta memory", real=True)
    state, hyper = {rule.state[0]: memory}, {"eta": ETA, "beta": BETA}
    step, after = rule(theta, LAM * rule.point(theta, state, 1, **hyper), state, 1, **hyper)
    matrix = sp.Matrix([theta + step, *after.values()]).jacobian([theta, memory]).expand()
    if matrix.free_symbols - {ETA, LAM, BETA}:
        raise ValueError(f"rule must be linear in theta and its state, got the Jacobian {matrix}")
    return matrix


def borders(rule):
    """Return where the eigenvalues of the iteration matrix turn complex and real again, and where one reaches -1.

    Parameters
    ----------
    rule : Rule
        As for `iteration_matrix`.

    Returns
    -------
    Borders

    Notes
    -----
    The characteristic polynomial p has a double root where its discriminant is zero. On 0 ≤ β < 1 a run that
    begins to diverge as u grows does so by an eigenvalue -1, where p(-1) = 0 (the chapter proves it for momentum).

    Examples
    --------
    >>> from dlnotes import momentum
    >>> borders(momentum).diverge_from
    2*(beta + 1)
    """
    polynomial = iteration_matrix(rule).charpoly(Z).as_expr().subs(ETA, U / LAM)
    first, second = sp.roots(sp.discriminant(polynomial, Z), U)
    (limit,) = sp.roots(polynomial.subs(Z, -1), U)
    low, high = sorted((first, second), key=lambda border: border.subs(BETA, sp.Rational(1, 4)))
    return Borders(low, high, limit)
