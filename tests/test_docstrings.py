"""Public names are documented: every argument is named, and the examples run."""

import doctest
import importlib
import inspect
import pkgutil
import re

import dlnotes
import pytest

MODULES = sorted(module.name for module in pkgutil.iter_modules(dlnotes.__path__, "dlnotes."))


def public(module):
    """Functions, classes and their methods that a module defines itself and does not hide."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing) or hasattr(thing, "dispatch"):
            yield name, thing
        elif inspect.isclass(thing):
            yield name, thing
            for attribute, method in vars(thing).items():
                if inspect.isfunction(method) and not attribute.startswith("_"):
                    yield f"{name}.{attribute}", method


# They refer to a sibling, take part in a stage and check nothing, or are made by a function that says it all.
BRIEF = {
    "MiniBatchGradient",
    "Equations",
    "Objective.gradient",
    "Objective.hessian",
    "Network.predict",
    "RunningCovariance.mean",
    "Network.gradient",
    "exp",
    "log",
    "sigmoid_terms",
    "softplus_terms",
    "softmax_terms",
    "log_softmax_terms",
    "symbolic",
    "cross_entropy_terms",
    "labels_in_unit_interval",
    "get_ipython",
}


def undocumented(name, thing):
    text = inspect.getdoc(thing) or ""
    if len(text.split()) < 4:
        return f"{name} has no docstring"
    if name in BRIEF:
        return None
    names = [p for p in inspect.signature(thing).parameters if p != "self"]
    entry = r"^ *(?:\*{{0,2}}\w+, )*\*{{0,2}}{}(?:, \*{{0,2}}\w+)*( :|$)"
    missing = [p for p in names if not re.search(entry.format(p), text, re.M)]
    return f"{name} does not describe {missing}" if missing else None


def test_there_are_modules():
    assert {"dlnotes.rules", "dlnotes.descent", "dlnotes.network"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_documented_and_examples_run(name):
    module = importlib.import_module(name)
    assert len((module.__doc__ or "").split()) >= 5
    assert [fault for n, thing in public(module) if (fault := undocumented(n, thing))] == []
    assert doctest.testmod(module).failed == 0


def test_every_exported_name_exists_and_is_sorted():
    assert sorted(dlnotes.__all__) == dlnotes.__all__
    assert all(hasattr(dlnotes, name) for name in dlnotes.__all__)


def test_a_missing_argument_is_seen():
    def function(first, second):
        """Do something with an argument.

        Parameters
        ----------
        first : int
            The only one described.
        """

    assert undocumented("function", function) == "function does not describe ['second']"
    function.__doc__ = "Do something first and second, of which nothing is described."
    assert undocumented("function", function) == "function does not describe ['first', 'second']"
    assert undocumented("function", lambda x: x) == "function has no docstring"


def test_the_examples_are_found():
    tests = sum(
        len(t.examples) > 0 for name in MODULES for t in doctest.DocTestFinder().find(importlib.import_module(name))
    )
    assert tests >= 4
