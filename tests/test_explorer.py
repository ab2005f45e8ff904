"""The live figures as Python makes them; that they move as they should is shown by `check_explorer.py`."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy as sp
from dlnotes import CATALOGUE, adam, explorer, gradient_descent, minimize, momentum, nesterov
from dlnotes.live_figure import LiveFigure, live_source
from dlnotes.live_momentum import border_lines
from dlnotes.live_pictures import Picture, legend, power_of_ten
from dlnotes.live_surfaces import GRID, RATES, SETTINGS, contours, default_rates, dial
from dlnotes.rules import Rule
from dlnotes.stability import BETA, ETA, LAM, borders, iteration_matrix

FIGURES = {"race": explorer.race, "momentum": explorer.momentum_map}


class Tags(HTMLParser):
    """Which elements stand in some HTML, and what the scripts hold."""

    def __init__(self, html):
        super().__init__()
        self.open, self.seen, self.scripts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in ("path", "circle", "meta"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_one_element_with_picture_data_and_script(name):
    html = FIGURES[name]()._repr_html_()
    tags = Tags(html)
    assert tags.open == [] and [tag for tag, _ in tags.seen].count("descent-explorer") == 1
    assert tags.seen[0] == ("descent-explorer", {"figure": name})
    assert [attributes.get("type") for tag, attributes in tags.seen if tag == "script"] == ["application/json", None]
    data, script = tags.scripts
    assert json.loads(data) == json.loads(json.dumps(FIGURES[name]().data))
    assert script.strip().startswith("(() => {") and script.strip().endswith("})();")
    pictures = [attributes for tag, attributes in tags.seen if tag == "svg" and attributes.get("role") == "img"]
    assert len(pictures) == 2 and all(len(picture["aria-label"]) > 30 for picture in pictures)
    assert not [attributes for _, attributes in tags.seen if "id" in attributes or "src" in attributes]
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_at_each_call_and_says_itself_in_one_line(name):
    figure = FIGURES[name]()
    assert figure._repr_html_() == FIGURES[name]()._repr_html_()
    bundle = figure._repr_mimebundle_()
    assert bundle == {"text/html": figure._repr_html_(), "text/plain": repr(figure)}
    assert "\n" not in repr(figure) and repr(figure).startswith("<live figure: ")


def test_nothing_in_data_names_or_code_ends_the_script_early():
    bad = "</script><b>&\"'"
    figure = LiveFigure("race", bad, "<p>still</p>", {"name": bad}, {"code": f"() => {json.dumps(bad)}"}, ("race.js",))
    tags = Tags(figure._repr_html_())
    assert [tag for tag, _ in tags.seen] == ["descent-explorer", "p", "script", "script"]
    assert json.loads(tags.scripts[0]) == {"name": bad} and "<\\/script>" in tags.scripts[1]
    assert "<b>" not in Picture((0, 1), (0, 1), ("<b>", "y")).svg('<b>"', {0: "<b>"}, {})
    assert "<b>" not in legend([({"color": "red", "linestyle": "-"}, "<b>")])


def test_a_figure_must_be_known_and_its_data_finite():
    with pytest.raises(ValueError, match=r"figure must be one of \['race', .*\], got 'moon'"):
        LiveFigure("moon", "", "", {}, {}, ())
    with pytest.raises(ValueError, match="not JSON compliant"):
        LiveFigure("race", "", "", {"x": float("nan")}, {}, ())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"surface": "moon"},
            ValueError,
            r"surface must be one of \['bowl', 'rosenbrock', 'beale', 'saddle'\], got 'moon'",
        ),
        ({"rules": ["adam", "sgd"]}, ValueError, r"rules must be one of \['gradient_descent', .*\], got 'sgd'"),
        ({"rules": ["adam", "adam"]}, ValueError, r"rules must name each rule once, got \['adam', 'adam'\]"),
        ({"rules": "adam"}, TypeError, "rules must be a sequence of names, got 'adam'"),
        ({"steps": 501}, ValueError, "steps must be between 10 and 500, got 501"),
        ({"steps": 55}, ValueError, "steps must be a multiple of 10, got 55"),
        ({"steps": 50.0}, TypeError, "steps must be a whole number, got 50.0"),
    ],
)
def test_the_race_refuses_what_it_cannot_show(arguments, error, message):
    with pytest.raises(error, match=message):
        explorer.race(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"eta": 0}, ValueError, r"eta must be in \[0.01, 4\], got 0"),
        ({"eta": "1"}, TypeError, "eta must be a real number, got '1'"),
        ({"beta": 1}, ValueError, r"beta must be in \[0, 0.99\], got 1"),
        ({"rule": "adam"}, ValueError, r"rule must be one of \['momentum', 'nesterov'\], got 'adam'"),
        ({"steps": 201}, ValueError, "steps must be between 10 and 200, got 201"),
        ({"steps": 15}, ValueError, "steps must be a multiple of 10, got 15"),
        ({"steps": True}, TypeError, "steps must be a whole number, got True"),
    ],
)
def test_the_map_refuses_what_it_cannot_show(arguments, error, message):
    with pytest.raises(error, match=message):
        explorer.momentum_map(**arguments)


@pytest.mark.parametrize("name", SETTINGS)
def test_default_rates_stay_in_the_picture_and_come_down(name):
    setting, rates = SETTINGS[name], default_rates(name)
    least = setting.objective.value(setting.objective.minimizers[0])
    for rule in CATALOGUE:
        hyper = {dial(rule): rates[rule]}
        run = minimize(
            CATALOGUE[rule], setting.objective.gradient, setting.start, 200, value=setting.objective.value, **hyper
        )
        inside = [
            (run.theta[:, i] > low).all() and (run.theta[:, i] < high).all()
            for i, (low, high) in enumerate(setting[3:5])
        ]
        assert all(inside), (rule, hyper)
        assert run.values[100:].max() - least < 0.7 * (run.values[0] - least), (rule, hyper)
    assert set(rates) == set(CATALOGUE) and dial("adadelta") == "eps" and dial("adam") == "eta" and len(RATES) == 21


@pytest.mark.parametrize("name", SETTINGS)
def test_contour_lines_lie_on_their_levels(name):
    setting = SETTINGS[name]
    gaps = []
    for line in contours(setting):
        part = np.reshape(line, (-1, 2)) / GRID
        assert part.min() >= 0 and part.max() <= 1
        part = np.concatenate([part, (part[1:] + part[:-1]) / 2])
        points = np.column_stack([low + part[:, i] * (high - low) for i, (low, high) in enumerate(setting[3:5])])
        # How far away the nearest level is, in units of the frame: by the slope, or by the curvature where it is flat.
        scale = np.array([high - low for low, high in setting[3:5]])
        slope = np.linalg.norm(setting.objective.gradient(points) * scale, axis=1)
        curvature = np.abs(np.linalg.eigvalsh(setting.objective.hessian(points) * np.outer(scale, scale))).max(axis=1)
        gap = np.abs(setting.objective.value(points)[:, None] - np.array(setting.levels)).min(axis=1)
        gaps.append(np.minimum(gap / np.maximum(slope, 1e-9), np.sqrt(2 * gap / curvature)).max())
    assert len(gaps) >= 10 and max(gaps) < 0.01


def test_the_iteration_matrix_is_what_the_rule_does():
    for rule in (momentum, nesterov):
        matrix = iteration_matrix(rule).subs({ETA: 0.3, LAM: 2, BETA: 0.7})
        run = minimize(rule, lambda theta: 2 * theta, [1.0], 6, eta=0.3, beta=0.7)
        pair, found = sp.Matrix([1, 0]), [1.0]
        for _ in range(6):
            pair = matrix * pair
            found.append(float(pair[0]))
        np.testing.assert_allclose(run.theta[:, 0], found, rtol=1e-12)


def test_rules_without_such_a_matrix_are_refused():
    with pytest.raises(TypeError, match="rule must be a Rule, got 3"):
        iteration_matrix(3)
    for rule in (adam, gradient_descent):
        with pytest.raises(ValueError, match="rule must have the hyper-parameters eta and beta and one state"):
            iteration_matrix(rule)
    crooked = Rule("crooked", m=lambda beta, m, eta, g: beta * m**2 - eta * g, dtheta=lambda m: m)
    with pytest.raises(ValueError, match="rule must be linear in theta and its state"):
        iteration_matrix(crooked)


def test_the_borders_are_those_of_the_chapter_and_of_the_eigenvalues():
    low, high, limit = borders(momentum)
    root = sp.sqrt(BETA)
    assert [sp.expand(low - (1 - root) ** 2), sp.expand(high - (1 + root) ** 2), sp.expand(limit - 2 * (1 + BETA))] == [
        0
    ] * 3
    for rule in (momentum, nesterov):
        for decay in (0.1, 0.5, 0.9):
            low, high, limit = (float(border.subs(BETA, decay)) for border in borders(rule))

            def roots(u, rule=rule, decay=decay):
                matrix = iteration_matrix(rule).subs({ETA: u, LAM: 1, BETA: decay})
                return np.linalg.eigvals(np.array(matrix, dtype=float))

            middle = (low + high) / 2
            assert np.iscomplex(roots(middle)).all() and not np.iscomplex(roots(low * 0.99)).any()
            assert not np.iscomplex(roots(high * 1.0001)).any() and np.abs(roots(high * 1.0001)).max() < 1
            assert np.abs(roots(limit)).max() == pytest.approx(1) and np.abs(roots(limit * 1.001)).max() > 1
    lines = border_lines("momentum")
    np.testing.assert_allclose(lines["swings"][:, 1], (1 - np.sqrt(lines["swings"][:, 0])) ** 2, atol=1e-12)


def test_pictures_clamp_what_has_diverged_and_skip_what_is_no_number():
    picture = Picture((0, 1), (1e-3, 1), ("x", "y"), log_y=True)
    picture.path([0, 0.5, np.nan, 1], [1, 1e300, 1, 0], 'stroke="red"')
    (path,) = picture.inside
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d", path)]
    assert len(numbers) == 6 and max(map(abs, numbers)) <= 1e4 and "nan" not in path and "inf" not in path
    assert picture.pixels(0.5, 10**-1.5).tolist() == pytest.approx([picture.inner[0] / 2, picture.inner[1] / 2])
    assert [power_of_ten(power) for power in (-12, 0, 3)] == ["10⁻¹²", "1", "10³"]


def test_the_static_race_ends_where_the_runs_end():
    figure, setting = explorer.race("beale", rules=["adam"], steps=50), SETTINGS["beale"]
    theta = minimize(adam, setting.objective.gradient, setting.start, 50, eta=default_rates("beale")["adam"]).theta[-1]
    plane = Picture(setting.x, setting.y, ("", ""))
    a, b = plane.pixels(*theta)
    assert f'<circle cx="{a:.1f}" cy="{b:.1f}"' in figure.picture and "Adam" in figure.picture


def test_no_formula_of_the_package_is_typed_by_hand():
    for name in ("core.js", "plot.js", "race.js", "momentum.js"):
        source = live_source(name)
        assert not re.search(r"1 - (state\.)?(beta|u)\b|hyper\.(eta|beta)|\* *(slope|g)\b|Math\.exp\(", source), name
        assert len(source.splitlines()) <= 250
