"""Figures: the summary sees every change of what is drawn; the helpers draw what they promise and reject bad input."""

import subprocess
import sys
from itertools import pairwise

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from dlnotes import figures
from dlnotes.figure_summaries import _number, summary
from matplotlib.patches import FancyArrowPatch

X = np.linspace(0, 3, 40)
Y = np.exp(-X) * np.cos(4 * X)
GRID = np.add.outer(X**2, 0.5 * X)
RNG = np.random.default_rng(0)
PIXELS = RNG.random((16, 16))


@pytest.fixture(autouse=True)
def own_style():
    with plt.rc_context():
        yield
    plt.close("all")


def described(draw):
    """Return the summary of a new figure after ``draw(ax)``."""
    fig, ax = plt.subplots()
    draw(ax)
    return summary(fig)


def one_pixel(image):
    changed = image.copy()
    changed[5, 7] += 0.05
    return changed


def swapped(values, i=2, j=9):
    changed = np.array(values)
    changed[[i, j]] = changed[[j, i]]
    return changed


# name: (drawing, changed drawing)
CHANGES = {
    "line": (lambda ax: ax.plot(X, Y), lambda ax: ax.plot(X, 1.01 * Y)),
    "line mirrored": (lambda ax: ax.plot(X, Y), lambda ax: ax.plot(X, Y[::-1])),
    "line upside down": (
        lambda ax: ax.plot(X, np.sin(X * 2 * np.pi / 3)),
        lambda ax: ax.plot(X, -np.sin(X * 2 * np.pi / 3)),
    ),
    "line's points": (lambda ax: ax.plot(X, Y), lambda ax: ax.plot(X, swapped(Y))),
    "line's colour": (lambda ax: ax.plot(X, Y, "C0"), lambda ax: ax.plot(X, Y, "C1")),
    "line's style": (lambda ax: ax.plot(X, Y, "-"), lambda ax: ax.plot(X, Y, "--")),
    "line's width": (lambda ax: ax.plot(X, Y, lw=1), lambda ax: ax.plot(X, Y, lw=2)),
    "marker's size": (lambda ax: ax.plot(X, Y, "o"), lambda ax: ax.plot(X, Y, "o", markersize=9)),
    "marker's face": (lambda ax: ax.plot(X, Y, "o"), lambda ax: ax.plot(X, Y, "o", markerfacecolor="none")),
    "fewer markers": (lambda ax: ax.plot(X, Y, "o"), lambda ax: ax.plot(X, Y, "o", markevery=2)),
    "line in steps": (lambda ax: ax.plot(X, Y), lambda ax: ax.plot(X, Y, drawstyle="steps-mid")),
    "contour's width": (lambda ax: ax.contour(X, X, GRID), lambda ax: ax.contour(X, X, GRID, linewidths=3)),
    "contour's dashes": (lambda ax: ax.contour(X, X, GRID), lambda ax: ax.contour(X, X, GRID, linestyles="dashed")),
    "segments' dashes": (lambda ax: ax.hlines([1, 2], 0, 1), lambda ax: ax.hlines([1, 2], 0, 1, linestyle="dotted")),
    "bar's hatch": (lambda ax: ax.bar("abc", [1, 2, 3]), lambda ax: ax.bar("abc", [1, 2, 3], hatch="/")),
    "tick's format": (
        lambda ax: ax.plot(X, Y),
        lambda ax: (ax.plot(X, Y), ax.xaxis.set_major_formatter("{x:.0%}")),
    ),
    "legend's colour": (
        lambda ax: (ax.plot(X, Y, label="a"), ax.legend()),
        lambda ax: (ax.plot(X, Y, label="a"), ax.legend(labelcolor="C1", handles=[ax.plot([], "C1")[0]], labels="a")),
    ),
    "line's marker": (lambda ax: ax.plot(X, Y, "o"), lambda ax: ax.plot(X, Y, "s")),
    "line's label": (lambda ax: ax.plot(X, Y, label="a"), lambda ax: ax.plot(X, Y, label="b")),
    "line's transparency": (lambda ax: ax.plot(X, Y, alpha=1), lambda ax: ax.plot(X, Y, alpha=0.5)),
    "line gone": (lambda ax: ax.plot(X, Y), lambda ax: None),
    "small values on a log axis": (
        lambda ax: ax.semilogy(X, 10 ** (-2 * X)),
        lambda ax: ax.semilogy(X, 10 ** (-2.001 * X)),
    ),
    "marker moved": (lambda ax: ax.plot(0.3, 0.3, "o"), lambda ax: ax.plot(0.301, 0.3, "o")),
    "scatter": (lambda ax: ax.scatter(X, Y), lambda ax: ax.scatter(X, one_moved(Y))),
    "scatter mirrored": (lambda ax: ax.scatter(X, Y), lambda ax: ax.scatter(X, Y[::-1])),
    "scatter's colour": (lambda ax: ax.scatter(X, Y, c="C0"), lambda ax: ax.scatter(X, Y, c="C1")),
    "scatter's values": (lambda ax: ax.scatter(X, Y, c=X), lambda ax: ax.scatter(X, Y, c=X[::-1])),
    "scatter's sizes": (lambda ax: ax.scatter(X, Y, s=9), lambda ax: ax.scatter(X, Y, s=10)),
    "scatter's marker": (lambda ax: ax.scatter(X, Y, marker="o"), lambda ax: ax.scatter(X, Y, marker="x")),
    "contour": (lambda ax: ax.contour(X, X, GRID), lambda ax: ax.contour(X, X, GRID.T)),
    "contour's levels": (lambda ax: ax.contour(X, X, GRID, [1, 2]), lambda ax: ax.contour(X, X, GRID, [1, 2.01])),
    "contour's colour": (
        lambda ax: ax.contour(X, X, GRID, colors="C0"),
        lambda ax: ax.contour(X, X, GRID, colors="C1"),
    ),
    "contourf": (lambda ax: ax.contourf(X, X, GRID), lambda ax: ax.contourf(X, X, GRID**1.01)),
    "contourf's map": (
        lambda ax: ax.contourf(X, X, GRID, cmap="Greys"),
        lambda ax: ax.contourf(X, X, GRID, cmap="Blues"),
    ),
    "fill": (lambda ax: ax.fill_between(X, Y, Y + 1), lambda ax: ax.fill_between(X, Y, Y + 1.01)),
    "fill's colour": (lambda ax: ax.fill_between(X, Y, color="C0"), lambda ax: ax.fill_between(X, Y, color="C1")),
    "image's pixel": (lambda ax: ax.imshow(PIXELS), lambda ax: ax.imshow(one_pixel(PIXELS))),
    "image's pattern": (lambda ax: ax.imshow(PIXELS), lambda ax: ax.imshow(swapped(PIXELS))),
    "image's transpose": (lambda ax: ax.imshow(PIXELS), lambda ax: ax.imshow(PIXELS.T)),
    "image's map": (lambda ax: ax.imshow(PIXELS, cmap="Greys"), lambda ax: ax.imshow(PIXELS, cmap="Blues")),
    "image's range": (lambda ax: ax.imshow(PIXELS, vmax=1), lambda ax: ax.imshow(PIXELS, vmax=2)),
    "image's extent": (lambda ax: ax.imshow(PIXELS), lambda ax: ax.imshow(PIXELS, extent=(0, 1, 0, 1))),
    "coloured image": (
        lambda ax: ax.imshow(np.dstack([PIXELS] * 3)),
        lambda ax: ax.imshow(np.dstack([PIXELS, PIXELS, 1 - PIXELS])),
    ),
    "mesh's value": (lambda ax: ax.pcolormesh(PIXELS), lambda ax: ax.pcolormesh(one_pixel(PIXELS))),
    "mesh's places": (
        lambda ax: ax.pcolormesh(range(17), range(17), PIXELS),
        lambda ax: ax.pcolormesh(range(1, 18), range(17), PIXELS),
    ),
    "bar": (lambda ax: ax.bar("abc", [1, 2, 3]), lambda ax: ax.bar("abc", [1, 2.01, 3])),
    "bars swapped": (lambda ax: ax.bar("abc", [2, 1, 2]), lambda ax: ax.bar("abc", [2, 2, 1])),
    "bars' names": (lambda ax: ax.bar("abc", [1, 2, 3]), lambda ax: ax.bar("abd", [1, 2, 3])),
    "bar's colour": (
        lambda ax: ax.bar("abc", [1, 2, 3]),
        lambda ax: ax.bar("abc", [1, 2, 3], color=["C0", "C0", "C1"]),
    ),
    "histogram": (lambda ax: ax.hist(PIXELS.ravel()), lambda ax: ax.hist(PIXELS.ravel() ** 1.1)),
    "steps": (lambda ax: ax.stairs([1, 2, 3]), lambda ax: ax.stairs([1, 3, 2])),
    "error bar": (lambda ax: ax.errorbar(X, Y, 0.1), lambda ax: ax.errorbar(X, Y, 0.11)),
    "horizontal line": (lambda ax: ax.axhline(1), lambda ax: ax.axhline(1.001)),
    "vertical line": (lambda ax: ax.axvline(1), lambda ax: ax.axvline(1.001)),
    "sloped line": (lambda ax: ax.axline((0, 0), slope=1), lambda ax: ax.axline((0, 0), slope=2)),
    "span": (lambda ax: ax.axvspan(0, 1), lambda ax: ax.axvspan(0, 1.01)),
    "segments": (lambda ax: ax.vlines([1, 2], 0, 1), lambda ax: ax.vlines([1, 2], 0, [1, 1.01])),
    "arrow": (lambda ax: ax.arrow(0, 0, 1, 1), lambda ax: ax.arrow(0, 0, 1, 1.01)),
    "arrow's end": (
        lambda ax: ax.add_patch(FancyArrowPatch((0, 0), (1, 1))),
        lambda ax: ax.add_patch(FancyArrowPatch((0, 0), (1, 2))),
    ),
    "annotation's target": (
        lambda ax: ax.annotate("a", (0, 0), (1, 1), arrowprops={}),
        lambda ax: ax.annotate("a", (0, 0.1), (1, 1), arrowprops={}),
    ),
    "annotation's place": (
        lambda ax: ax.annotate("a", (0, 0), (1, 1), arrowprops={}),
        lambda ax: ax.annotate("a", (0, 0), (1, 2), arrowprops={}),
    ),
    "quiver's arrows": (lambda ax: ax.quiver(X, Y, X, Y), lambda ax: ax.quiver(X, Y, Y, X)),
    "quiver's places": (lambda ax: ax.quiver(X, Y, X, Y), lambda ax: ax.quiver(X, Y[::-1], X, Y)),
    "text": (lambda ax: ax.text(0, 0, "1.23"), lambda ax: ax.text(0, 0, "1.24")),
    "text's place": (lambda ax: ax.text(0, 0, "a"), lambda ax: ax.text(0, 0.1, "a")),
    "text's colour": (lambda ax: ax.text(0, 0, "a"), lambda ax: ax.text(0, 0, "a", color="C1")),
    "title": (lambda ax: ax.set_title("a"), lambda ax: ax.set_title("b")),
    "title on the left": (lambda ax: ax.set_title("a", loc="left"), lambda ax: ax.set_title("b", loc="left")),
    "title of the figure": (lambda ax: ax.figure.suptitle("a"), lambda ax: ax.figure.suptitle("b")),
    "axis label": (lambda ax: ax.set_xlabel("a"), lambda ax: ax.set_xlabel("b")),
    "limits": (lambda ax: ax.set_xlim(0, 1), lambda ax: ax.set_xlim(0, 1.1)),
    "direction": (lambda ax: ax.set_ylim(0, 1), lambda ax: ax.set_ylim(1, 0)),
    "scale": (lambda ax: ax.set(yscale="linear", ylim=(1, 2)), lambda ax: ax.set(yscale="log", ylim=(1, 2))),
    "ticks": (lambda ax: ax.set_xticks([0, 1]), lambda ax: ax.set_xticks([0, 0.9])),
    "tick labels": (lambda ax: ax.set_xticks([0, 1], ["a", "b"]), lambda ax: ax.set_xticks([0, 1], ["a", "c"])),
    "legend": (lambda ax: ax.plot(X, Y, label="a"), lambda ax: (ax.plot(X, Y, label="a"), ax.legend())),
    "colour bar": (
        lambda ax: ax.figure.colorbar(ax.imshow(PIXELS), label="a"),
        lambda ax: ax.figure.colorbar(ax.imshow(PIXELS), label="b"),
    ),
    "inset": (lambda ax: ax.inset_axes([0, 0, 1, 1]).plot(X, Y), lambda ax: ax.inset_axes([0, 0, 1, 1]).plot(X, 2 * Y)),
    "second axis": (lambda ax: ax.twinx().plot(X, Y), lambda ax: ax.twinx().plot(X, 2 * Y)),
    "hidden": (lambda ax: ax.plot(X, Y), lambda ax: ax.plot(X, Y, visible=False)),
    "axes hidden": (lambda ax: ax.plot(X, Y), lambda ax: (ax.plot(X, Y), ax.set_visible(False))),
    "axis off": (lambda ax: ax.plot(X, Y), lambda ax: (ax.plot(X, Y), ax.set_axis_off())),
}


