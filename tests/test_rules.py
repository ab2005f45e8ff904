"""A rule is its stages: what it accepts, what it refuses, and what `but` changes."""

import numpy as np
import pytest
import sympy as sp
from dlnotes import CATALOGUE, Rule, gradient_descent
from dlnotes.rules import HYPERPARAMETERS, maximum, sqrt
from example_rules import average, corrected, late, look_ahead, running_sum


def test_gradient_descent_is_one_step_against_the_gradient():
    step, state = gradient_descent(np.array([5.0]), np.array([2.0, -3.0]), {}, 1, eta=0.1)
    np.testing.assert_allclose(step, [-0.2, 0.3], rtol=1e-15)
    assert state == {} and gradient_descent.state == () and gradient_descent.hyper == ("eta",)


def test_a_stage_that_reads_its_own_name_is_state_and_starts_at_zero():
    assert running_sum.state == ("n",) and running_sum.hyper == ("eta", "eps")
    state = running_sum.init(np.ones(2))
    np.testing.assert_array_equal(state["n"], [0.0, 0.0])
    step, state = running_sum(0.0, 2.0, {"n": 5.0}, 1, eta=3.0, eps=0.0)
    assert (step, state) == (-2.0, {"n": 9.0})


def test_state_starts_where_start_says_and_keeps_the_dtype():
    warm = Rule("warm", start={"n": 0.1}, **running_sum.stages)
    state = warm.init(np.ones(3, dtype=np.float32))
    assert state["n"].dtype == np.float32
    np.testing.assert_array_equal(state["n"], np.full(3, 0.1, dtype=np.float32))


def test_previous_reads_the_last_value():
    step, state = late(0.0, 2.0, {"V": 3.0}, 1, gamma=0.5)
    assert step == -8.0 and state == {"V": 0.5 * 3 + 0.5 * 64}
    last = Rule("last gradient", previous=("last",), dtheta=lambda last, g: last - 2 * g, last=lambda g: g)
    assert last.state == ("last",) and last(0.0, 2.0, {"last": 3.0}, 1) == (-1.0, {"last": 2.0})


def test_the_gradient_is_taken_where_at_says():
    assert look_ahead.point(1.0, {"m": 2.0}, 1, beta=0.5, eta=0.1) == 2.0
    assert gradient_descent.point(1.0, {}, 1, eta=0.1) == 1.0


def test_but_replaces_in_place_and_keeps_the_rest():
    assert list(average.stages) == list(running_sum.stages)
    assert average.stages["dtheta"] is running_sum.stages["dtheta"]
    assert average.hyper == ("beta", "eta", "eps")
    step, state = average(0.0, 2.0, {"n": 8.0}, 1, beta=0.5, eta=1.0, eps=3.0)
    assert state == {"n": 6.0} and step == pytest.approx(-2 / 3)


def test_but_puts_a_new_stage_before_its_first_reader():
    capped = running_sum.but(
        "capped", u=lambda u, n: maximum(u, n), dtheta=lambda eta, u, eps, g: -eta / sqrt(u + eps) * g
    )
    assert list(capped.stages) == ["n", "u", "dtheta"]
    step, _ = capped(0.0, 2.0, {"n": 0.0, "u": 0.0}, 1, eta=1.0, eps=0.0)
    assert step == -1.0  # appended at the end, u would still be 0 here and the step infinite


def test_but_orders_several_new_stages_by_their_readers():
    chained = running_sum.but("chained", a=lambda n: 2 * n, b=lambda a: 3 * a, dtheta=lambda b, g: -b * g)
    assert list(chained.stages) == ["n", "a", "b", "dtheta"]
    assert chained(0.0, 1.0, {"n": 0.0}, 1)[0] == -6.0


def test_but_places_new_stages_whatever_the_order_they_are_typed_in():
    typed = running_sum.but("chained", b=lambda a: 3 * a, a=lambda n: 2 * n, dtheta=lambda b, g: -b * g)
    assert list(typed.stages) == ["n", "a", "b", "dtheta"]


