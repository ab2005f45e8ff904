"""Networks: back-propagation against differences, formulas and a hand-written loop."""

import numpy as np
import pytest
import sympy as sp
from dlnotes import Network
from dlnotes.network import ACTIVATIONS


def relative_error(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


def central_differences(function, theta, h=1e-5):
    steps = h * np.eye(theta.size)
    return np.array([(function(theta + s) - function(theta - s)) / (2 * h) for s in steps])


def case(sizes, hidden, output="sigmoid", examples=7, seed=0):
    rng = np.random.default_rng(seed)
    network = Network(sizes, hidden=hidden, output=output)
    theta = network.initial(rng) + 0.1 * rng.normal(size=network.parameters)
    return network, theta, rng.normal(size=(examples, sizes[0])), rng.integers(2, size=(examples, sizes[-1]))


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(3, 1), (3, 4, 1), (2, 5, 3), (4, 6, 5, 3, 2)], ids=str)
def test_the_gradient_of_the_loss_meets_central_differences(sizes, hidden):
    network, theta, x, y = case(sizes, hidden)
    numeric = central_differences(lambda p: network.loss(p, x, y), theta)
    assert relative_error(network.gradient(theta, x, y), numeric) < 1e-6


@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_backward_meets_central_differences_for_every_layer_type(hidden, output):
    """With the loss ½‖a - y‖² the output error is (a - y) times the derivative of the output activation."""
    network, theta, x, y = case((3, 4, 2), hidden, output, seed=2)

    def loss(p):
        return 0.5 * ((network.predict(p, x) - y) ** 2).sum()

    z, a = network.forward(theta, x)
    delta = (a[-1] - y) * ACTIVATIONS[output][1](z[-1], a[-1])
    assert relative_error(network.backward(theta, z, a, delta), central_differences(loss, theta)) < 1e-6


@pytest.mark.parametrize("sizes", [(2, 1), (2, 2, 1), (2, 2, 2)], ids=str)
def test_the_code_read_with_symbols_is_the_gradient_of_its_own_loss(sizes):
    network = Network(sizes)
    theta = np.array(sp.symbols(f"w:{network.parameters}", real=True))
    x = np.array([sp.symbols("x1:3", real=True)])
    y = np.array([sp.symbols(f"y:{sizes[-1]}", real=True)])
    loss, gradient = network.loss(theta, x, y), network.gradient(theta, x, y)
    names = [*theta, *x[0], *y[0]]
    rational = {name: sp.Rational(k * k % 19 - 9, 7) for k, name in enumerate(names, 1)}  # forty digits, not a proof
    for parameter, entry in zip(theta, gradient, strict=True):
        assert abs((loss.diff(parameter) - entry).evalf(40, subs=rational)) < 1e-30
        assert abs(entry.evalf(40, subs=rational)) > 1e-9
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=network.parameters), rng.normal(size=(1, 2)), rng.random((1, sizes[-1]))
    at = dict(zip(names, np.concatenate([n.ravel() for n in numbers]), strict=True))
    np.testing.assert_allclose(network.gradient(*numbers), [float(g.subs(at)) for g in gradient], rtol=1e-12)


def test_the_forward_pass_is_the_sum_of_the_notes():
    network, theta, x, _ = case((3, 2, 2), "sigmoid", examples=2)
    z, a = network.forward(theta, x)
    for layer, (weights, bias) in enumerate(network.split(theta)):
        for k, i in np.ndindex(2, 2):
            total = sum(weights[i, j] * a[layer][k, j] for j in range(weights.shape[1])) + bias[i]
            assert z[layer][k, i] == pytest.approx(total, rel=1e-13)
            assert a[layer + 1][k, i] == pytest.approx(1 / (1 + np.exp(-total)), rel=1e-13)
    np.testing.assert_array_equal(network.predict(theta, x), a[-1])


def test_activations_do_what_their_names_say():
    z = np.array([-2.0, 0.5])
    assert ACTIVATIONS["relu"][0](z).tolist() == [0.0, 0.5] and ACTIVATIONS["relu"][1](z, None).tolist() == [0.0, 1.0]
    assert ACTIVATIONS["relu"][1](np.zeros(1), None).tolist() == [0.0]  # the convention at the kink
    assert ACTIVATIONS["linear"][0](z).tolist() == [-2.0, 0.5] and ACTIVATIONS["linear"][1](z, z).tolist() == [1.0, 1.0]


def test_weights_and_biases_are_views_of_one_vector():
    network = Network([3, 4, 2])
    theta = np.zeros(network.parameters)
    (w1, b1), (w2, b2) = network.split(theta)
    assert [p.shape for p in (w1, b1, w2, b2)] == [(4, 3), (4,), (2, 4), (2,)] and theta.size == 4 * 4 + 2 * 5
    w2[1, 3] = 7.0
    b1[0] = 5.0
    assert sorted(theta[theta != 0]) == [5.0, 7.0]


def test_the_loss_is_a_mean_over_examples_of_a_sum_over_outputs():
    network, theta, x, y = case((3, 4, 2), "relu", examples=5)
    p = network.predict(theta, x)
    by_hand = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1).mean()
    assert network.loss(theta, x, y) == pytest.approx(by_hand, rel=1e-12)
    twice = network.loss(theta, np.vstack([x, x]), np.vstack([y, y]))
    assert twice == pytest.approx(network.loss(theta, x, y), rel=1e-12)