def one_moved(values):
    changed = np.array(values)
    changed[7] += 0.05
    return changed


@pytest.mark.parametrize("change", CHANGES)
def test_the_summary_sees_a_change_and_only_a_change(change):
    drawing, changed = CHANGES[change]
    assert described(drawing) == described(drawing)
    assert described(drawing) != described(changed)


@pytest.mark.parametrize("change", CHANGES)
def test_the_summary_does_not_depend_on_drawing(change):
    fig, ax = plt.subplots()
    CHANGES[change][0](ax)
    before = summary(fig)
    fig.draw_without_rendering()
    assert summary(fig) == before


def test_the_summary_ignores_the_last_bits():
    values = np.round(Y, 4) + 0.00005  # every value sits on the edge of a rounding
    noise = 1 + 4e-16 * RNG.choice([-1, 1], Y.size)

    def draw(ax, y):
        ax.plot(X, y)
        ax.scatter(X, y, c=y)
        ax.imshow(np.outer(y, y))
        ax.bar(X, y)

    assert described(lambda ax: draw(ax, values)) == described(lambda ax: draw(ax, values * noise))
    assert described(lambda ax: ax.plot(X, Y)) == described(lambda ax: ax.plot(X + 1e-16, Y - 1e-16))


def test_the_summary_begins_as_the_hygiene_tests_expect():
    assert described(lambda ax: None).startswith("Figure 6.4x4.8 in, 1 axes\naxes 0: ")


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (0.12345, 1, "0.1235"),
        (0.12345 - 1e-17, 1, "0.1235"),
        (-0.12345, 1, "-0.1235"),
        (1e-12, 1, "0"),
        (-0.0, 1, "0"),
        (1e-12, 1e-12, "1e-12"),
        (300_000, 1, "3e+05"),
        (1234.4, 1, "1234"),
    ],
)
def test_numbers(value, scale, text):
    assert _number(value, scale) == text


