"""The browser's reading: a rule's stages, or a surface and its gradient, printed as JavaScript."""

import json

import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter

from dlnotes import symbolic  # noqa: F401  (teaches sqrt and maximum to read symbols)
from dlnotes.objectives import Objective
from dlnotes.rules import Rule

RESERVED = set(
    """
    arguments await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null package
    private protected public return static super switch this throw true try typeof var void while with yield
    """.split()  # noqa: SIM905
)
"""Words that no variable of JavaScript may be called."""


class _Printer(JavascriptCodePrinter):
    """SymPy's printer, with small whole powers as products: they round as NumPy's do."""

    def _print_Pow(self, expr):
        if expr.exp == 2:
            base = self.parenthesize(expr.base, sp.printing.precedence.PRECEDENCE["Mul"], strict=True)
            return f"({base}*{base})" if expr.base.is_Symbol else f"Math.pow({self._print(expr.base)}, 2)"
        return super()._print_Pow(expr)


def javascript(thing):
    """Print a rule or a surface as the source of a JavaScript object.

    Parameters
    ----------
    thing : Rule or Objective
        For instance ``dlnotes.adam`` or ``dlnotes.objectives.rosenbrock``.

    Returns
    -------
    str
        For a rule ``{name, hyper, start, point(theta, state, t, hyper), step(theta, g, state, t, hyper)}``:
        defaults of the hyper-parameters (null where the caller must choose), the state at t = 0, where the
        gradient is taken, and the step for one coordinate, as ``[dtheta, state]``. For a surface
        ``{name, value(...), gradient(...)}`` in its coordinates.

    Raises
    ------
    TypeError
        If `thing` is neither.
    ValueError
        If a name is a reserved word of JavaScript.

    Examples
    --------
    >>> from dlnotes import gradient_descent
    >>> print(javascript(gradient_descent))
    {
      name: "Gradient descent",
      hyper: {"eta": null},
      start: {},
      point(theta, state, t, hyper) {
        const {} = state, {eta} = hyper;
        return theta;
      },
      step(theta, g, state, t, hyper) {
        let {} = state;
        const {eta} = hyper;
        const dtheta = -eta*g;
        return [dtheta, {}];
      }
    }
    """
    if isinstance(thing, Rule):
        return _rule(thing)
    if isinstance(thing, Objective):
        return _objective(thing)
    raise TypeError(f"thing must be a Rule or an Objective, got {thing!r}")


def _rule(rule):
    values = {"theta": sp.Symbol("theta", real=True), "g": sp.Symbol("g", real=True)}
    values |= {"t": sp.Symbol("t", positive=True, integer=True)}
    values |= {name: sp.Symbol(name, positive=True) for name in rule.hyper}
    values |= {name: sp.Symbol(name, real=True) for name in rule.state}
    _check(rule.name, [*values, *rule.stages])
    state = {name: values[name] for name in rule.state}
    hyper = {name: values[name] for name in rule.hyper}
    point = _code(rule.point(values["theta"], state, values["t"], **hyper))
    lines = []
    for stage, function in rule.stages.items():
        if stage != "at":
            keyword = "" if stage in rule.state else "const "
            lines.append(f"    {keyword}{stage} = {_code(function(*(values[name] for name in rule.reads[stage])))};")
            values[stage] = sp.Symbol(stage, real=True)
    states, hypers = ", ".join(rule.state), ", ".join(rule.hyper)
    return "\n".join(
        [
            "{",
            f"  name: {json.dumps(rule.name, ensure_ascii=False)},",
            f"  hyper: {json.dumps({name: rule.default(name) for name in rule.hyper})},",
            f"  start: {json.dumps({name: float(rule.start.get(name, 0.0)) for name in rule.state})},",
            "  point(theta, state, t, hyper) {",
            f"    const {{{states}}} = state, {{{hypers}}} = hyper;",
            f"    return {point};",
            "  },",
            "  step(theta, g, state, t, hyper) {",
            f"    let {{{states}}} = state;",
            f"    const {{{hypers}}} = hyper;",
            *lines,
            f"    return [dtheta, {{{states}}}];",
            "  }",
            "}",
        ]
    )


def _objective(objective):
    names = [str(variable) for variable in objective.variables]
    _check(objective.name, names)
    arguments = ", ".join(names)
    slopes = ", ".join(_code(slope) for slope in objective.gradient_expression)
    return "\n".join(
        [
            "{",
            f"  name: {json.dumps(objective.name, ensure_ascii=False)},",
            f"  value({arguments}) {{ return {_code(objective.expression)}; }},",
            f"  gradient({arguments}) {{ return [{slopes}]; }}",
            "}",
        ]
    )


def _code(expression):
    return _Printer().doprint(sp.sympify(expression))


def _check(name, words):
    if taken := sorted(RESERVED.intersection(words)):
        raise ValueError(f"{name}: {taken} are reserved words of JavaScript")
