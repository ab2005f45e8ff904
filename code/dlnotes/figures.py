"""The book's figure style, and the few drawing helpers that its chapters share.

A notebook begins with ``figures.setup()``.  It sets the style and gives every displayed figure a text summary
(`dlnotes.figure_summaries`) beside its picture: readers see the picture, tests compare the summary.  Nothing here has
an effect before `setup` is called.  Helpers that draw return None, so that a cell may end with one.
"""

import gc
from base64 import b64encode
from io import BytesIO
from numbers import Integral

import numpy as np
from matplotlib import colors, rcParams, ticker
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

try:
    from IPython import get_ipython
    from matplotlib_inline import backend_inline
except ImportError:  # a script without notebooks

    def get_ipython():
        """Tell that there is no notebook."""


from dlnotes import checks
from dlnotes.figure_style import COLOURS, OPTIMIZER_STYLES, RC, style, theory_style
from dlnotes.figure_summaries import summary

__all__ = [
    "COLOURS",
    "OPTIMIZER_STYLES",
    "contour",
    "image_grid",
    "label_line",
    "label_lines",
    "path",
    "setup",
    "style",
    "summary",
    "theory_style",
]


def setup():
    """Set the book's figure style and number format; in IPython, also give figures their text summary.

    Call it in the first code cell of a notebook.  It may be called again.  Outside IPython it only sets
    ``matplotlib.rcParams`` and NumPy's print options.
    """
    rcParams.update(RC)
    np.set_printoptions(precision=4, suppress=True)
    ip = get_ipython()
    if ip is not None:
        # The colours suit any page, so no reader need give the figure a background; finding out costs a drawing.
        backend_inline._fetch_figure_metadata = lambda fig: None
        # as a bundle: the inline backend removes Figure from the formatter of plain text
        ip.display_formatter.mimebundle_formatter.for_type(plt.Figure, _bundle)
        gc.freeze()  # the libraries stay to the end: each full collection would look through them for 0.1 s or more


def _bundle(fig, include=None, exclude=None):
    """Return the summary of a figure that is about to be stored, and see to it that its picture is ours.

    The inline backend registers its own, larger picture when the first figure is made, long after `setup`.
    """
    get_ipython().display_formatter.formatters["image/png"].for_type(plt.Figure, _png)
    return {"text/plain": summary(fig)}


def _png(fig):
    """Return the whole figure at its own size as a PNG of 256 colours: a quarter of the bytes, the same to the eye."""
    canvas, small = FigureCanvasAgg(fig), BytesIO()
    _lighten(fig)
    canvas.draw()  # once: savefig would lay the figure out and draw it twice
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(small, format="png")
    return b64encode(small.getvalue()).decode()


class _Powers(ticker.LogFormatterSciNotation):
    """Powers of ten in plain characters: the same to the eye, without the time that parsing mathematics takes."""

    _raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

    def __call__(self, x, pos=None):
        power = np.round(np.log10(x))
        if not np.isclose(x, 10**power, rtol=1e-9):
            return super().__call__(x, pos)
        return "10" + str(int(power)).translate(self._raised)


def _lighten(fig):
    """Take from the log axes what only costs time: minor ticks over three decades or more, and labels as mathematics.

    They make up half the time of drawing such a figure.
    """
    for ax in fig.axes:
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            plain = type(axis.get_major_formatter()) is ticker.LogFormatterSciNotation
            if plain and getattr(axis.get_transform(), "base", None) == 10 and max(limits) >= 1000 * min(limits):
                axis.set_minor_locator(ticker.NullLocator())
                axis.set_major_formatter(_Powers())