def test_values_that_are_missing_are_counted():
    assert "n=39/40" in described(lambda ax: ax.plot(X, np.where(X == 0, np.nan, Y)))


def test_no_summary_for_what_it_cannot_see():
    with pytest.raises(TypeError, match="fig must be a matplotlib Figure"):
        summary("figure")
    fig = plt.figure()
    fig.add_subplot(projection="3d")
    with pytest.raises(NotImplementedError, match="three-dimensional"):
        summary(fig)


# --- setup ----------------------------------------------------------------------------------------------------------
def test_import_has_no_effect():
    code = (
        "import matplotlib, numpy as np; before = dict(matplotlib.rcParams), np.get_printoptions()\n"
        "import matplotlib.pyplot, dlnotes.figures\n"
        "assert (dict(matplotlib.rcParams), np.get_printoptions()) == before\n"
        "dlnotes.figures.setup(); assert matplotlib.rcParams['figure.facecolor'] == 'none'\n"
        "assert np.get_printoptions()['precision'] == 4"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"MPLBACKEND": "agg", "PATH": ""})


DISPLAY = """
from base64 import b64decode
from io import BytesIO
from IPython.testing.globalipapp import start_ipython
ip = start_ipython()
ip.display_formatter.active_types = ip.display_formatter.format_types  # as in a notebook
import matplotlib.pyplot as plt
from PIL import Image
from dlnotes import figures
figures.setup()
figures.setup()
fig, ax = plt.subplots()
ax.plot([1, 3, 2])
assert "inline" in plt.get_backend()
one, two = (ip.display_formatter.format(fig)[0] for _ in range(2))
assert one == two and set(one) == {"image/png", "text/plain"}, list(one)
assert one["text/plain"] == figures.summary(fig)
picture = Image.open(BytesIO(b64decode(one["image/png"])))
assert picture.mode == "P" and picture.size == (921, 518), picture
assert len(one["image/png"]) < 40_000
"""


