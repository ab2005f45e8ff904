"""Each rule takes the steps that the libraries take: on trajectories that `tests/parity/record.py` stored.

`PARITY_REFERENCES` names another file of trajectories; `make parity` sets it to fresh ones.
"""

import json
import os
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from cases import CALLS, PROBLEMS, RULES, SETS, STEPS, cases, schedule  # tests/parity is on the path: pyproject.toml
from dlnotes import minimize

STORED = Path(__file__).parent / "parity" / "references.npz"
FRESH = os.environ.get("PARITY_REFERENCES")
CASES = list(cases())


@cache
def references(file=FRESH or STORED):
    with np.load(file) as stored:
        return dict(stored)


def batches():
    """Return the cases that differ in their numbers alone and have paths of one length: they run as one batch."""
    together = {}
    for case in CASES:
        key, rule, library, _, problem, *_ = case
        together.setdefault((rule, library, problem, len(references()[key])), []).append(case)
    return list(together.values())


def name(batch):
    """Return a short test id."""
    (_, rule, library, _, problem, chosen, _), *more = batch
    return f"{rule}-{library}-{problem}-{chosen}" + (f"-and-{len(more)}-more" if more else "")


every_batch = pytest.mark.parametrize("batch", batches(), ids=name)


def numbers(batch, dimensions):
    """Return the hyper-parameters of a batch: arrays with the members in front, `eta` as a function of t."""
    shape = (len(batch), *(1,) * dimensions)
    hyper = {h: np.array([case[-1][h] for case in batch]).reshape(shape) for h in batch[0][-1]}
    if "eta" in hyper:
        rates = [schedule(case[-1]["eta"], case[5]) for case in batch]
        hyper["eta"] = lambda t: np.array([rate(t) for rate in rates]).reshape(shape)
    return hyper


def step_errors(batch):
    """Take each step anew from its stored parameters; return the error in units of what is allowed.

    The state of the rule is built from the stored path alone. Allowed is 1e-12 of the step and two units
    in the last place of the parameters, whose difference the step is.
    """
    paths = np.stack([references()[case[0]] for case in batch], axis=1)
    rule, gradient = RULES[batch[0][1]], PROBLEMS[batch[0][4]][0]
    hyper, state, errors = numbers(batch, 1), rule.init(paths[0]), []
    for t, (before, after) in enumerate(pairwise(paths), start=1):
        now = {h: value(t) if callable(value) else value for h, value in hyper.items()}
        step, state = rule(before, gradient(before), state, t, **now)
        allowed = 1e-12 * np.abs(step).max(axis=-1, keepdims=True)
        allowed = allowed + 2 * np.spacing(np.maximum(np.abs(before), np.abs(after)))
        errors.append((np.abs(before + step - after) / allowed).max(axis=-1))
    return np.array(errors)


@every_batch
def test_each_step_from_the_stored_parameters_is_the_librarys(batch):
    errors = step_errors(batch)
    assert len(errors) >= 5
    for case, error in zip(batch, errors.T, strict=True):
        assert error.max() <= 1, f"{case[5]}: step {error.argmax() + 1}: {error.max():.3g} times what is allowed"


def from_neighbours(batch, steps):
    """Run a batch from its start, and from the 2^d points one unit in the last place beside it in each coordinate."""
    start = references()[batch[0][0]][0]
    beside = [np.nextafter(start, towards) for towards in product((-np.inf, np.inf), repeat=len(start))]
    starts = np.broadcast_to([start, *beside], (len(batch), 1 + len(beside), len(start)))
    run = minimize(RULES[batch[0][1]], PROBLEMS[batch[0][4]][0], starts, steps, **numbers(batch, 2))
    return np.moveaxis(run.theta, (1, 2), (0, 1))  # members, starts, steps, coordinates


@every_batch
def test_the_whole_path_is_the_librarys(batch):
    """After 1, 10 and 200 steps: within 1e-12, or 16 times what one unit in the last place of the start makes."""
    steps = len(references()[batch[0][0]]) - 1
    for case, (theta, *moved) in zip(batch, from_neighbours(batch, steps), strict=True):
        path = references()[case[0]]
        for t in {1, min(10, steps), steps}:
            scale = np.abs(path[: t + 1]).max()
            amplified = np.abs(np.array(moved) - theta)[:, : t + 1].max() / scale
            error = np.abs(theta[t] - path[t]).max() / scale
            assert error <= max(1e-12, 16 * amplified), (
                f"{case[5]}: step {t}: {error:.3g}, one unit of the start makes {amplified:.3g}"
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

    @every_batch
    def test_the_libraries_still_do_what_was_stored(batch):
        steps = min(10, len(references()[batch[0][0]]) - 1)
        for case, (theta, *moved) in zip(batch, from_neighbours(batch, steps), strict=True):
            stored, fresh = references(STORED)[case[0]], references()[case[0]]
            tolerance = max(1e-12, 16 * np.abs(np.array(moved) - theta).max())
            scale = np.abs(stored[: steps + 1]).max()
            assert np.abs(fresh[: steps + 1] - stored[: steps + 1]).max() <= tolerance * max(1, scale)
            assert abs(len(fresh) - len(stored)) <= 1

    def test_defaults_and_answers_are_still_those_that_were_stored():
        stored, fresh = (json.loads(str(references(file)["notes"])) for file in (STORED, FRESH))
        assert fresh["defaults"] == stored["defaults"] and fresh["mistakes"] == stored["mistakes"]
