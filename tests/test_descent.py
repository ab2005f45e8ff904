"""The loop: shapes, records, batches of runs, schedules, mini-batches, and what it refuses."""

from itertools import chain

import numpy as np
import pytest
from dlnotes import CATALOGUE, Rule, gradient_descent, minibatches, minimize
from dlnotes.objectives import quadratic_bowl, rosenbrock
from dlnotes.rules import BLOCK
from example_rules import corrected, late, look_ahead, running_sum

bowl = quadratic_bowl(10)


def test_the_path_on_a_quadratic_is_known_in_closed_form():
    run = minimize(gradient_descent, bowl.gradient, [1.0, 1.0], 20, value=bowl.value, eta=0.15)
    expected = np.array([1 - 0.15, 1 - 1.5]) ** np.arange(21)[:, None]
    np.testing.assert_allclose(run.theta, expected, rtol=1e-13)
    np.testing.assert_allclose(run.values, bowl.value(expected), rtol=1e-12)
    np.testing.assert_allclose(run.gradient_norms, np.linalg.norm(bowl.gradient(expected[:-1]), axis=-1), rtol=1e-12)
    np.testing.assert_array_equal(run.evaluations, np.arange(21))
    np.testing.assert_array_equal(run.steps, np.arange(21))
    assert run.diverged.shape == () and not run.diverged


def test_records_every_few_steps_are_those_of_the_full_path():
    full = minimize(gradient_descent, bowl.gradient, [1.0, 1.0], 12, value=bowl.value, eta=0.1)
    thin = minimize(gradient_descent, bowl.gradient, [1.0, 1.0], 12, value=bowl.value, every=4, eta=0.1)
    np.testing.assert_array_equal(thin.theta, full.theta[::4])
    np.testing.assert_array_equal(thin.values, full.values[::4])
    np.testing.assert_array_equal(thin.gradient_norms, full.gradient_norms[::4])
    np.testing.assert_array_equal(thin.evaluations, [0, 4, 8, 12])
    np.testing.assert_array_equal(thin.steps, [0, 4, 8, 12])


def test_no_steps_is_the_start_alone():
    run = minimize(gradient_descent, bowl.gradient, [1.0, 2.0], 0, eta=0.1)
    np.testing.assert_array_equal(run.theta, [[1.0, 2.0]])
    assert run.gradient_norms.shape == (0,) and run.values is None


def test_a_scalar_start_and_integers_work():
    run = minimize(gradient_descent, lambda x: 2 * x, 4, 3, value=lambda x: x**2, eta=0.25)
    np.testing.assert_array_equal(run.theta, [4.0, 2.0, 1.0, 0.5])
    np.testing.assert_array_equal(run.values, [16.0, 4.0, 1.0, 0.25])
    np.testing.assert_array_equal(run.gradient_norms, [8.0, 4.0, 2.0])


def test_float32_stays_float32():
    start, seen = np.ones(2, dtype=np.float32), []
    for eta in (0.1, np.array([0.1, 0.2]), lambda t: 0.1 / t):
        run = minimize(running_sum, lambda theta: seen.append(theta.dtype) or np.ones(2), start, 3, eta=eta, eps=0.0)
        assert run.theta.dtype == np.float32
    assert set(seen) == {np.dtype(np.float32)}


