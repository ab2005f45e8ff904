"""What is printed as JavaScript: names, order, refusals. That it computes the same is shown by `check_browser.py`."""

import pytest
import sympy as sp
from dlnotes import CATALOGUE, Objective
from dlnotes.browser import javascript
from dlnotes.processes import CovarianceFunction, S, T, brownian_motion, ornstein_uhlenbeck, white_noise
from dlnotes.rules import Rule


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_stage_is_printed_once_and_in_order(name):
    rule = CATALOGUE[name]
    source = javascript(rule)
    stages = [stage for stage in rule.stages if stage != "at"]
    places = [source.index(f" {stage} = ") for stage in stages]
    assert places == sorted(places) and all(source.count(f" {stage} = ") == 1 for stage in stages)
    assert f"return {{{', '.join(stages)}}};" in source and f'name: "{rule.name}"' in source
    assert "sqrt(" not in source.replace("Math.sqrt(", "")


def test_reserved_words_and_other_things_are_refused():
    word = Rule("broken", new=lambda g: g, dtheta=lambda new: -new)
    with pytest.raises(ValueError, match=r"broken: \['new'\] are reserved words of JavaScript"):
        javascript(word)
    x = sp.Symbol("var", real=True)
    with pytest.raises(ValueError, match=r"parabola: \['var'\] are reserved words"):
        javascript(Objective("parabola", x**2, [x]))
    with pytest.raises(TypeError, match="thing must be a Rule, an Objective or a CovarianceFunction, got 3"):
        javascript(3)


def test_a_covariance_function_says_its_parameters_and_where_it_begins():
    source = javascript(brownian_motion(2) * ornstein_uhlenbeck(0.5, 3) + white_noise(4))
    assert 'name: "((Brownian motion * Ornstein-Uhlenbeck) + white noise)"' in source
    assert 'parameters: {"variance": 2.0, "variance_2": 0.5, "length": 3.0, "variance_3": 4.0}' in source
    assert "earliest: 0," in source and "covariance(s, t, parameters) {" in source
    assert "((s == t) ? (variance_3) : (0))" in source
    assert "earliest: null" in javascript(white_noise())


def test_a_name_cannot_end_the_script_of_a_page():
    source = javascript(Rule('</script><!--"', dtheta=lambda g: -g))
    assert "<" not in source and r'name: "\u003c/script>\u003c!--\""' in source


def test_covariance_functions_that_javascript_cannot_say_are_refused():
    a, s, spaced, word = (sp.Symbol(name, positive=True) for name in ("a", "s", "two words", "new"))

    def refused(expression, *symbols):
        return javascript(CovarianceFunction("odd", expression, dict.fromkeys(symbols, 1.0)))

    with pytest.raises(ValueError, match=r"the formula besselk\(1, a\) has no JavaScript"):
        refused(sp.besselk(1, a), a)
    with pytest.raises(ValueError, match=r"odd: \['s'\] would be the names of two things"):
        refused(s * S * T, s)
    with pytest.raises(ValueError, match=r"odd: \['two words'\] can't be names in JavaScript"):
        refused(spaced, spaced)
    with pytest.raises(ValueError, match=r"odd: \['new'\] are reserved words"):
        refused(word, word)
    with pytest.raises(ValueError, match="a piecewise formula must have a value everywhere, got Piecewise"):
        refused(sp.Piecewise((1, sp.Eq(S, T)), (2, S > T)))