def contour(ax, objective, xlim, ylim, *, levels=12, **style):
    """Draw the contours of an objective of two variables as thin lines, with a cross at each known minimizer.

    The limits of the axes are set to the two ranges.

    Parameters
    ----------
    ax : Axes
    objective : Objective
        Anything with ``value(theta)`` for ``theta`` of shape (..., 2), returning shape (...).
    xlim, ylim : pair of float
        Lowest and highest value of the first and second coordinate.
    levels : int or sequence of float
        How many levels, spaced by squares from the lowest value on the grid (evenly spaced rings on a quadratic), or
        the levels themselves in increasing order.
    **style
        Keywords for ``ax.contour``.

    Raises
    ------
    ValueError
        If a range is not increasing and finite, there is no level, or the objective does not return shape (...).
    """
    for name, limits in {"xlim": xlim, "ylim": ylim}.items():
        low, high = checks.real_array(name, limits, shape=(2,))
        if not low < high:
            raise ValueError(f"{name} must increase from low to high, got {limits!r}")
    # Even and different counts: no node on an axis of symmetry, where rounding decides on which side of a level it is.
    x, y = np.linspace(*xlim, 200), np.linspace(*ylim, 194)
    z = np.asarray(objective.value(np.stack(np.meshgrid(x, y), axis=-1)), dtype=float)
    if z.shape != (194, 200):
        raise ValueError(f"objective.value must map shape (194, 200, 2) to (194, 200), got {z.shape}")
    if np.ndim(levels) == 0:
        levels = checks.whole_number("levels", levels, low=1)
        low, high = np.nanmin(z), np.nanmax(z)
        levels = low + (high - low) * (np.arange(0.5, levels) / levels) ** 2
    elif np.any(np.diff(checks.real_array("levels", levels, dimensions=1)) <= 0):
        raise ValueError(f"levels must increase, got {levels!r}")
    style = {"colors": COLOURS["contour"], "linewidths": 0.8, "alpha": 0.75, "zorder": 1} | style
    ax.contour(x, y, z, levels=levels, **style)
    for minimizer in getattr(objective, "minimizers", ()):
        ax.plot(*minimizer, "+", color=COLOURS["text"], markersize=9, markeredgewidth=1.4, label="_")
    ax.set(xlim=xlim, ylim=ylim)


def path(ax, theta, *, label=None, **style):
    """Draw a trajectory in the plane: a line with a dot for each step, a ring at the start, a disc at the end.

    Parameters
    ----------
    ax : Axes
    theta : array_like, shape (steps + 1, 2)
    label : str, optional
        For a legend or `label_lines`.
    **style
        Keywords for ``ax.plot``, usually ``**figures.style("adam")``.

    Raises
    ------
    ValueError
        If ``theta`` has another shape or a value that is not finite.
    """
    theta = checks.real_array("theta", theta, dimensions=2)
    if theta.shape[1] != 2:
        raise ValueError(f"theta must have shape (steps + 1, 2), got {theta.shape}")
    dots = {"marker": "o", "markersize": 3.2} if len(theta) <= 80 else {}
    (line,) = ax.plot(*theta.T, label=label, **({"linewidth": 1.7, "zorder": 2.5} | dots | style))
    ends = {
        "color": line.get_color(),
        "linestyle": "none",
        "marker": "o",
        "label": "_",
        "zorder": line.get_zorder() + 0.1,
    }
    ax.plot(*theta[0], markersize=8, markerfacecolor="none", markeredgewidth=1.6, **ends)
    ax.plot(*theta[-1], markersize=7.5, **ends)


def label_line(ax, line, text=None, *, at=-1, dx=6, dy=0, **style):
    """Write a label beside a point of a line, in the line's colour, instead of a legend.

    The label is an annotation, so the constrained layout makes room for it beside the axes.

    Parameters
    ----------
    ax : Axes
    line : Line2D
    text : str, optional
        Default: the line's own label.
    at : int
        Index of the point; default the last.  Points that are not finite, or not positive on a log axis, don't count.
    dx, dy : float
        Shift in points (1/72 inch).
    **style
        Keywords for ``ax.annotate``.

    Raises
    ------
    TypeError
        If ``at`` is not a whole number.
    ValueError
        If the line has no such point to write beside.
    """
    points = _drawn_points(ax, line)
    if not isinstance(at, Integral):
        raise TypeError(f"at must be a whole number, got {at!r}")
    if not -len(points) <= at < len(points):
        raise ValueError(f"at must be the index of one of the {len(points)} points that are drawn, got {at!r}")
    ax.annotate(
        line.get_label() if text is None else text,
        points[at],
        xytext=(dx, dy),
        textcoords="offset points",
        **({"color": line.get_color(), "va": "center", "annotation_clip": False} | style),
    )