def test_the_start_is_not_written_to_and_the_path_belongs_to_the_rule():
    start = np.ones(2)
    run = minimize(gradient_descent, bowl.gradient, start, 3, eta=0.1)
    np.testing.assert_array_equal(start, [1.0, 1.0])
    start[0] = 7.0
    assert run.theta[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        minimize(gradient_descent, lambda x: np.multiply(x, 2, out=x), start, 3, eta=0.1)
    with pytest.raises(ValueError, match="read-only"):
        minimize(gradient_descent, bowl.gradient, start, 3, eta=0.1, value=lambda x: x.fill(0) or 1.0)
    assert start.flags.writeable
    run = minimize(gradient_descent, lambda x: np.add(start, 1, out=start) * 0, start, 1, eta=0.1)
    np.testing.assert_array_equal(run.theta[1], [7.0, 1.0])


def test_a_rule_with_state_meets_a_loop_written_by_hand():
    """Start values, defaults of the rule, the step number and the late read are those of the textbook."""
    theta, n = 1.5, 0.1
    for t in range(1, 6):
        g = theta**3 - 2.0
        n = 0.7 * n + 0.3 * g**2
        theta -= 0.05 / np.sqrt(n / (1 - 0.7**t) + 1e-8) * g
    run = minimize(corrected, lambda x: x**3 - 2.0, [1.5], 5, eta=0.05)
    np.testing.assert_allclose(run.theta[-1], theta, rtol=1e-13)
    theta, mean = 1.5, 0.0
    for _ in range(4):
        step = -(mean + 1) * 0.1 * theta
        theta, mean = theta + step, 0.6 * mean + 0.4 * step**2
    run = minimize(late, lambda x: 0.1 * x, [1.5], 4, gamma=0.6)
    np.testing.assert_allclose(run.theta[-1], theta, rtol=1e-13)


def test_the_look_ahead_point_is_that_of_its_step():
    drift = Rule("drift", at=lambda theta, eta, t: theta + eta + 10 * t, dtheta=lambda eta, g: -eta * g)
    seen = []
    minimize(drift, lambda x: seen.append(x[0]) or x * 0, [0.0], 3, eta=lambda t: float(t))
    assert seen == [11.0, 22.0, 33.0]


def test_stages_and_gradient_see_the_dtype_of_the_start():
    seen = []
    wide = Rule("wide", at=lambda theta: theta.astype(float), dtheta=lambda g: seen.append(g.dtype) or -g)
    minimize(wide, lambda x: seen.append(x.dtype) or np.ones(2), np.ones(2, np.float32), 1)
    assert seen == [np.float32, np.float32]


def test_a_batch_is_as_many_single_runs():
    rates = np.array([[0.01], [0.05], [0.19]])
    batch = minimize(gradient_descent, bowl.gradient, np.ones((3, 2)), 30, value=bowl.value, eta=rates)
    for i, rate in enumerate(rates[:, 0]):
        single = minimize(gradient_descent, bowl.gradient, np.ones(2), 30, value=bowl.value, eta=rate)
        np.testing.assert_array_equal(batch.theta[:, i], single.theta)
        np.testing.assert_array_equal(batch.values[:, i], single.values)
        np.testing.assert_array_equal(batch.gradient_norms[:, i], single.gradient_norms)


def test_each_coordinate_may_have_its_own_rate():
    run = minimize(gradient_descent, lambda x: np.ones(2), [0.0, 0.0], 1, eta=np.array([0.5, 0.0]))
    np.testing.assert_array_equal(run.theta[-1], [-0.5, 0.0])


def test_a_diverging_member_freezes_and_is_marked_and_the_others_go_on():
    rates = np.array([[1e-4], [1.0]])
    start = np.array([[-1.0, 2.0], [-1.0, 2.0]])
    run = minimize(running_sum.but("plain", dtheta=lambda eta, n, eps, g: -eta * g + 0 * (n + eps)),
                   rosenbrock.gradient, start, 50, eta=rates)  # fmt: skip
    alone = minimize(gradient_descent, rosenbrock.gradient, start[0], 50, eta=1e-4)
    np.testing.assert_array_equal(run.diverged, [False, True])
    np.testing.assert_allclose(run.theta[:, 0], alone.theta, rtol=1e-12)
    assert np.isfinite(run.theta).all()
    np.testing.assert_array_equal(run.theta[-1, 1], run.theta[-2, 1])


def test_each_way_to_leave_the_finite_numbers_freezes_the_member_alone():
    start = np.ones((3, 2))
    huge = np.array([[1.0], [1e200], [1.0]])
    run = minimize(running_sum, lambda x: huge * x, start, 4, eta=0.1)  # the state overflows, the step does not
    np.testing.assert_array_equal(run.diverged, [False, True, False])
    np.testing.assert_array_equal(run.theta[:, 1], 1.0)
    assert run.gradient_norms[0, 1] == pytest.approx(np.sqrt(2) * 1e200)
    calls = iter(range(99))
    not_a_number = np.array([[1.0], [1.0], [np.nan]])
    run = minimize(
        corrected, lambda x: x * (not_a_number if next(calls) == 1 else 1), start, 4, eta=np.full((3, 1), 0.01)
    )  # a NaN in one step only: the member stays frozen afterwards
    np.testing.assert_array_equal(run.diverged, [False, False, True])
    assert (run.theta[1:, 2] == run.theta[1, 2]).all() and (run.theta[1:, 0] != run.theta[:-1, 0]).all()
    heights = np.array([1.0, np.nan, np.inf])
    run = minimize(gradient_descent, bowl.gradient, start, 2, value=lambda x: heights, eta=0.01)
    np.testing.assert_array_equal(run.diverged, [False, True, True])
    far = Rule("far", at=lambda theta, eta: theta * eta, dtheta=lambda g: -g)
    run = minimize(far, bowl.gradient, 1e200 * start, 1, eta=np.array([[0.1], [1e300], [0.1]]))
    np.testing.assert_array_equal(run.diverged, [False, True, False])


def test_a_projection_does_not_hide_a_divergence():
    rates = np.array([[0.1], [1e308]])
    run = minimize(gradient_descent, lambda x: 1e3 * np.ones_like(x), np.zeros((2, 1)), 3,
                   project=lambda x: np.clip(x, -5, 5), eta=rates)  # fmt: skip
    np.testing.assert_array_equal(run.diverged, [False, True])
    np.testing.assert_array_equal(run.theta[:, 1, 0], 0.0)
    run = minimize(gradient_descent, lambda x: 1e3 + x, np.zeros((2, 1)), 3, project=lambda x: x, eta=rates)
    np.testing.assert_array_equal(run.diverged, [False, True])
    with pytest.raises(ValueError, match="theta must be finite, got -inf in step 1"):
        minimize(gradient_descent, lambda x: 1e3 + x, [0.0], 3, project=lambda x: np.clip(x, -5, 5), eta=1e308)


def test_a_single_run_that_diverges_raises():
    with pytest.raises(ValueError, match=r"(gradient|theta) must be finite, got .* at coordinate \d in step \d+"):
        minimize(gradient_descent, rosenbrock.gradient, [-1.0, 2.0], 50, eta=1.0)


def test_a_schedule_is_called_once_for_each_t_from_one():
    asked = []
    run = minimize(gradient_descent, lambda x: np.ones(1), [0.0], 3, eta=lambda t: asked.append(t) or 1 / t)
    assert asked == [1, 2, 3]
    np.testing.assert_allclose(run.theta[:, 0], [0, -1, -1.5, -1 - 1 / 2 - 1 / 3])


def test_the_gradient_is_taken_at_the_look_ahead_point():
    seen = []
    run = minimize(look_ahead, lambda x: seen.append(x.copy()) or x, [1.0], 2, eta=0.5, beta=0.5)
    np.testing.assert_array_equal(np.concatenate(seen), [1.0, 0.5 + 0.5 * -0.5])
    np.testing.assert_array_equal(run.theta[:, 0], [1.0, 0.5, 0.5 + 0.5 * -0.5 - 0.5 * 0.25])


def test_project_maps_each_step_back():
    run = minimize(gradient_descent, lambda x: x * 0 + 1, [0.0], 5, project=lambda x: np.maximum(x, -0.25), eta=0.1)
    np.testing.assert_allclose(run.theta[:, 0], [0, -0.1, -0.2, -0.25, -0.25, -0.25])


def bad(**changes):
    arguments = dict(rule=gradient_descent, gradient=bowl.gradient, start=[1.0, 1.0], steps=3, eta=0.1)
    return {**arguments, **changes}


@pytest.mark.parametrize(
    ("message", "arguments"),
    {
        r"eta must be in \[0, inf\), got -0.1": bad(eta=-0.1),
        r"eta must be in \[0, inf\), got nan": bad(eta=np.nan),
        r"eta must be in \[0, inf\), got -1.0": bad(eta=lambda t: 2.0 - t),
        r"eta must be in \[0, inf\), got -2.0": bad(eta=np.array([0.1, -2.0])),
        r"beta must be in \[0, 1\), got 1.0": bad(rule=look_ahead, beta=1.0),
        r"eta must broadcast to the shape \(2,\) of start, got shape \(3,\)": bad(eta=np.full(3, 0.1)),
        r"eta must broadcast to the shape \(2,\) of start, got shape \(4, 1\)": bad(eta=np.full((4, 1), 0.1)),
        r"start must be finite, got nan at index \(1,\)": bad(start=[1.0, np.nan]),
        "start must not be empty": bad(start=[]),
        "steps must be at least 0, got -1": bad(steps=-1),
        "every must divide steps = 3, got 2": bad(every=2),
        r"gradient must return the shape \(2,\), got \(1,\)": bad(gradient=lambda x: x[:1]),
        r"gradient must return the shape \(2,\), got \(\)": bad(gradient=lambda x: 1.0),
        "gradient must return a rectangular array": bad(gradient=lambda x: [1.0, [2.0]]),
        r"stage 'dtheta' must have the shape \(2,\) of start, got \(\)": bad(
            rule=Rule("summed", dtheta=lambda eta, g: -eta * g.sum())
        ),
        r"stage 'n' must have the shape \(2,\) of start, got \(\)": bad(
            rule=running_sum.but("mixed", n=lambda n, g: (n + g**2).sum())
        ),
        r"stage 'at' must return the shape \(2,\), got \(1,\)": bad(
            rule=Rule("part", at=lambda theta: theta[:1], dtheta=lambda eta, g: -eta * g)
        ),
        "n must be finite, got inf at coordinate 0 in step 1": bad(rule=running_sum, gradient=lambda x: 1e200 * x),
        "the gradient must be finite, got nan at coordinate 1 in step 1": bad(gradient=lambda x: x * [1, np.nan]),
        "the gradient must be finite, got inf at coordinate 0 in step 1": bad(gradient=lambda x: x * [np.inf, 1]),
        r"value must return the shape \(\), got \(2,\)": bad(value=lambda x: x),
        "value must be finite, got inf in step 0": bad(value=lambda x: np.inf),
        r"project\(theta\) must have shape \(2,\), got \(1,\)": bad(project=lambda x: x[:1]),
    }.items(),
)
def test_minimize_refuses_bad_values(message, arguments):
    with pytest.raises(ValueError, match=message):
        minimize(**arguments)


@pytest.mark.parametrize(
    ("message", "arguments"),
    {
        "rule must be a Rule, got 'adam'": bad(rule="adam"),
        r"Gradient descent needs eta \(learning rate": {k: v for k, v in bad().items() if k != "eta"},
        r"has the hyper-parameters \['eta'\], got also \['lr'\]": bad(lr=0.1),
        "eta must be a real number, an array or a function of t, got '0.1'": bad(eta="0.1"),
        "start must hold real numbers, got dtype complex128": bad(start=[1j, 1.0]),
        "steps must be a whole number, got 2.5": bad(steps=2.5),
        "gradient must return real numbers, got dtype complex128": bad(gradient=lambda x: x * 1j),
        "value must return real numbers, got dtype <U1": bad(value=lambda x: "3"),
        "gradient must be callable, got 3": bad(gradient=3),
        "gradient must be callable, got None": bad(gradient=None),
        "value must be callable, got 3": bad(value=3),
        "project must be callable, got 3": bad(project=3),
    }.items(),
)
def test_minimize_refuses_bad_types(message, arguments):
    with pytest.raises(TypeError, match=message):
        minimize(**arguments)


def test_bad_arguments_are_refused_before_the_gradient_is_called():
    def explode(theta):
        raise AssertionError("the gradient was called")

    with pytest.raises(ValueError, match="eta"):
        minimize(gradient_descent, explode, [1.0], 3, eta=lambda t: 1.0 if t < 3 else -1.0)


# --- mini-batches ------------------------------------------------------------------------------------------


def mean_gradient(theta, x):
    return theta - x.mean(axis=0)


def batches_of(**options):
    """The examples in each batch of the first two epochs."""
    seen = []
    gradient = minibatches(lambda theta, x: seen.append(sorted(x[:, 0])) or theta, np.arange(10.0)[:, None], **options)
    for _ in range(2 * gradient.updates_per_epoch):
        gradient(np.zeros(1))
    return gradient, seen


def test_an_epoch_sees_every_example_once_in_a_new_order():
    gradient, seen = batches_of(batch_size=4, rng=np.random.default_rng(0))
    assert gradient.updates_per_epoch == 3 and [len(b) for b in seen] == [4, 4, 2, 4, 4, 2]
    assert sorted(chain(*seen[:3])) == sorted(chain(*seen[3:])) == list(range(10))
    assert seen[:3] != seen[3:] and gradient.evaluations == 20


def test_replacement_draws_repeat_examples():
    gradient, seen = batches_of(batch_size=10, rng=np.random.default_rng(0), replace=True)
    assert [len(b) for b in seen] == [10, 10] and len(set(seen[0])) < 10 and gradient.evaluations == 20


def test_the_same_seed_gives_the_same_batches():
    assert (
        batches_of(batch_size=3, rng=np.random.default_rng(5))[1]
        == batches_of(batch_size=3, rng=np.random.default_rng(5))[1]
    )


def test_minimize_counts_the_examples_looked_at():
    gradient = minibatches(mean_gradient, np.ones((10, 2)), batch_size=4, rng=np.random.default_rng(0))
    run = minimize(gradient_descent, gradient, [0.0, 0.0], 6, every=3, eta=0.5)
    np.testing.assert_array_equal(run.evaluations, [0, 10, 20])
    again = minimize(gradient_descent, gradient, [0.0, 0.0], 3, every=3, eta=0.5)
    np.testing.assert_array_equal(again.evaluations, [0, 10])


def test_the_full_batch_is_the_full_gradient():
    x = np.random.default_rng(0).normal(size=(50, 2))
    gradient = minibatches(mean_gradient, x, batch_size=50, rng=np.random.default_rng(1))
    np.testing.assert_allclose(gradient(np.zeros(2)), -x.mean(axis=0), rtol=1e-12)


def test_labels_keep_their_type():
    kinds = []
    data = np.zeros((4, 2)), np.arange(4)
    gradient = minibatches(
        lambda theta, x, y: kinds.append(y.dtype.kind) or theta, *data, batch_size=2, rng=np.random.default_rng(0)
    )
    gradient(np.zeros(2))
    assert kinds == ["i"]


@pytest.mark.parametrize(
    ("error", "message", "changes"),
    [
        (ValueError, "batch_size must be between 1 and 10, got 0", dict(batch_size=0)),
        (ValueError, "batch_size must be between 1 and 10, got 11", dict(batch_size=11)),
        (TypeError, "batch_size must be a whole number, got 2.0", dict(batch_size=2.0)),
        (TypeError, "rng must be a numpy.random.Generator", dict(rng=0)),
        (TypeError, "gradient must be callable, got None", dict(gradient=None)),
        (TypeError, "replace must be True or False, got 'no'", dict(replace="no")),
        (ValueError, r"got lengths \[10, 9\]", dict(data=(np.zeros(10), np.zeros(9)))),
        (ValueError, r"data\[0\] must not be empty", dict(data=(np.zeros((0, 2)),))),
        (ValueError, "data must hold at least one array", dict(data=())),
        (ValueError, r"data\[0\] must be finite, got nan at index \(0, 0\)", dict(data=(np.full((10, 1), np.nan),))),
    ],
)
def test_minibatches_refuses_bad_input(error, message, changes):
    arguments = dict(gradient=mean_gradient, data=(np.zeros((10, 2)),), batch_size=4, rng=np.random.default_rng(0))
    arguments |= changes
    with pytest.raises(error, match=message):
        minibatches(arguments.pop("gradient"), *arguments.pop("data"), **arguments)


def test_rules_with_arrays_of_decay_run_a_whole_sweep():
    momentum = Rule("momentum", m=look_ahead.stages["m"], dtheta=lambda m: m)
    beta = np.array([[0.0], [0.5], [0.9]])
    run = minimize(momentum, bowl.gradient, np.ones((3, 2)), 10, beta=beta, eta=0.05)
    plain = minimize(gradient_descent, bowl.gradient, np.ones(2), 10, eta=0.05)
    np.testing.assert_allclose(run.theta[:, 0], plain.theta, rtol=1e-14)
    assert not np.allclose(run.theta[:, 1], run.theta[:, 2])


@pytest.mark.parametrize("name", CATALOGUE)
def test_large_arrays_go_through_blocks_to_the_same_bits(name):
    rule, start = CATALOGUE[name], np.random.default_rng(0).normal(size=(3, BLOCK))
    hyper = {h: 0.01 for h in rule.hyper if rule.default(h) is None}
    whole = minimize(rule, np.cos, start, 4, **hyper)
    rows = [minimize(rule, np.cos, row, 4, **hyper) for row in start]
    np.testing.assert_array_equal(whole.theta, np.stack([row.theta for row in rows], axis=1))
    assert not np.array_equal(whole.theta[0], whole.theta[-1])
