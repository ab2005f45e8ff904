"""The browser's reading: a rule's stages, a surface and its gradient, or a covariance function, as JavaScript."""

import json

import sympy as sp
from sympy.printing.codeprinter import PrintMethodNotImplementedError
from sympy.printing.jscode import JavascriptCodePrinter

from dlnotes import symbolic  # noqa: F401  (teaches sqrt and maximum to read symbols)
from dlnotes.objectives import Objective
from dlnotes.processes import CovarianceFunction, S, T
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

    def _print_Piecewise(self, expr):
        # SymPy's has line breaks, and a condition that is no comparison goes unnoticed.
        *cases, (last, always) = expr.args
        if always != True:  # noqa: E712  (SymPy's true, which is not Python's)
            raise ValueError(f"a piecewise formula must have a value everywhere, got {expr}")
        chain = "".join(f"({self._print(when)}) ? ({self._print(value)}) : " for value, when in cases)
        return f"({chain}({self._print(last)}))"


def javascript(thing):
    """Print a rule, a surface or a covariance function as the source of a JavaScript object.

    Parameters
    ----------
    thing : Rule, Objective or CovarianceFunction
        For instance ``dlnotes.adam``, ``dlnotes.objectives.rosenbrock`` or ``dlnotes.processes.periodic()``.

    Returns
    -------
    str
        For a rule ``{name, hyper, start, point(theta, state, t, hyper), stages(theta, g, state, t, hyper),
        step(theta, g, state, t, hyper)}``: defaults of the hyper-parameters (null where the caller must choose),
        the state at t = 0, where the gradient is taken, the value of every stage by its name for one coordinate,
        and of these the step and the new state, as ``[dtheta, state]``. For a surface
        ``{name, value(...), gradient(...)}`` in its coordinates. For a covariance function
        ``{name, parameters, earliest, covariance(s, t, parameters)}``: the values of the parameters, the first
        time at which the process is defined (null if there is none), and the covariance at two times.

    Raises
    ------
    TypeError
        If `thing` is none of them.
    ValueError
        If a name is a reserved word of JavaScript or cannot be a name there, two things have one name, or a
        formula holds a function that JavaScript does not have.

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
      stages(theta, g, state, t, hyper) {
        let {} = state;
        const {eta} = hyper;
        const dtheta = -eta*g;
        return {dtheta};
      },
      step(theta, g, state, t, hyper) {
        const {dtheta} = this.stages(theta, g, state, t, hyper);
        return [dtheta, {}];
      }
    }
    """
    if isinstance(thing, Rule):
        return _rule(thing)
    if isinstance(thing, Objective):
        return _objective(thing)
    if isinstance(thing, CovarianceFunction):
        return _covariance_function(thing)
    raise TypeError(f"thing must be a Rule, an Objective or a CovarianceFunction, got {thing!r}")


def _rule(rule):
    values = {"theta": sp.Symbol("theta", real=True), "g": sp.Symbol("g", real=True)}
    values |= {"t": sp.Symbol("t", positive=True, integer=True)}
    values |= {name: sp.Symbol(name, positive=True) for name in rule.hyper}
    values |= {name: sp.Symbol(name, real=True) for name in rule.state}
    _check(rule.name, list(dict.fromkeys([*values, *rule.stages])))
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
    stages = [stage for stage in rule.stages if stage != "at"]
    after = ", ".join(dict.fromkeys(["dtheta", *rule.state]))
    return "\n".join(
        [
            "{",
            f"  name: {_text(rule.name)},",
            f"  hyper: {json.dumps({name: rule.default(name) for name in rule.hyper})},",
            f"  start: {json.dumps({name: float(rule.start.get(name, 0.0)) for name in rule.state})},",
            "  point(theta, state, t, hyper) {",
            f"    const {{{states}}} = state, {{{hypers}}} = hyper;",
            f"    return {point};",
            "  },",
            "  stages(theta, g, state, t, hyper) {",
            f"    let {{{states}}} = state;",
            f"    const {{{hypers}}} = hyper;",
            *lines,
            f"    return {{{', '.join(stages)}}};",
            "  },",
            "  step(theta, g, state, t, hyper) {",
            f"    const {{{after}}} = this.stages(theta, g, state, t, hyper);",
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
            f"  name: {_text(objective.name)},",
            f"  value({arguments}) {{ return {_code(objective.expression)}; }},",
            f"  gradient({arguments}) {{ return [{slopes}]; }}",
            "}",
        ]
    )


def _covariance_function(function):
    parameters = {str(symbol): value for symbol, value in function.values.items()}
    _check(function.name, ["s", "t", *map(str, function.values)])
    earliest = None if function.earliest == -float("inf") else function.earliest
    return "\n".join(
        [
            "{",
            f"  name: {_text(function.name)},",
            f"  parameters: {json.dumps(parameters)},",
            f"  earliest: {json.dumps(earliest)},",
            f"  covariance({S}, {T}, parameters) {{",
            f"    const {{{', '.join(parameters)}}} = parameters;",
            f"    return {_code(function.expression)};",
            "  }",
            "}",
        ]
    )


def _text(text):
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")  # so that no name can end the page's script


def _code(expression):
    try:
        return _Printer().doprint(sp.sympify(expression))
    except PrintMethodNotImplementedError as error:
        raise ValueError(f"the formula {expression} has no JavaScript: {str(error).splitlines()[0]}") from None


def _check(name, words):
    if taken := sorted(RESERVED.intersection(words)):
        raise ValueError(f"{name}: {taken} are reserved words of JavaScript")
    if strange := [word for word in words if not word.isidentifier()]:
        raise ValueError(f"{name}: {strange} can't be names in JavaScript")
    if twice := sorted({word for word in words if words.count(word) > 1}):
        raise ValueError(f"{name}: {twice} would be the names of two things")
