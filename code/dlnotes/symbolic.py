"""The symbolic reading: a rule's stages called with symbols give the formulas that the book displays."""

import sympy as sp
from sympy.printing.latex import LatexPrinter

from dlnotes import activations, rules
from dlnotes.rules import HYPERPARAMETERS, Rule

# The same names compute with numbers and build formulas from symbols.
rules.sqrt.register(sp.Expr, sp.sqrt)
rules.maximum.register(sp.Expr, sp.Max)
activations.exp.register(sp.Expr, sp.exp)
activations.log.register(sp.Expr, sp.log)
activations.sigmoid.register(sp.Expr, lambda z: 1 / (1 + sp.exp(-z)))
activations.softplus.register(sp.Expr, lambda z: sp.log(1 + sp.exp(z)))

STAGE_TEX = {
    "theta": r"\theta",
    "dtheta": r"\Delta\theta",
    "g": "g",
    "m_hat": r"\hat{m}",
    "n_hat": r"\hat{n}",
    "n_max": r"n^{\max}",
    "mu": r"\mu",
    "mu_next": r"\mu^{\mathrm{next}}",
    "mu_product": r"\mu^{\mathrm{prod}}",
}
"""How stages are printed whose name is not already what is printed."""

# SymPy sorts factors by the names of symbols. Names that begin with these ranks put hyper-parameters first.
_RANK = [
    *HYPERPARAMETERS,
    "m_hat",
    "n_hat",
    "mu_next",
    "mu_product",
    "mu",
    "V",
    "m",
    "n_max",
    "n",
    "dtheta",
    "theta",
    "g",
]
# Terms of a sum stand as in textbooks: parameters, averages, gradient, and what decays or protects last.
_TERMS = ["theta", "m_hat", "n_hat", "V", "m", "n_max", "n", "dtheta", "g", "eps", "lam"]


class _TextbookPrinter(LatexPrinter):
    """SymPy's LaTeX with sums and products in textbook order."""

    def __init__(self, names):
        super().__init__({"symbol_names": {symbol: tex for symbol, (_, tex) in names.items()}})
        self._ranks = {s: _TERMS.index(name) + 1 for s, (name, _) in names.items() if name in _TERMS}

    def _as_ordered_terms(self, expr, order=None):
        def key(term):
            if term.is_Symbol and term.name == "t":
                return -2  # t + 1, but 1 - beta
            return max((self._ranks.get(symbol, 0) for symbol in term.free_symbols), default=-1)

        return sorted(super()._as_ordered_terms(expr, order=order), key=key)

    def _print_Mul(self, expr):
        # (1 - beta) g, not g (1 - beta): a sum of hyper-parameters is printed like one more of them.
        for factor in expr.args:
            if factor.is_Add and not any(symbol in self._ranks for symbol in factor.free_symbols):
                name = sp.Symbol(f"{len(HYPERPARAMETERS) - 1:02d}~")
                self._settings["symbol_names"][name] = rf"\left({self._print(factor)}\right)"
                return super()._print_Mul(expr.subs(factor, name))
        return super()._print_Mul(expr)


class Equations(list):
    """A list of `sympy.Eq` that a notebook shows as one aligned block.

    Made by `equations`, which documents where `equations`, `symbols` and `names` come from.

    Attributes
    ----------
    symbols : dict of str to sympy.Symbol
        The symbols by name: ``"eta"``, ``"t"``, ``"g"``, ``"theta"`` (before the step), each stage
        (``"n"``, at time t), and each state before the step (``"n_previous"``).
    """

    def __init__(self, equations, symbols, names):
        super().__init__(equations)
        self.symbols, self._names = symbols, names

    def latex(self):
        """Return the LaTeX source of each equation, in order.

        Returns
        -------
        list of str
        """
        printer = _TextbookPrinter(self._names)
        return [f"{printer.doprint(e.lhs)} &= {printer.doprint(e.rhs)}" for e in self]

    def _repr_latex_(self):
        lines = " \\\\[4pt]\n".join(self.latex())
        return f"$\\displaystyle \\begin{{aligned}}\n{lines}\n\\end{{aligned}}$"


def _symbol(name, time, names, **assumptions):
    rank = _RANK.index(name) if name in _RANK else len(_RANK)
    symbol = sp.Symbol(f"{rank:02d}{name}{time}", **assumptions)
    tex = HYPERPARAMETERS[name].tex if name in HYPERPARAMETERS else STAGE_TEX.get(name, name)
    names[symbol] = name, f"{tex}_{{{time}}}" if time else tex
    return symbol


def equations(rule):
    """Return the update equations of a rule, built by calling its own stages with symbols.

    The first equation says where the gradient is taken, the last applies the step.

    Parameters
    ----------
    rule : Rule
        For instance ``dlnotes.gradient_descent``.

    Returns
    -------
    Equations
        A list of `sympy.Eq`, one for each stage in order, that displays as LaTeX.

    Raises
    ------
    TypeError
        If `rule` is not a `Rule`.

    Examples
    --------
    >>> from dlnotes import equations, gradient_descent
    >>> equations(gradient_descent).latex()[1]
    '\\\\Delta\\\\theta_{t} &= - \\\\eta g_{t}'
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, got {rule!r}")
    names = {}
    t = sp.Symbol("t", positive=True, integer=True)
    hyper = {name: _symbol(name, "", names, positive=True) for name in rule.hyper}
    before = {name: _symbol(name, "t-1", names, real=True) for name in (*rule.state, "theta")}
    g = _symbol("g", "t", names, real=True)
    state = {name: before[name] for name in rule.state}

    gradient_of = sp.Function(r"\nabla J")
    result = [sp.Eq(g, gradient_of(rule.point(before["theta"], state, t, **hyper)), evaluate=False)]
    values = {**hyper, **before, "g": g, "t": t}
    for stage, function in rule.stages.items():
        if stage != "at":
            formula = function(*(values[name] for name in rule.reads[stage]))
            values[stage] = _symbol(stage, "t", names, real=True)
            result.append(sp.Eq(values[stage], formula, evaluate=False))
    after = _symbol("theta", "t", names, real=True)
    result.append(sp.Eq(after, sp.Add(before["theta"], values["dtheta"], evaluate=False), evaluate=False))
    symbols = {**values, **{f"{name}_previous": before[name] for name in rule.state}, "theta_t": after}
    return Equations(result, symbols, names)