def test_a_displayed_figure_has_a_small_picture_and_a_summary(tmp_path):
    """In a shell with a notebook's backend: what is stored for a figure, twice the same bytes."""
    env = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PATH": "", "HOME": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", DISPLAY], env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_picture_has_no_minor_ticks_over_three_decades_of_a_log_axis():
    fig, ax = plt.subplots()
    ax.loglog([1, 9], [1e-4, 20])
    before = summary(fig)
    figures._png(fig)
    assert summary(fig) == before
    assert len(ax.xaxis.get_minorticklocs()) > 5
    assert len(ax.yaxis.get_minorticklocs()) == 0
    assert ax.yaxis.get_major_formatter().format_ticks([1e-3, 1, 1e12]) == ["10⁻³", "10⁰", "10¹²"]
    assert ax.yaxis.get_major_formatter()(3e-3) == ""  # labels at powers only, as before


def test_a_picture_leaves_linear_axes_and_own_ticks_alone():
    fig, (ax, own, binary) = plt.subplots(3)
    ax.plot([1, 9999])
    own.semilogy([1, 1e5])
    own.set_yticks([1, 1e5], ["low", "high"])
    binary.semilogy([1, 2**12], base=2)
    kept = [a.yaxis.get_major_formatter() for a in (ax, own, binary)]
    figures._png(fig)
    assert [a.yaxis.get_major_formatter() for a in (ax, own, binary)] == kept


