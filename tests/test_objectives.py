"""Test surfaces: the derived gradients and Hessians, the minimizers, and what they refuse."""

import numpy as np
import pytest
import sympy as sp
from dlnotes import objectives
from dlnotes.objectives import Objective, beale, quadratic_bowl, ravine, rosenbrock, saddle, tilted_double_well

ALL = [quadratic_bowl(10), quadratic_bowl(2.5, curvature=0.4), ravine, rosenbrock, beale, saddle, tilted_double_well]
named = pytest.mark.parametrize("objective", ALL, ids=lambda o: o.name)


@named
def test_the_gradient_is_that_of_the_formula_and_of_central_differences(objective):
    rng, h = np.random.default_rng(0), 1e-5
    for theta in rng.uniform(-1.5, 1.5, size=(5, objective.dimension)):
        at = dict(zip(objective.variables, map(sp.Float, theta), strict=True))
        exact = [float(objective.expression.diff(v).subs(at)) for v in objective.variables]
        np.testing.assert_allclose(objective.gradient(theta), exact, rtol=1e-12, atol=1e-12)
        steps = h * np.eye(objective.dimension)
        central = (objective.value(theta + steps) - objective.value(theta - steps)) / (2 * h)
        np.testing.assert_allclose(objective.gradient(theta), central, rtol=1e-6, atol=1e-6)
        central = (objective.gradient(theta + steps) - objective.gradient(theta - steps)) / (2 * h)
        np.testing.assert_allclose(objective.hessian(theta), central, rtol=1e-6, atol=1e-6)


@named
def test_the_minimizers_are_stationary_least_points(objective):
    grid = np.stack(np.meshgrid(*[np.linspace(-4, 4, 161)] * objective.dimension), axis=-1)
    assert len(objective.minimizers) > 0
    for point in objective.minimizers:
        assert np.abs(objective.gradient(point)).max() < 1e-12
        assert np.linalg.eigvalsh(objective.hessian(point)).min() > 0
        assert objective.value(point) <= objective.value(grid).min() + 1e-12


@named
def test_many_points_at_once_are_the_points_one_by_one(objective):
    points = np.random.default_rng(1).normal(size=(3, 4, objective.dimension))
    assert objective.value(points).shape == (3, 4)
    assert objective.gradient(points).shape == points.shape
    assert objective.hessian(points).shape == (3, 4, objective.dimension, objective.dimension)
    for i, j in np.ndindex(3, 4):
        for method in (objective.value, objective.gradient, objective.hessian):
            np.testing.assert_allclose(method(points[i, j]), method(points)[i, j], rtol=1e-12, atol=1e-12)


def test_known_values():
    assert rosenbrock.value([-1.0, 2.0]) == 104.0 and beale.value([0.0, 0.0]) == 14.203125
    assert saddle.value([0.0, 0.0]) == 0.0 and np.linalg.eigvalsh(saddle.hessian([0.0, 0.0]))[0] == -1.0


def test_the_bowl_has_the_condition_number_that_was_asked_for():
    assert list(np.linalg.eigvalsh(quadratic_bowl(25, curvature=2).hessian([3.0, -1.0]))) == [2.0, 50.0]


def test_a_constant_gradient_fills_its_shape():
    x = sp.Symbol("x", real=True)
    assert Objective("line", 3 * x, [x]).gradient(np.zeros((5, 1))).tolist() == [[3.0]] * 5


def test_float32_stays_float32():
    assert rosenbrock.gradient(np.ones(2, dtype=np.float32)).dtype == np.float32


def test_the_formula_is_shown():
    assert quadratic_bowl(10)._repr_latex_() == r"$\displaystyle J(x_{1}, x_{2}) = \frac{x_{1}^{2}}{2} + 5 x_{2}^{2}$"
    assert "Rosenbrock" in repr(rosenbrock)


@pytest.mark.parametrize("method", ["value", "gradient", "hessian"])
@pytest.mark.parametrize("theta", [1.0, [1.0], [1.0, 2.0, 3.0], np.ones((2, 3)), [1j, 0], ["a", "b"]])
def test_points_of_another_dimension_are_refused(method, theta):
    with pytest.raises(ValueError, match=r"theta must hold real numbers in an array of shape \(…, 2\)"):
        getattr(rosenbrock, method)(theta)


@pytest.mark.parametrize("method", ["value", "gradient", "hessian"])
def test_points_that_are_not_finite_are_refused(method):
    with pytest.raises(ValueError, match=r"theta must be finite, got nan at index \(1,\)"):
        getattr(rosenbrock, method)([1.0, np.nan])
    with pytest.raises(ValueError, match="theta must not be empty"):
        getattr(rosenbrock, method)(np.zeros((0, 2)))


def test_a_tiny_curvature_is_kept():
    assert quadratic_bowl(curvature=1e-300).value([1.0, 0.0]) == pytest.approx(5e-301, abs=0)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, "expression must be a SymPy expression, got 'x'", lambda x, y: Objective("f", "x", [x])),
        (TypeError, "variables must be SymPy symbols", lambda x, y: Objective("f", x, ["x"])),
        (ValueError, "variables must be one or more different symbols", lambda x, y: Objective("f", x, [x, x])),
        (ValueError, "variables must be one or more different symbols", lambda x, y: Objective("f", sp.Integer(1), [])),
        (ValueError, "expression must hold only the variables", lambda x, y: Objective("f", x + y, [x])),
        (ValueError, r"minimizers must have shape \(1, 1\)", lambda x, y: Objective("f", x, [x], minimizers=[[0, 0]])),
        (ValueError, r"condition_number must be in \[1, inf\), got 0.5", lambda x, y: quadratic_bowl(0.5)),
        (ValueError, r"curvature must be in \(0, inf\), got 0", lambda x, y: quadratic_bowl(curvature=0)),
        (ValueError, "condition_number must be in", lambda x, y: quadratic_bowl(np.nan)),
        (TypeError, "condition_number must be a real number, got '10'", lambda x, y: quadratic_bowl("10")),
    ],
)
def test_bad_definitions_are_refused(error, message, call):
    with pytest.raises(error, match=message):
        call(*sp.symbols("x y"))


def test_no_derivative_is_typed_by_hand():
    """Each module-level surface is a SymPy expression whose derivatives come from `diff`."""
    surfaces = [o for o in vars(objectives).values() if isinstance(o, Objective)]
    assert len(surfaces) == 5
    for o in surfaces:
        assert list(o.gradient_expression) == [o.expression.diff(v) for v in o.variables]
        assert o.hessian_expression == sp.hessian(o.expression, o.variables)