def test_a_whole_number_error_is_not_truncated():
    network, theta, x, _ = case((3, 4, 1), "sigmoid", examples=3)
    z, a = network.forward(theta, x)
    whole = network.backward(theta, z, a, np.array([[1], [0], [2]]))
    np.testing.assert_array_equal(whole, network.backward(theta, z, a, np.array([[1.0], [0.0], [2.0]])))


def test_one_output_takes_labels_of_one_axis():
    network, theta, x, y = case((3, 4, 1), "sigmoid")
    assert network.loss(theta, x, y[:, 0]) == network.loss(theta, x, y)
    np.testing.assert_array_equal(network.gradient(theta, x, y[:, 0]), network.gradient(theta, x, y))


@pytest.mark.parametrize(("hidden", "variance"), [("sigmoid", 2 / 600), ("linear", 2 / 600), ("relu", 2 / 400)])
def test_the_start_has_the_variance_that_suits_the_activation(hidden, variance):
    network = Network([400, 200, 1], hidden=hidden)
    (weights, bias), _ = network.split(network.initial(np.random.default_rng(0)))
    assert weights.var() == pytest.approx(variance, rel=0.02) and not bias.any()
    assert np.abs(weights).max() <= np.sqrt(3 * variance)
    again = Network([400, 200, 1], hidden=hidden).initial(np.random.default_rng(0))
    np.testing.assert_array_equal(network.split(again)[0][0], weights)


network = Network([3, 2, 1])
theta = np.zeros(network.parameters)
x = np.zeros((4, 3))
y = np.zeros(4)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "sizes must name at least", lambda: Network([3])),
        (ValueError, r"sizes\[1\] must be at least 1, got 0", lambda: Network([3, 0, 1])),
        (TypeError, r"sizes\[0\] must be a whole number, got 3.0", lambda: Network([3.0, 1])),
        (ValueError, "hidden must be one of .*, got 'tanh'", lambda: Network([3, 1], hidden="tanh")),
        (ValueError, "output must be one of .*, got 'softmax'", lambda: Network([3, 1], output="softmax")),
        (TypeError, "rng must be a numpy.random.Generator", lambda: network.initial(0)),
        (ValueError, r"theta must have shape \(11,\), got \(10,\)", lambda: network.split(np.zeros(10))),
        (ValueError, r"theta must have shape \(11,\), got \(10,\)", lambda: network.loss(np.zeros(10), x, y)),
        (ValueError, "theta must be finite, got nan", lambda: network.gradient(theta + np.nan, x, y)),
        (ValueError, r"x must have shape \(m, 3\), got \(4, 2\)", lambda: network.predict(theta, x[:, :2])),
        (ValueError, r"x must have shape \(m, 3\), got \(3,\)", lambda: network.predict(theta, x[0])),
        (ValueError, "x must not be empty", lambda: network.loss(theta, x[:0], y[:0])),
        (ValueError, "x must be finite, got inf", lambda: network.loss(theta, x + np.inf, y)),
        (ValueError, r"y must have shape \(4, 1\), got \(3, 1\)", lambda: network.loss(theta, x, y[:3])),
        (ValueError, r"y must be in \[0, 1\], got 2", lambda: network.gradient(theta, x, y + 2)),
        (ValueError, r"delta must have shape \(m, 1\), got \(4,\)",
         lambda: network.backward(theta, *network.forward(theta, x), y)),
        (ValueError, r"delta must have shape \(4, 1\), got \(4, 2\)",
         lambda: network.backward(theta, *network.forward(theta, x), x[:, :2])),
        (ValueError, "delta must be finite, got nan",
         lambda: network.backward(theta, *network.forward(theta, x), np.full((4, 1), np.nan))),
        (ValueError, "z and a must have 2 and 3 entries, got 0 and 2", lambda: network.backward(theta, [], [x, x], y)),
        (ValueError, r"a\[0\] must have shape \(4, 3\), got \(4, 1\)",
         lambda: network.backward(theta, [x[:, :2], x[:, :1]], [x[:, :1], x[:, :2], None], x[:, :1])),
        (ValueError, r"z\[0\] must have shape \(4, 2\), got \(4, 3\)",
         lambda: network.backward(theta, [x, x[:, :1]], [x, x[:, :2], None], x[:, :1])),
        (TypeError, "sizes must be a list of layer sizes, got 3", lambda: Network(3)),
        (TypeError, "x must hold real numbers or symbols, got None",
         lambda: network.predict(theta, [[None, 1.0, 2.0]])),
        (TypeError, "x and theta must hold numbers where a layer is 'relu'",
         lambda: Network([1, 1, 1], hidden="relu").predict(np.array(sp.symbols("w:4")), [[1.0]])),
        (ValueError, r"y must have shape \(4, 1\), got \(1, 1\)",
         lambda: network.loss(theta, x, np.array([[sp.Symbol("y")]]))),
        (TypeError, "y must hold real numbers, got dtype object", lambda: network.loss(theta, x, [10**30, 1, 1, 1])),
        (ValueError, "output must be 'sigmoid' for the cross-entropy, got 'linear'",
         lambda: Network([3, 1], output="linear").loss(np.zeros(4), x, y)),
    ],
)  # fmt: skip
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
