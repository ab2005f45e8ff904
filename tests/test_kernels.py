"""The machine's reading of every rule is its NumPy reading, to the rounding of each stage's terms."""

import sys

import numpy as np
import pytest
import sympy as sp
from dlnotes import CATALOGUE, Objective, Rule, adam, gradient_descent, minimize, momentum, nesterov, objectives
from dlnotes.kernels import SERIAL, compiled
from dlnotes.variants import VARIANTS

RULES = CATALOGUE | VARIANTS
EVERY_RULE = pytest.mark.parametrize("name", RULES)
EVERY_DTYPE = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
STEPS = 4


def numbers(rule, dtype):
    """The defaults, rounded to the dtype as the kernel rounds them."""
    chosen = {name: 0.01 if rule.default(name) is None else rule.default(name) for name in rule.hyper}
    return {name: float(dtype(value)) for name, value in chosen.items()}


def stages(rule, inputs):
    """Every stage in float64, and the sum of the absolute values of its terms: the scale of its rounding errors."""
    values, scales = dict(inputs), {}
    for stage, function in rule.stages.items():
        if stage != "at":
            names = rule.reads[stage]
            symbols = [sp.Symbol(name, positive=name not in ("g", "theta", "m")) for name in names]
            terms = sp.Add.make_args(
                sp.expand(function(*symbols), deep=False, power_base=False, power_exp=False, log=False)
            )
            terms = [sp.lambdify(symbols, term)(*(values[name] for name in names)) for term in terms]
            values[stage] = function(*(values[name] for name in names))
            scales[stage] = np.sum([np.abs(np.broadcast_to(term, np.shape(inputs["g"]))) for term in terms], axis=0)
    return values, scales


@EVERY_RULE
@EVERY_DTYPE
def test_each_stage_that_is_kept_is_numpys_to_eight_roundings(name, dtype):
    rule, rng = RULES[name], np.random.default_rng(1)
    hyper, size, step = numbers(rule, dtype), 1_001, compiled(rule)
    theta = rng.normal(size=size).astype(dtype)
    state = rule.init(theta)
    for t in range(1, STEPS + 1):
        g = (rng.normal(size=size) * 10.0 ** rng.integers(-3, 3, size)).astype(dtype)
        inputs = {"theta": theta, "g": g, **state}
        inputs = {key: array.astype(float) for key, array in inputs.items()} | hyper | {"t": t}
        values, scales = stages(rule, inputs)
        point = rule.point(inputs["theta"], {s: inputs[s] for s in rule.state}, t, **hyper)
        np.testing.assert_array_less(
            np.abs(step.point(theta, state, t, **hyper) - point),
            8 * np.finfo(dtype).eps * (np.abs(inputs["theta"]) + np.abs(point)) + 1e-300,
        )
        step(theta, g, state, t, **hyper)
        kept = {s: (state[s], values[s], scales[s]) for s in rule.state}
        kept["theta"] = theta, inputs["theta"] + values["dtheta"], np.abs(inputs["theta"]) + scales["dtheta"]
        for key, (found, expected, scale) in kept.items():
            error = np.abs(found.astype(float) - expected)
            assert (error <= 8 * np.finfo(dtype).eps * scale).all(), (
                key,
                t,
                (error / scale).max() / np.finfo(dtype).eps,
            )


@pytest.mark.parametrize("shape", [(), (2,), (3, 4), (100_003,), (7, SERIAL)], ids=str)
@EVERY_DTYPE
def test_any_shape_also_in_threads(shape, dtype):
    rng, step = np.random.default_rng(2), compiled(nesterov)
    theta = np.asarray(rng.normal(size=shape), dtype)
    state, expected = nesterov.init(theta), theta.copy()
    same = {key: array.copy() for key, array in state.items()}
    for t in (1, 2):
        g = np.asarray(rng.normal(size=shape), dtype)
        ahead = nesterov.point(expected, same, t, eta=0.125, beta=0.9)
        np.testing.assert_allclose(step.point(theta, state, t, eta=0.125), ahead, rtol=1e-5, atol=1e-6)
        step(theta, g, state, t, eta=0.125)
        nesterov.step(expected, g, same, t, eta=0.125, beta=0.9)
    np.testing.assert_allclose(theta, expected, rtol=1e-5, atol=1e-6)
    assert theta.shape == shape and theta.dtype == dtype and state["m"].dtype == dtype


def test_a_member_of_another_surface_or_rule_does_not_get_this_ones_kernel():
    assert compiled(adam) is compiled(adam) and compiled(adam) is not compiled(momentum)
    start = np.array([1.0, 2.0])
    ends = [compiled(momentum).sweep(surface, start, 3, eta=0.01) for surface in (objectives.ravine, objectives.saddle)]
    assert np.abs(ends[0] - ends[1]).max() > 0.1