def label_lines(ax, *, gap=14, **style):
    """Label all labelled lines of ``ax`` at their ends, moved up or down to stay ``gap`` points apart.

    Parameters
    ----------
    ax : Axes
        Its limits and scales must be set.
    gap : float
        Least distance of two labels, in points.
    **style
        Keywords for `label_line`.
    """
    ax.autoscale_view()  # a pending change of the limits would come after the labels
    lines = [line for line in ax.lines if not line.get_label().startswith("_") and len(_drawn_points(ax, line))]
    points_high = ax.get_position().height * ax.figure.get_size_inches()[1] * 72

    def height(line):
        return ax.transAxes.inverted().transform(ax.transData.transform(_drawn_points(ax, line)[-1]))[1] * points_high

    lines.sort(key=height)
    wanted = np.array([height(line) for line in lines])
    steps = gap * np.arange(len(lines))
    # The least moved heights that keep the order: averages of neighbouring blocks (pool adjacent violators).
    blocks = []
    for value in wanted - steps:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [[(m * a + n * b) / (m + n), m + n]]
    placed = np.concatenate([np.full(n, value) for value, n in blocks] or [[]]) + steps
    for line, dy in zip(lines, placed - wanted, strict=True):
        label_line(ax, line, dy=dy, **style)


def _drawn_points(ax, line):
    """Return the points of ``line`` that the scales of ``ax`` can show, shape (n, 2)."""
    points = np.asarray(line.get_xydata(), dtype=float)
    shown = np.isfinite(points).all(axis=1)
    for k, scale in enumerate((ax.get_xscale(), ax.get_yscale())):
        shown &= (points[:, k] > 0) | (scale != "log")
    return points[shown]


def _fading(*hues):
    """Return a colour map through ``hues``: (colour, alpha) pairs."""
    return colors.LinearSegmentedColormap.from_list("fading", [colors.to_rgba(c, a) for c, a in hues])


def image_grid(images, *, masks=None, titles=None, columns=None):
    """Draw small grey pictures in a grid in a new figure; the paper is transparent, the ink grey.

    Parameters
    ----------
    images : array_like, shape (n, height, width)
    masks : array_like, shape (n, height, width), optional
        Signed weights drawn over each picture: vermilion where positive, blue where negative, on one scale.
    titles : sequence of n str, optional
    columns : int, optional
        Default: all in one row up to 8.

    Raises
    ------
    ValueError
        If the shapes or lengths do not fit, or ``columns`` is below 1.
    """
    images = checks.real_array("images", images, dimensions=3)
    n = len(images)
    if masks is not None:
        masks = checks.real_array("masks", masks, shape=images.shape)
    if titles is not None and len(titles) != n:
        raise ValueError(f"titles must have one entry for each of the {n} images, got {len(titles)}")
    columns = min(n, 8) if columns is None else checks.whole_number("columns", columns, low=1)
    rows = -(-n // columns)
    side = min(6.4 / columns, 1.6)
    height = side * images.shape[1] / images.shape[2] + (0 if titles is None else 0.3)
    _, axes = plt.subplots(rows, columns, squeeze=False, figsize=(columns * side, rows * height))
    ink = _fading(("#7a7a7a", 0), ("#7a7a7a", 1))
    sign = _fading(
        (COLOURS["blue"], 0.95), (COLOURS["blue"], 0), (COLOURS["vermilion"], 0), (COLOURS["vermilion"], 0.95)
    )
    for k, ax in enumerate(axes.flat):
        ax.set_axis_off()
        if k < n:
            ax.imshow(images[k], cmap=ink, vmin=images.min(), vmax=images.max())
            if masks is not None:
                ax.imshow(masks[k], cmap=sign, vmin=-np.abs(masks).max(), vmax=np.abs(masks).max())
            ax.set_title("" if titles is None else titles[k])
