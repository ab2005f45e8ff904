"""What is printed as JavaScript: names, order, refusals. That it computes the same is shown by `check_browser.py`."""

import pytest
import sympy as sp
from dlnotes import CATALOGUE, Objective
from dlnotes.browser import javascript
from dlnotes.rules import Rule


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_stage_is_printed_once_and_in_order(name):
    rule = CATALOGUE[name]
    source = javascript(rule)
    stages = [stage for stage in rule.stages if stage != "at"]
    places = [source.index(f" {stage} = ", source.index("step(")) for stage in stages]
    assert places == sorted(places) and f'name: "{rule.name}"' in source
    assert "sqrt(" not in source.replace("Math.sqrt(", "")


def test_reserved_words_and_other_things_are_refused():
    word = Rule("broken", new=lambda g: g, dtheta=lambda new: -new)
    with pytest.raises(ValueError, match=r"broken: \['new'\] are reserved words of JavaScript"):
        javascript(word)
    x = sp.Symbol("var", real=True)
    with pytest.raises(ValueError, match=r"parabola: \['var'\] are reserved words"):
        javascript(Objective("parabola", x**2, [x]))
    with pytest.raises(TypeError, match="thing must be a Rule or an Objective, got 3"):
        javascript(3)