def test_a_changed_stage_changes_the_kernel():
    changed = adam.but("Changed", n=lambda beta2, n, g: beta2 * n + (1 - beta2) * g**4)
    theta = [np.array([1.0]), np.array([1.0])]
    for array, rule in zip(theta, (adam, changed), strict=True):
        compiled(rule)(array, np.array([2.0]), rule.init(array), 1, eta=0.1)
    assert theta[0] == pytest.approx([0.9]) and theta[1] == pytest.approx([0.95])


def test_no_formula_of_the_kernel_is_typed():
    assert "fixed_0*g_i + fixed_1*m_i" in compiled(adam).source
    rule = Rule("Mean", m=lambda m, g: (m + g) / 2, dtheta=lambda eta, m: -eta * m)
    theta, state = np.array([0.0]), {"m": np.array([3.0])}
    compiled(rule)(theta, np.array([1.0]), state, 1, eta=1.0)
    assert state["m"] == [2.0] and theta == [-2.0]


def test_larger_of_two_is_numpys_also_for_nan():
    rule = CATALOGUE["amsgrad"]
    theta = np.array([1.0, 1.0, 1.0])
    state = rule.init(theta) | {"n_max": np.array([np.nan, 0.0, 5.0])}
    compiled(rule)(theta, np.array([1.0, np.nan, 1.0]), state, 1)
    assert np.isnan(state["n_max"]).tolist() == [True, True, False] and state["n_max"][2] == 5


# --- sweeps ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["nesterov", "adadelta", "nadam", "nadam_schedule"])
def test_a_sweep_ends_where_minimize_ends(name):
    members = 300 if name == "nesterov" else 131  # only the first is enough for threads
    rule, start = RULES[name], np.array([-1.2, 1.0])
    varied = {
        "eta": np.geomspace(1e-5, 1e-3, members),
        "beta1": np.linspace(0.5, 0.95, members),
        "gamma": np.linspace(0.5, 0.95, members),
    }
    hyper = numbers(rule, np.float64) | {key: varied[key] for key in rule.hyper if key in varied}
    ends = compiled(rule).sweep(objectives.rosenbrock, start, 100, **hyper)
    columns = {key: value[:, np.newaxis] if np.ndim(value) else value for key, value in hyper.items()}
    path = minimize(rule, objectives.rosenbrock.gradient, np.tile(start, (members, 1)), 100, every=100, **columns)
    assert not path.diverged.any()
    np.testing.assert_allclose(ends, path.theta[-1], rtol=1e-9)
    assert np.abs(ends - start).max() > 1e-3


@pytest.mark.parametrize(
    "surface", [objectives.beale, objectives.saddle, objectives.tilted_double_well], ids=lambda s: s.name
)
@EVERY_DTYPE
def test_a_sweep_on_other_surfaces(surface, dtype):
    start = np.full(surface.dimension, 0.75, dtype)
    ends = compiled(gradient_descent).sweep(surface, start, 20, eta=0.01)
    path = minimize(gradient_descent, surface.gradient, start, 20, eta=0.01)
    assert ends.dtype == dtype and ends.shape == (1, surface.dimension)
    np.testing.assert_allclose(ends[0], path.theta[-1], rtol=20 * np.finfo(dtype).eps * 20)


def test_a_sweep_knows_the_functions_of_mathematics():
    x, y = sp.symbols("x y", real=True)
    bumps = Objective("bumps", sp.exp(-(x**2)) + sp.sin(y) ** 2 + sp.log(sp.cosh(x)) + sp.Abs(y), [x, y])
    start = np.array([0.5, 0.7])
    ends = compiled(gradient_descent).sweep(bumps, start, 5, eta=0.1)
    path = minimize(gradient_descent, bumps.gradient, start, 5, eta=0.1)
    np.testing.assert_allclose(ends[0], path.theta[-1], rtol=1e-13)


def test_a_step_may_be_the_same_for_all_coordinates():
    theta, down = np.ones(2), Rule("Down", dtheta=lambda eta: -eta)
    compiled(down)(theta, np.ones(2), {}, 1, eta=0.25)
    assert (theta == 0.75).all()


def test_members_may_start_apart_and_diverge_alone():
    starts = np.array([[1.0, 1.0], [2.0, -1.0], [3.0, 3.0]])
    ends = compiled(gradient_descent).sweep(objectives.ravine, starts, 2_000, eta=np.array([0.01, 0.019, 1.0]))
    assert np.isfinite(ends).all(axis=1).tolist() == [True, True, False] and np.abs(ends[:2]).max() < 1e-6
    assert np.array_equal(compiled(gradient_descent).sweep(objectives.ravine, starts, 0, eta=0.1), starts)