def contrast(first, second):
    """Return the contrast of two colours as WCAG defines it."""
    rgb = np.array([matplotlib.colors.to_rgb(c) for c in (first, second)])
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722] + 0.05
    return light.max() / light.min()


LINES = {**{k: v["color"] for k, v in figures.OPTIMIZER_STYLES.items()}, **figures.COLOURS}


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
@pytest.mark.parametrize("name", sorted(LINES.keys() - {"contour"}))  # contours stay in the background
def test_lines_are_visible_on_both_pages(name, page):
    assert contrast(LINES[name], page) >= 3


def test_styles():
    looks = [(s["color"], s["linestyle"]) for s in figures.OPTIMIZER_STYLES.values()]
    assert len(set(looks)) == len(looks)
    assert (
        figures.style("Gradient descent")
        == figures.style("gradient_descent")
        == figures.OPTIMIZER_STYLES["gradient_descent"]
    )
    assert figures.style("adam", label="η = 0.1")["label"] == "η = 0.1"
    assert figures.style("theory")["color"] == figures.COLOURS["theory"]
    with pytest.raises(ValueError, match=r"name must be one of .*'adam'.*, got 'adams'"):
        figures.style("adams")


def test_every_rule_of_the_catalogue_has_a_style():
    from dlnotes import CATALOGUE

    for name, rule in CATALOGUE.items():
        assert figures.style(rule) == figures.style(name)


# --- helpers --------------------------------------------------------------------------------------------------------
class Bowl:
    minimizers = np.zeros((1, 2))

    def value(self, theta):
        return 0.1 * theta[..., 0] ** 2 + 2 * theta[..., 1] ** 2


