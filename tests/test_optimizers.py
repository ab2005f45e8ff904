"""The rules of the catalogue and their variants: steps by hand, symmetries, special cases, and what they refuse.

That they are the libraries' rules is shown in `test_parity.py`.
"""

import ast
from math import sqrt
from pathlib import Path

import dlnotes
import numpy as np
import pytest
from dlnotes import CATALOGUE, minimize, optimizers, variants
from dlnotes.objectives import ravine, rosenbrock
from dlnotes.rules import HYPERPARAMETERS
from dlnotes.variants import VARIANTS

ALL = CATALOGUE | VARIANTS
every_rule = pytest.mark.parametrize("name", ALL)
NUMBERS = dict(eta=0.1, beta=0.6, beta1=0.7, beta2=0.8, gamma=0.5, eps=0.01, lam=0.03)
ADAPTIVE = [name for name, rule in ALL.items() if "eps" in rule.hyper and name != "adadelta"]
GRADIENTS = np.random.default_rng(0).normal(size=(8, 5))


def numbers(name, **changes):
    return {h: (NUMBERS | changes)[h] for h in ALL[name].hyper}


def steps(name, gradients, theta=0.0, **hyper):
    """Feed a rule with given gradients; return the steps it takes."""
    rule, taken = ALL[name], []
    theta = np.broadcast_to(np.asarray(theta, float), np.shape(gradients[0]))
    state = rule.init(theta)
    for t, g in enumerate(gradients, start=1):
        step, state = rule(theta, np.asarray(g), state, t, **numbers(name, **hyper))
        taken.append(step)
        theta = theta + step
    return np.array(taken)