# --- bad input ------------------------------------------------------------------------------------------------------
def call(theta=None, g=None, state=None, t=1, **hyper):
    theta = np.ones(3) if theta is None else theta
    g = np.ones(3) if g is None else g
    compiled(momentum)(theta, g, {"m": np.zeros(3)} if state is None else state, t, **({"eta": 0.1} | hyper))


read_only = np.ones(3)
read_only.flags.writeable = False


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (TypeError, "theta must be a NumPy array of float64 or float32", {"theta": [1.0, 2.0, 3.0]}),
        (TypeError, "theta must be a NumPy array of float64 or float32", {"theta": np.ones(3, int)}),
        (ValueError, r"g must have the shape \(3,\) .*got \(2,\)", {"g": np.ones(2)}),
        (ValueError, "g must have .*dtype float64 of theta, got .*float32", {"g": np.ones(3, np.float32)}),
        (ValueError, r"g must have the shape \(3,\)", {"g": np.ones((3, 1))}),
        (ValueError, "g must be contiguous", {"g": np.ones(6)[::2]}),
        (ValueError, "theta must be contiguous and writeable", {"theta": read_only}),
        (ValueError, r"state must hold \['m'\], got \[\]", {"state": {}}),
        (ValueError, r"m must have the shape \(3,\)", {"state": {"m": np.zeros(4)}}),
        (ValueError, r"t must be in \[1, inf\), got 0", {"t": 0}),
        (ValueError, r"eta must be in \[0, inf\), got -0.1", {"eta": -0.1}),
        (ValueError, r"beta must be in \[0, 1\), got 1", {"beta": 1.0}),
        (ValueError, r"eta must be in \[0, inf\), got nan", {"eta": np.nan}),
        (TypeError, "eta must be a number, got an array of shape", {"eta": np.ones(3)}),
        (TypeError, "has the hyper-parameters .* got .*'gamma'", {"gamma": 0.9}),
    ],
)
def test_bad_input_of_a_step(error, message, arguments):
    with pytest.raises(error, match=message):
        call(**arguments)


def test_an_array_is_refused_also_after_a_number():
    call(eta=0.5)
    with pytest.raises(TypeError, match="eta must be a number, got an array of shape"):
        call(eta=np.ones(3))


def test_a_rate_must_be_chosen_and_is_checked_again_when_it_changes():
    with pytest.raises(TypeError, match="Momentum needs eta"):
        compiled(momentum)(np.ones(1), np.ones(1), {"m": np.zeros(1)}, 1)
    theta = np.ones(3)
    call(theta, eta=0.5)
    call(theta, eta=0.25)
    assert theta == pytest.approx(0.25)
    with pytest.raises(ValueError, match="eta"):
        call(theta, eta=-0.25)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (TypeError, "objective must be an Objective", {"objective": None}),
        (ValueError, r"start must have the shape \(…, 2\)", {"start": np.ones(3)}),
        (ValueError, "start must be finite", {"start": [np.nan, 1.0]}),
        (ValueError, r"steps must be", {"steps": -1}),
        (ValueError, "must agree on the number of members", {"start": np.ones((4, 2)), "eta": np.ones(3)}),
        (ValueError, r"eta must be a number or have the shape \(C,\)", {"eta": np.ones((3, 1))}),
        (ValueError, r"eta must be in \[0, inf\), got -1", {"eta": np.array([0.1, -1.0])}),
    ],
)
def test_bad_input_of_a_sweep(error, message, arguments):
    arguments = {"objective": objectives.ravine, "start": [1.0, 1.0], "steps": 3, "eta": 0.1} | arguments
    with pytest.raises(error, match=message):
        compiled(momentum).sweep(**arguments)


def test_the_point_may_be_written_into_an_array_that_is_there():
    theta, out = np.array([1.0, 2.0]), np.zeros(2)
    found = compiled(nesterov).point(theta, {"m": np.array([1.0, -1.0])}, 1, out=out, eta=0.1, beta=0.5)
    assert found is out and out.tolist() == [1.5, 1.5]
    with pytest.raises(ValueError, match=r"g must have the shape \(2,\)"):
        compiled(nesterov).point(theta, {"m": np.zeros(2)}, 1, out=np.zeros(3), eta=0.1)


def test_a_state_cannot_take_a_name_of_the_loop():
    rule = Rule("Sizes", size=lambda size, g: size + g, dtheta=lambda eta, size: -eta * size)
    with pytest.raises(ValueError, match=r"Sizes: \['size'\] are names of the loop itself"):
        compiled(rule)


def test_only_rules_are_compiled():
    with pytest.raises(TypeError, match="rule must be a Rule"):
        compiled("adam")


def test_without_numba_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match=r'pip install -e "\.\[fast\]"'):
        compiled(adam)