def test_contour_draws_levels_and_minimizer():
    _, ax = plt.subplots()
    figures.contour(ax, Bowl(), (-6, 4), (-3, 3), levels=5)
    assert len(ax.collections[0].levels) == 5
    assert ax.get_xlim() == (-6, 4) and ax.get_ylim() == (-3, 3)
    assert ax.lines[0].get_xydata().tolist() == [[0, 0]]
    x, y = ax.collections[0].get_paths()[2].vertices.T
    np.testing.assert_allclose(0.1 * x**2 + 2 * y**2, ax.collections[0].levels[2], rtol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"xlim": (1, 0)}, "xlim must increase"),
        ({"ylim": (0, np.inf)}, "ylim must be finite"),
        ({"xlim": (1, 2, 3)}, "xlim must have shape"),
        ({"levels": 0}, "levels must be at least 1"),
    ],
)
def test_contour_rejects(arguments, message):
    with pytest.raises(ValueError, match=message):
        figures.contour(plt.subplots()[1], Bowl(), **({"xlim": (0, 1), "ylim": (0, 1)} | arguments))


def test_contour_rejects_an_objective_of_another_shape():
    class Wrong:
        def value(self, theta):
            return theta

    with pytest.raises(ValueError, match=r"objective\.value must map shape"):
        figures.contour(plt.subplots()[1], Wrong(), (0, 1), (0, 1))


def test_path_marks_start_and_end():
    _, ax = plt.subplots()
    theta = np.column_stack([X, Y])
    figures.path(ax, theta, **figures.style("adam"))
    line, start, end = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), theta)
    np.testing.assert_array_equal([start.get_xydata()[0], end.get_xydata()[0]], theta[[0, -1]])
    assert start.get_markerfacecolor() == "none" and {ln.get_color() for ln in ax.lines} == {"#cc4f97"}
    assert ax.get_legend_handles_labels()[1] == ["Adam"]


@pytest.mark.parametrize("theta", [np.zeros(3), np.zeros((4, 3)), np.zeros((0, 2)), [[0, np.nan]]])
def test_path_rejects(theta):
    with pytest.raises(ValueError, match="theta must"):
        figures.path(plt.subplots()[1], theta)


def test_labels_stand_apart_inside_the_figure():
    figures.setup()
    fig, ax = plt.subplots()
    for k in range(6):
        ax.semilogy(X, np.exp(-(1 + 0.01 * k) * X), label=f"a long label {k}")
    ax.semilogy(X, np.where(X < 1, np.exp(X), 0), label="ends early")
    figures.label_lines(ax)
    fig.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts]
    assert [t.get_text() for t in ax.texts] == [f"a long label {k}" for k in range(5, -1, -1)] + ["ends early"]
    assert all(box.x1 <= fig.bbox.x1 + 1 and box.y0 >= 0 for box in boxes)
    assert all(high.y0 >= low.y1 - 6 for low, high in pairwise(boxes[:-1]))
    assert ax.texts[-1].xy[0] < 1


def test_label_lines_of_nothing_and_label_line_rejects():
    _, ax = plt.subplots()
    figures.label_lines(ax)
    (line,) = ax.plot([1, np.nan])
    with pytest.raises(ValueError, match="at must be the index of one of the 1 points"):
        figures.label_line(ax, line, at=1)


def test_image_grid():
    figures.image_grid(PIXELS.reshape(4, 8, 8), masks=PIXELS.reshape(4, 8, 8) - 0.5, titles="abcd", columns=3)
    fig = plt.gcf()
    assert [len(ax.images) for ax in fig.axes] == [2, 2, 2, 2, 0, 0]
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c", "d", "", ""]
    low, high = fig.axes[0].images[1].get_clim()
    assert low == -high


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((8, 8))}, "images must have 3 axes"),
        ({"masks": np.zeros((1, 8, 8))}, "masks must have shape"),
        ({"titles": ["a"]}, "titles must have one entry"),
        ({"columns": 0}, "columns must be at least 1"),
    ],
)
def test_image_grid_rejects(arguments, message):
    with pytest.raises(ValueError, match=message):
        figures.image_grid(**({"images": np.zeros((2, 8, 8))} | arguments))