def test_but_keeps_the_order_of_new_stages_that_do_not_need_each_other():
    rule = gradient_descent.but("three", b=lambda g: g, a=lambda g: g, c=lambda g: g, dtheta=lambda a, b, c: -a - b - c)
    assert list(rule.stages) == ["b", "a", "c", "dtheta"]


def test_but_puts_a_stage_that_is_read_late_last():
    delta = average.but(
        "delta", previous=("V",), V=late.stages["V"], dtheta=lambda V, n, eps, g: -sqrt((V + eps) / n) * g
    )
    assert list(delta.stages) == ["n", "dtheta", "V"] and delta.state == ("n", "V")


def test_but_takes_over_start_previous_and_defaults():
    again = corrected.but("again", defaults={"eps": 0.5})
    assert again.start == {"n": 0.1} and again.defaults == {"beta": 0.7, "eps": 0.5}
    assert again.default("beta") == 0.7 and again.default("eta") is None
    assert late.but("later", dtheta=lambda V, g: -V * g).previous == ("V",)
    assert gradient_descent.but("sourced", source="a book").source == "a book"


def test_the_usual_defaults():
    defaults = {name: entry.default for name, entry in HYPERPARAMETERS.items()}
    assert defaults == dict(eta=None, beta=0.9, beta1=0.9, beta2=0.999, gamma=0.9, eps=1e-8, lam=0.01)


def test_but_may_move_the_point_of_the_gradient():
    moved = look_ahead.but("half", at=lambda theta, beta, m: theta + beta * m / 2)
    assert moved.point(1.0, {"m": 4.0}, 1, beta=0.5, eta=1.0) == 2.0
    added = Rule("heavy ball", m=look_ahead.stages["m"], dtheta=lambda m: m).but("nesterov", at=look_ahead.stages["at"])
    assert list(added.stages) == ["at", "m", "dtheta"]


@pytest.mark.parametrize(
    ("message", "arguments"),
    {
        "needs a stage 'dtheta'": dict(n=lambda n, g: n + g),
        r"reads unknown names \['at'\]": dict(dtheta=lambda at, g: -at * g),
        r"'dtheta' reads unknown names \['at'\]": dict(at=lambda theta: theta, dtheta=lambda at, g: -at * g),
        r"reads unknown names \['etta'\]": dict(dtheta=lambda etta, g: -etta * g),
        "reads 'V' before it is computed": dict(
            dtheta=lambda V, g: -V * g, V=lambda gamma, V, dtheta: gamma * V + dtheta**2
        ),
        "'eta' is an input or hyper-parameter": dict(eta=lambda t: 1 / t, dtheta=lambda eta, g: -eta * g),
        "'theta' is an input": dict(theta=lambda g: g, dtheta=lambda g: -g),
        "'at' can't read it": dict(at=lambda theta, g: theta + g, dtheta=lambda g: -g),
        "'at' reads 'a', which is not state": dict(at=lambda theta, a: theta + a, a=lambda g: g, dtheta=lambda a: -a),
        r"\['k'\] not among its state": dict(start={"k": 1.0}, dtheta=lambda g: -g),
        r"previous names \['V'\] are not stages": dict(previous=("V",), dtheta=lambda g: -g),
        "no stage reads the stage 'n'": dict(n=lambda n, g: n + g, dtheta=lambda g: -g),
        r"start\['m'\] must be in \(-inf, inf\), got nan": dict(
            start={"m": np.nan}, m=lambda m, g: m + g, dtheta=lambda m: -m
        ),
        r"\['lam'\] not among its hyper-parameters": dict(defaults={"lam": 0.1}, dtheta=lambda g: -g),
        r"beta must be in \[0, 1\), got 1.5": dict(
            defaults={"beta": 1.5}, m=lambda beta, m, g: beta * m + g, dtheta=lambda m: -m
        ),
    }.items(),
)
def test_a_rule_that_cannot_be_read_is_refused(message, arguments):
    with pytest.raises(ValueError, match=message):
        Rule("broken", **arguments)


