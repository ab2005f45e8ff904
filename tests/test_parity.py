"""Each rule takes the steps that the libraries take: on trajectories that `tests/parity/record.py` stored.

`PARITY_REFERENCES` names another file of trajectories; `make parity` sets it to fresh ones.
"""

import json
import os
import sys
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from dlnotes import minimize

PARITY = Path(__file__).parent / "parity"
sys.path.insert(0, str(PARITY))
from cases import CALLS, PROBLEMS, RULES, SETS, STEPS, cases, schedule  # noqa: E402

STORED = PARITY / "references.npz"
FRESH = os.environ.get("PARITY_REFERENCES")
CASES = list(cases())
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace("|", "-"))


@cache
def references(file=FRESH or STORED):
    with np.load(file) as stored:
        return dict(stored)


def step_errors(case, path):
    """Take each step of a path anew from its stored parameters; the error in units of what is allowed.

    The state of the rule is built from the stored path alone. Allowed is 1e-12 of the step and two units
    in the last place of the parameters, whose difference the step is.
    """
    _, name, _, _, problem, chosen, hyper = case
    rule, gradient = RULES[name], PROBLEMS[problem][0]
    rate, state, errors = schedule(hyper.get("eta"), chosen), rule.init(path[0]), []
    for t, (before, after) in enumerate(pairwise(path), start=1):
        now = hyper | ({"eta": rate(t)} if "eta" in hyper else {})
        step, state = rule(before, gradient(before), state, t, **now)
        allowed = 1e-12 * np.abs(step).max() + 2 * np.spacing(np.maximum(np.abs(before), np.abs(after)))
        errors.append(np.max(np.abs(before + step - after) / allowed))
    return np.array(errors)


def run(case, start, steps):
    _, name, _, _, problem, chosen, hyper = case
    hyper = dict(hyper)
    if "eta" in hyper:
        hyper["eta"] = schedule(hyper["eta"], chosen)
    return minimize(RULES[name], PROBLEMS[problem][0], start, steps, **hyper).theta


@every_case
def test_each_step_from_the_stored_state_is_the_librarys(case):
    path = references()[case[0]]
    errors = step_errors(case, path)
    assert len(errors) >= 5 and errors.max() <= 1, (
        f"step {errors.argmax() + 1}: {errors.max():.3g} times what is allowed"
    )


def neighbours(start):
    """Return a start, and the 2^d points that lie one unit in the last place beside it in every coordinate."""
    return np.stack(
        [start, *(np.nextafter(start, towards) for towards in product((-np.inf, np.inf), repeat=len(start)))]
    )


@every_case
def test_the_whole_path_is_the_librarys(case):
    """After 1, 10 and 200 steps: within 1e-12, or 16 times what one unit in the last place of the start makes."""
    path = references()[case[0]]
    steps = len(path) - 1
    theta, *moved = np.moveaxis(run(case, neighbours(path[0]), steps), 1, 0)
    for t in {1, min(10, steps), steps}:
        scale = np.abs(path[: t + 1]).max()
        amplified = np.abs(np.array(moved) - theta)[:, : t + 1].max() / scale
        error = np.abs(theta[t] - path[t]).max() / scale
        assert error <= max(1e-12, 16 * amplified), (
            f"step {t}: {error:.3g}, one unit of the start makes {amplified:.3g}"
        )


def test_only_divergent_paths_are_short():
    short = {key: len(path) - 1 for key, path in references().items() if key != "notes" and len(path) <= STEPS}
    assert short and all(key.split("|")[0] in ("gradient_descent", *MOMENTA) for key in short), short
    assert all(np.abs(references()[key][-1]).max() > 1e3 for key in short)


MOMENTA = ("momentum", "momentum_rate_outside", "nesterov_shifted", "nesterov_shifted_rate_outside")


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("library", ["torch", "optax", "keras"])
def test_the_libraries_nesterov_iterate_is_the_look_ahead_point(library, problem):
    form = "nesterov_shifted" + ("" if library == "keras" else "_rate_outside")
    path = references()[f"{form}|{library}|{problem}|default"]
    hyper = next(case[-1] for case in CASES if case[0] == f"{form}|{library}|{problem}|default")
    theta = minimize(RULES["nesterov"], PROBLEMS[problem][0], path[0], len(path) - 1, **hyper).theta
    look_ahead = theta[1:] + hyper["beta"] * np.diff(theta, axis=0)
    np.testing.assert_allclose(look_ahead[:20], path[1:21], rtol=1e-11, atol=1e-13)
    assert np.abs(theta[1:] - path[1:]).max() > 1e-3  # and not the rule's own iterate


def test_every_rule_and_every_library_is_compared():
    own = {"nesterov", "adam_uncorrected", "adamw_decay_outside", "amsgrad_uncorrected"}  # no library has these
    assert {rule for rule, *_ in CALLS} == set(RULES) - own
    assert set(references()) == {case[0] for case in CASES} | {"notes"}
    assert {(case[4], case[5]) for case in CASES} == {(problem, name) for problem in PROBLEMS for name in SETS}


if FRESH:  # a recording made just now against the stored one

    @every_case
    def test_the_libraries_still_do_what_was_stored(case):
        stored, fresh = references(STORED)[case[0]], references()[case[0]]
        theta, *moved = np.moveaxis(run(case, neighbours(stored[0]), min(10, len(stored) - 1)), 1, 0)
        tolerance = max(1e-12, 16 * np.abs(np.array(moved) - theta).max())
        np.testing.assert_allclose(fresh[:11], stored[:11], rtol=tolerance, atol=tolerance)
        assert abs(len(fresh) - len(stored)) <= 1

    def test_defaults_and_answers_are_still_those_that_were_stored():
        stored, fresh = (json.loads(str(references(file)["notes"])) for file in (STORED, FRESH))
        assert fresh["defaults"] == stored["defaults"] and fresh["mistakes"] == stored["mistakes"]