# Two steps with the gradients 2 and -1 from θ = 1, written out: η .1, β .6, β₁ .7, β₂ .8, γ .5, ε .01, λ .03.
N1, N2, M1, M2 = 0.2 * 4, 0.8 * 0.8 + 0.2 * 1, 0.3 * 2, 0.7 * 0.6 - 0.3
MH2, NH2 = M2 / (1 - 0.49), N2 / (1 - 0.64)  # at t = 1 they are g and g²
ADADELTA = -sqrt(0.01) / sqrt(0.4 * 4 + 0.01) * 2
ADAM = -0.2 / sqrt(4.01)
NADAM_1, NADAM_2 = 0.7 * M1 / (1 - 0.49) + 2, 0.7 * M2 / (1 - 0.343) - 0.3 / (1 - 0.49)
BY_HAND = {
    "gradient_descent": (-0.2, 0.1),
    "momentum": (-0.2, 0.6 * -0.2 + 0.1),
    "nesterov": (-0.2, 0.6 * -0.2 + 0.1),
    "adagrad": (-0.2 / sqrt(4.01), 0.1 / sqrt(5.01)),
    "rmsprop": (-0.2 / sqrt(0.4 * 4 + 0.01), 0.1 / sqrt(0.6 * 1.6 + 0.4 + 0.01)),
    "adadelta": (ADADELTA, sqrt(0.5 * ADADELTA**2 + 0.01) / sqrt(0.6 * 1.6 + 0.4 + 0.01)),
    "adam": (ADAM, -0.1 * MH2 / sqrt(NH2 + 0.01)),
    "adamw": (ADAM - 0.003, -0.1 * (MH2 / sqrt(NH2 + 0.01) + 0.03 * (1 + ADAM - 0.003))),
    "nadam": (-0.1 * NADAM_1 / sqrt(4.01), -0.1 * NADAM_2 / sqrt(NH2 + 0.01)),
    "amsgrad": (ADAM, -0.1 * MH2 / sqrt(NH2 + 0.01)),
    "adam_uncorrected": (-0.1 * M1 / sqrt(N1 + 0.01), -0.1 * M2 / sqrt(N2 + 0.01)),
    "adamw_decay_outside": (ADAM - 0.03, -0.1 * MH2 / sqrt(NH2 + 0.01) - 0.03 * (1 + ADAM - 0.03)),
    "amsgrad_uncorrected": (-0.1 * M1 / sqrt(N1 + 0.01), -0.1 * M2 / sqrt(N2 + 0.01)),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_two_steps_by_hand(name):
    np.testing.assert_allclose(steps(name, [2.0, -1.0], theta=1.0), BY_HAND[name], rtol=1e-14)


def test_amsgrad_keeps_the_largest_average():
    taken = steps("amsgrad", [3.0, 0.0, 0.0], beta1=0.0, eps=1.0)
    np.testing.assert_allclose(taken, [-0.3 / sqrt(10), 0, 0], rtol=1e-14)
    third = steps("amsgrad", [3.0, 0.1, 0.1], beta1=0.0)[2]
    largest = 0.2 * 9
    assert third == pytest.approx(-0.01 / sqrt(largest / (1 - 0.8**3) + 0.01), rel=1e-13)
    assert abs(third) < abs(steps("adam", [3.0, 0.1, 0.1], beta1=0.0)[2])


def test_the_largest_corrected_average_is_corrected_before_it_is_compared():
    g = np.array([1.0, 3.0, -2.0, 5.0])
    n = 0.2 * np.convolve(g**2, 0.8 ** np.arange(4))[:4]
    m = 0.3 * np.convolve(g, 0.7 ** np.arange(4))[:4]
    t = np.arange(1, 5)
    largest = np.maximum.accumulate(n / (1 - 0.8**t))
    expected = -0.1 * m / (1 - 0.7**t) / (np.sqrt(largest) + 0.01)
    assert steps("amsgrad_largest_corrected", g[:, np.newaxis])[:, 0] == pytest.approx(expected, rel=1e-14)


def test_nesterov_looks_where_momentum_alone_would_lead():
    point = CATALOGUE["nesterov"].point(1.0, {"m": 2.0}, 1, beta=0.25, eta=0.1)
    assert point == 1.5
    assert all("at" not in rule.stages for name, rule in ALL.items() if name != "nesterov")


@every_rule
def test_a_mirrored_problem_takes_the_mirrored_path(name):
    signs = np.array([1.0, -1, 1, -1, -1])
    np.testing.assert_array_equal(steps(name, GRADIENTS * signs), steps(name, GRADIENTS) * signs)


@every_rule
def test_coordinates_do_not_mix(name):
    order = [3, 1, 4, 0, 2]
    np.testing.assert_array_equal(steps(name, GRADIENTS[:, order]), steps(name, GRADIENTS)[:, order])
    alone = steps(name, GRADIENTS[:, 2])
    np.testing.assert_allclose(alone, steps(name, GRADIENTS)[:, 2], rtol=1e-14)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_without_eps_the_scale_of_the_gradient_does_not_matter(name):
    hyper = dict(eps=0.0, lam=0.0)
    np.testing.assert_array_equal(steps(name, 8 * GRADIENTS, **hyper), steps(name, GRADIENTS, **hyper))
    with_eps = steps(name, 8 * GRADIENTS) / steps(name, GRADIENTS)
    assert np.abs(with_eps - 1).max() > 1e-3


@pytest.mark.parametrize("name", [n for n in ALL if n not in ADAPTIVE and n != "adadelta"])
def test_the_plain_rules_are_linear_in_the_gradient(name):
    np.testing.assert_allclose(steps(name, 8 * GRADIENTS), 8 * steps(name, GRADIENTS), rtol=1e-14)


def test_adadelta_measures_its_step_in_the_unit_of_the_parameters():
    """Parameters in units eight times as small: gradients an eighth, steps eight times the number."""
    rule = CATALOGUE["adadelta"]
    both = []
    for unit in (1.0, 8.0):
        state = {"n": np.zeros(5), "V": np.full(5, 0.1 * unit**2)}
        for t, g in enumerate(GRADIENTS, start=1):
            step, state = rule(np.zeros(5), g / unit, state, t, beta=0.6, gamma=0.5, eps=0.0)
        both.append(step)
    np.testing.assert_allclose(both[1], 8 * both[0], rtol=1e-14)


@every_rule
def test_no_gradient_no_step(name):
    if {"eps", "lam"} & set(ALL[name].hyper):
        taken = steps(name, np.zeros((3, 2)), theta=5.0, lam=0.0)
    else:
        taken = steps(name, np.zeros((3, 2)), theta=5.0)
    np.testing.assert_array_equal(taken, 0)


SPECIAL_CASES = [
    ("momentum", dict(beta=0.0), "gradient_descent", {}),
    ("momentum_rate_outside", dict(beta=0.0), "gradient_descent", {}),
    ("nesterov", dict(beta=0.0), "gradient_descent", {}),
    ("nesterov_shifted", dict(beta=0.0), "gradient_descent", {}),
    ("nesterov_shifted_rate_outside", dict(beta=0.0), "gradient_descent", {}),
    ("momentum_rate_outside", {}, "momentum", {}),
    ("nesterov_shifted_rate_outside", {}, "nesterov_shifted", {}),
    ("adam_uncorrected", dict(beta1=0.0, beta2=0.6), "rmsprop", dict(beta=0.6)),
    ("adam_eps_outside", dict(eps=0.0), "adam", dict(eps=0.0)),
    ("adam_eps_hat", dict(eps=0.0), "adam", dict(eps=0.0)),
    ("adamw", dict(lam=0.0), "adam", {}),
    ("adamw_decay_outside", dict(lam=0.0), "adam", {}),
    ("adamw_decay_outside", dict(lam=0.003), "adamw", dict(lam=0.03)),
    ("adamw_eps_outside", dict(eps=0.0), "adamw", dict(eps=0.0)),
    ("nadam", dict(beta1=0.0), "adam", dict(beta1=0.0)),
    ("nadam_eps_outside", dict(eps=0.0), "nadam", dict(eps=0.0)),
    ("nadam_schedule", dict(beta1=0.0), "adam_eps_outside", dict(beta1=0.0)),
    ("nadam_fast_schedule", dict(beta1=0.0), "adam_eps_outside", dict(beta1=0.0)),
    ("amsgrad_eps_outside", dict(eps=0.0), "amsgrad", dict(eps=0.0)),
    ("amsgrad_largest_corrected", dict(beta2=0.0), "amsgrad_eps_outside", dict(beta2=0.0)),
    ("adagrad_eps_outside", dict(eps=0.0), "adagrad", dict(eps=0.0)),
    ("rmsprop_eps_outside", dict(eps=0.0), "rmsprop", dict(eps=0.0)),
]


@pytest.mark.parametrize("one, special, other, hyper", SPECIAL_CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_special_cases_are_simpler_rules(one, special, other, hyper):
    np.testing.assert_allclose(
        steps(one, GRADIENTS, theta=1.0, **special), steps(other, GRADIENTS, theta=1.0, **hyper), rtol=1e-13
    )
    if special:  # and only there
        usual = numbers(one, **{name: NUMBERS[name] for name in special})
        assert np.abs(steps(one, GRADIENTS, theta=1.0, **usual) - steps(other, GRADIENTS, theta=1.0)).max() > 1e-4


def test_amsgrad_is_adam_while_gradients_grow():
    growing = np.array([[1.0], [2.0], [3.0], [4.0]])
    np.testing.assert_array_equal(steps("amsgrad", growing), steps("adam", growing))
    assert steps("amsgrad", growing[::-1])[-1] != steps("adam", growing[::-1])[-1]


def differing(one, other):
    """Names of the stages in which two rules differ."""
    a, b = ALL[one].stages, ALL[other].stages
    return [stage for stage in b if a.get(stage) is not b[stage]]


@pytest.mark.parametrize(
    "one, other, lines",
    [
        ("momentum", "nesterov", ["at"]),
        ("adagrad", "rmsprop", ["n"]),
        ("rmsprop", "adadelta", ["dtheta", "V"]),
        ("adam", "adamw", ["dtheta"]),
        ("adam", "nadam", ["m_hat"]),
        ("adam", "amsgrad", ["n_max", "n_hat"]),
    ],
)
def test_relations_are_lines_of_code(one, other, lines):
    assert differing(one, other) == lines


DEFAULTS = {
    "gradient_descent": dict(eta=None),
    "momentum": dict(beta=0.9, eta=None),
    "nesterov": dict(beta=0.9, eta=None),
    "adagrad": dict(eta=None, eps=1e-8),
    "rmsprop": dict(beta=0.9, eta=None, eps=1e-8),
    "adadelta": dict(beta=0.95, eps=1e-6, gamma=0.95),
    "adam": dict(beta1=0.9, beta2=0.999, eta=0.001, eps=1e-16),
    "adamw": dict(beta1=0.9, beta2=0.999, eta=0.001, eps=1e-16, lam=0.01),
    "nadam": dict(beta1=0.9, beta2=0.999, eta=0.001, eps=1e-16),
    "amsgrad": dict(beta1=0.9, beta2=0.999, eta=0.001, eps=1e-16),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_defaults(name):
    assert {h: CATALOGUE[name].default(h) for h in CATALOGUE[name].hyper} == DEFAULTS[name]


@pytest.mark.parametrize("name", [n for n in VARIANTS if "eps" in VARIANTS[n].hyper])
def test_eps_of_a_variant_is_its_sources(name):
    outside = 1e-7 if name.endswith("eps_hat") else 1e-8
    inside = 1e-16 if name in ("adam_uncorrected", "adamw_decay_outside", "amsgrad_uncorrected") else None
    assert VARIANTS[name].default("eps") == (inside or outside)


@pytest.mark.parametrize("module", [optimizers, variants], ids=lambda m: m.__name__)
def test_every_rule_has_a_docstring_and_a_source(module):
    body = ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
    names = set()
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.Assign):
            (target,) = statement.targets
            names.add(target.id)
            assert isinstance(following, ast.Expr) and isinstance(following.value.value, str), target.id
            assert target.id.isupper() or ALL[target.id].source or target.id == "adam_uncorrected"
    assert names - {"CATALOGUE", "VARIANTS"} == set(CATALOGUE if module is optimizers else VARIANTS)


def test_the_catalogue_is_importable_by_name():
    for name, rule in CATALOGUE.items():
        assert getattr(dlnotes, name) is rule is getattr(optimizers, name)
    assert len({rule.name for rule in ALL.values()}) == len(ALL)


# --- through minimize -----------------------------------------------------------------------------------------------
@every_rule
def test_a_sweep_is_the_single_runs(name):
    sweep = {h: np.array([[value], [value / 2], [value / 4]]) for h, value in numbers(name, eta=0.002).items()}
    together = minimize(ALL[name], ravine.gradient, np.tile([-10.0, 1.0], (3, 1)), 20, **sweep)
    for i in range(3):
        alone = {h: values[i, 0] for h, values in sweep.items()}
        np.testing.assert_array_equal(
            together.theta[:, i], minimize(ALL[name], ravine.gradient, [-10.0, 1.0], 20, **alone).theta
        )


@every_rule
def test_a_rate_for_each_coordinate(name):
    split = {h: np.array([value, value / 2]) for h, value in numbers(name, eta=0.002).items()}
    run = minimize(ALL[name], ravine.gradient, [-10.0, 1.0], 10, **split)
    for i in range(2):  # the ravine's coordinates don't depend on each other
        alone = minimize(ALL[name], ravine.gradient, [-10.0, 1.0], 10, **{h: v[i] for h, v in split.items()})
        np.testing.assert_array_equal(run.theta[:, i], alone.theta[:, i])


@pytest.mark.parametrize("name", [n for n in ALL if "eta" in ALL[n].hyper])
def test_a_schedule_is_its_rate_of_the_day(name):
    calls = []

    def rate(t):
        calls.append(t)
        return 0.01 / t

    hyper = numbers(name, lam=0.0) | {"eta": rate}
    run = minimize(ALL[name], lambda theta: np.ones(2), np.zeros(2), 4, **hyper)
    assert calls == [1, 2, 3, 4]
    rule, state, theta = ALL[name], ALL[name].init(np.zeros(2)), np.zeros(2)
    for t in range(1, 5):
        step, state = rule(theta, np.ones(2), state, t, **(hyper | {"eta": 0.01 / t}))
        theta = theta + step
    np.testing.assert_allclose(run.theta[-1], theta, rtol=1e-14)
    constant = minimize(ALL[name], lambda theta: np.ones(2), np.zeros(2), 4, **numbers(name, lam=0.0, eta=0.01))
    assert np.abs(run.theta[-1]).max() < np.abs(constant.theta[-1]).min()


@pytest.mark.parametrize("name", ["gradient_descent", "momentum", "nesterov", "momentum_rate_outside"])
def test_a_member_that_diverges_is_frozen_and_marked(name):
    rates = np.array([[0.001], [0.01], [10.0]])
    run = minimize(ALL[name], rosenbrock.gradient, np.tile([-1.2, 1.0], (3, 1)), 60, **numbers(name) | {"eta": rates})
    assert run.diverged[2] and not run.diverged[0]
    assert np.isfinite(run.theta).all()
    np.testing.assert_array_equal(run.theta[-1, 2], run.theta[-2, 2])


RATES = dict(gradient_descent=0.015, momentum=0.01, nesterov=0.005, adagrad=5.0)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_rule_reaches_the_bottom_of_the_ravine(name):
    falling = {"eta": lambda t: 0.3 * 0.99**t, "lam": 0.0}  # at a constant rate the others keep on moving
    hyper = {"eta": RATES[name]} if name in RATES else {h: falling[h] for h in CATALOGUE[name].hyper if h in falling}
    eps = {"eps": 1e-5} if name == "adadelta" else {}
    run = minimize(CATALOGUE[name], ravine.gradient, [-10.0, 1.0], 2000, value=ravine.value, **hyper, **eps)
    assert run.values[0] == 100 and run.values[-1] < (1 if name == "adadelta" else 1e-4)


BAD = [(-1e-9, "must be in"), (np.nan, "must be in"), (np.inf, "must be in"), ("0.1", "must be a real number")]


@every_rule
@pytest.mark.parametrize("bad, message", BAD, ids=str)
def test_a_bad_number_is_refused_by_name(name, bad, message):
    for h in ALL[name].hyper:
        with pytest.raises((ValueError, TypeError), match=f"^{h} {message}"):
            minimize(ALL[name], ravine.gradient, [1.0, 1.0], 1, **numbers(name) | {h: bad})


@every_rule
def test_a_decay_of_one_is_refused_by_name(name):
    for h in ALL[name].hyper:
        if HYPERPARAMETERS[h].high == 1:
            with pytest.raises(ValueError, match=rf"^{h} must be in \[0, 1\), got 1.0$"):
                minimize(ALL[name], ravine.gradient, [1.0, 1.0], 1, **numbers(name) | {h: 1.0})


@every_rule
def test_a_wrong_shape_is_refused_by_name(name):
    for h in ALL[name].hyper:
        with pytest.raises(ValueError, match=rf"^{h} must broadcast to the shape \(2,\) of start, got shape \(3,\)$"):
            minimize(ALL[name], ravine.gradient, [1.0, 1.0], 1, **numbers(name) | {h: np.full(3, 0.1)})
    with pytest.raises(ValueError, match=r"gradient must return the shape \(2, 2\), got \(2, 1\)"):
        minimize(ALL[name], lambda theta: np.ones((2, 1)), np.ones((2, 2)), 1, **numbers(name))


@every_rule
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_is_refused(name, bad):
    with pytest.raises(ValueError, match=f"the gradient must be finite, got {bad} at coordinate 1 in step 1"):
        minimize(ALL[name], lambda theta: np.array([1.0, bad]), np.ones(2), 1, **numbers(name))


@every_rule
def test_float32_stays_float32(name):
    run = minimize(ALL[name], lambda theta: theta, np.ones(3, np.float32), 3, **numbers(name))
    assert run.theta.dtype == np.float32