@pytest.mark.parametrize(
    "stage", [lambda *names: 0, lambda g=1: g, lambda *, g: g, lambda g, /: g, lambda **names: 0, 3.0, np.add, max]
)
def test_a_stage_takes_plain_names(stage):
    with pytest.raises(TypeError, match="broken: stage 'dtheta' must"):
        Rule("broken", dtheta=stage)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (r"start\['m'\] must be a real number, got 'a'", dict(start={"m": "a"})),
        ("previous must be a tuple of stage names, got 'm'", dict(previous="m")),
    ],
)
def test_wrong_types_beside_the_stages_are_refused(message, arguments):
    with pytest.raises(TypeError, match=message):
        Rule("broken", **arguments, m=lambda m, g: m + g, dtheta=lambda m: -m)


def test_start_and_its_like_are_given_by_name():
    stages = dict(m=lambda m, g: m + g, dtheta=lambda m: -m)
    with pytest.raises(TypeError, match="positional"):
        Rule("broken", {"m": 1.0}, **stages)
    with pytest.raises(TypeError, match="positional"):
        Rule("sum", **stages).but("broken", {"m": 1.0})


def test_a_rule_refuses_what_it_has_no_place_for():
    with pytest.raises(ValueError, match=r"hyperparameter must be one of \['eta'\], got 'foo'"):
        gradient_descent.default("foo")
    with pytest.raises(ValueError, match="theta must be finite"):
        running_sum.init([np.nan])
    assert running_sum.init([1, 2])["n"].dtype == float


def test_but_refuses_new_stages_that_read_each_other():
    with pytest.raises(ValueError, match=r"the new stages \['a', 'b'\] read each other"):
        running_sum.but("broken", a=lambda b: b, b=lambda a: a, dtheta=lambda a, n, g: a * n * g)


def test_but_refuses_a_stage_that_nothing_reads():
    with pytest.raises(ValueError, match="no stage reads the new stage 'u'"):
        gradient_descent.but("broken", u=lambda g: g)


@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_every_hyperparameter_has_a_range_that_holds_its_default(name):
    entry = HYPERPARAMETERS[name]
    assert entry.meaning and entry.tex
    for outside in (-1e-9, -1, np.nan, np.inf, *([1] if entry.high == 1 else [])):
        with pytest.raises(ValueError, match=rf"{name} must be in \[0, (1|inf)\), got"):
            entry.check(name, outside)
    for inside in (0, 0.5, *([] if entry.default is None else [entry.default])):
        assert entry.check(name, inside) == inside
    for wrong in ("0.1", None, True, [0.1, None]):
        with pytest.raises(TypeError, match=f"{name} must be"):
            entry.check(name, wrong)


@pytest.mark.parametrize("name", CATALOGUE)
def test_symbols_and_arrays_give_the_same_step(name):
    """The formula, evaluated with numbers by SymPy, is what the arrays compute."""
    rule, rng = CATALOGUE[name], np.random.default_rng(3)
    names = ["theta", "g", *rule.state, *rule.hyper]
    symbols = dict(zip(names, sp.symbols(names, positive=True), strict=True))
    t = 7
    hyper = {h: symbols[h] for h in rule.hyper}
    step, state = rule(symbols["theta"], symbols["g"], {s: symbols[s] for s in rule.state}, t, **hyper)
    numbers = {n: rng.uniform(0.1, 0.9, size=5) for n in names}
    got_step, got_state = rule(
        numbers["theta"], numbers["g"], {s: numbers[s] for s in rule.state}, t, **{h: numbers[h] for h in rule.hyper}
    )
    for formula, got in ((step, got_step), *((state[s], got_state[s]) for s in rule.state)):
        expected = [formula.evalf(30, subs={symbols[n]: numbers[n][i] for n in names}) for i in range(5)]
        np.testing.assert_allclose(got, np.array(expected, dtype=float), rtol=1e-14)


def test_sqrt_and_maximum_read_numbers_arrays_and_symbols():
    x, y = sp.symbols("x y", positive=True)
    assert sqrt(x) == sp.sqrt(x) and maximum(x, y) == sp.Max(x, y) == maximum(y, x)
    z = sp.Symbol("z", real=True)
    assert maximum(0, z) == maximum(z, 0) == sp.Max(0, z)
    assert sqrt(9.0) == 3.0 and maximum(2.0, 3.0) == 3.0
    np.testing.assert_array_equal(sqrt(np.array([4.0, 9.0])), [2.0, 3.0])
    np.testing.assert_array_equal(maximum(np.array([4.0, 9.0]), 5.0), [5.0, 9.0])


@pytest.mark.parametrize("early, late", [("a", "z"), ("z", "a"), ("m", "n")])
def test_a_later_stage_is_refused_whatever_the_names(early, late):
    stages = {early: eval(f"lambda {late}: {late}"), late: lambda g: g, "dtheta": eval(f"lambda {early}: -{early}")}
    with pytest.raises(ValueError, match=f"'{early}' reads '{late}' before it is computed"):
        Rule("circular", **stages)
    assert Rule("late", previous=(late,), **stages).state == (late,)


def test_but_refuses_a_new_stage_that_nothing_reads_whatever_its_name():
    for stage in ("a", "z"):
        with pytest.raises(ValueError, match=f"no stage reads the new stage '{stage}'"):
            running_sum.but("idle", **{stage: lambda g: g})


def test_a_hyperparameter_names_the_first_value_outside_and_stays_a_number():
    with pytest.raises(ValueError, match=r"^beta must be in \[0, 1\), got -1.0$"):
        HYPERPARAMETERS["beta"].check("beta", np.array([0.5, -1.0, 2.0]))
    assert type(HYPERPARAMETERS["beta"].check("beta", np.array(0.5))) is float
    with pytest.raises(AttributeError):
        HYPERPARAMETERS["beta"].default = 0.5


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("shape", [(), (3,), (2, 50_021)], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_step_in_place_is_the_call_bit_for_bit(name, shape, dtype):
    rule, rng = CATALOGUE[name], np.random.default_rng(0)
    hyper = {h: 0.01 if rule.default(h) is None else rule.default(h) for h in rule.hyper}
    theta = np.asarray(rng.normal(size=shape), dtype)
    state = rule.init(theta)
    for t in (1, 2, 3):
        g = np.asarray(rng.normal(size=shape), dtype)
        dtheta, after = rule(theta, g, {s: array.copy() for s, array in state.items()}, t, **hyper)
        expected = theta + dtheta
        rule.step(theta, g, state, t, **hyper)
        np.testing.assert_array_equal(theta, expected)
        for s in rule.state:
            np.testing.assert_array_equal(state[s], after[s])


def test_a_step_in_place_takes_arrays_of_hyperparameters_and_strided_arrays():
    theta, eta = np.ones((3, 40_000)), np.array([[0.1], [0.2], [0.3]])
    gradient_descent.step(theta, np.ones_like(theta), {}, 1, eta=eta)
    np.testing.assert_allclose(theta, np.broadcast_to(1 - eta, theta.shape))
    wide = np.ones((40_000, 2))
    gradient_descent.step(wide[:, 0], np.full(40_000, 2.0), {}, 1, eta=0.5)
    assert (wide[:, 0] == 0).all() and (wide[:, 1] == 1).all()


def test_a_step_in_place_writes_over_nothing_that_is_still_needed():
    stages = dict(dtheta=lambda theta, last, g: theta - last - g, last=lambda theta: theta)
    before = Rule("before", previous=("last",), **stages)
    theta, state = np.array([1.0]), {"last": np.array([0.5])}
    before.step(theta, np.array([2.0]), state, 1)
    assert theta == [-0.5] and state["last"] == [1.0]
    late_step = Rule("late step", previous=("V",), dtheta=lambda V: V, V=lambda g: g)
    theta, state = np.array([1.0]), {"V": np.array([0.5])}
    late_step.step(theta, np.array([2.0]), state, 1)
    assert theta == [1.5] and state["V"] == [2.0]
