"""A figure in words: what it draws, as text that a test can compare.

A stored picture depends on the machine's fonts and says little about what went wrong.  The summary says for every axes
its title, labels, scales and limits, and for every artist its label, colour and the moments of its data at four
significant digits, so that a changed curve is a changed text.
"""

from zlib import crc32

import numpy as np
from matplotlib import collections, colors, contour, patches, quiver, ticker
from matplotlib.category import StrCategoryFormatter
from matplotlib.lines import AxLine

_KINDS = (
    contour.ContourSet,
    quiver.Quiver,
    collections.QuadMesh,
    collections.PathCollection,
    collections.LineCollection,
    collections.PolyCollection,
    collections.Collection,
)


def summary(fig):
    """Return a description of what a figure draws, one line for the figure, each axes and each artist.

    Parameters
    ----------
    fig : Figure

    Returns
    -------
    str
        It begins with ``Figure 6.4x3.6 in, 1 axes``.  Numbers have four significant digits, values below 1e-9 of their
        scale are 0, and data on a log axis are described by their decimal logarithm.

    Raises
    ------
    TypeError
        If ``fig`` is not a figure.
    NotImplementedError
        If the figure has three-dimensional axes: their artists hold no data until they are drawn.
    """
    if not hasattr(fig, "get_size_inches"):
        raise TypeError(f"fig must be a matplotlib Figure. Got {type(fig).__name__} instead.")
    width, height = fig.get_size_inches()
    lines = [f"Figure {width:g}x{height:g} in, {len(fig.axes)} axes"]
    lines += [f"  {_text(t)}" for t in fig.texts] + [_legend(legend) for legend in fig.legends]
    for k, ax in enumerate(fig.axes):
        lines += _axes(ax, f"axes {k}")
    return "\n".join(lines)


def _axes(ax, name):
    """Return the lines that describe one axes and what it holds."""
    if hasattr(ax, "zaxis"):
        raise NotImplementedError("three-dimensional axes have no summary: draw contours or slices instead")
    title = " | ".join(text for loc in ("left", "center", "right") if (text := ax.get_title(loc)))
    state = "" if ax.get_visible() and ax.axison else " axis off" if ax.get_visible() else " hidden"
    lines = [f"{name}: title={title!r}{state}"]
    for letter, axis, limits in (("x", ax.xaxis, ax.get_xlim()), ("y", ax.yaxis, ax.get_ylim())):
        lines.append(f"  {letter}: {axis.label.get_text()!r} {axis.get_scale()} {_values(limits)}{_ticks(axis)}")
    lines += [_line(ax, line) for line in ax.lines if line.get_visible()]
    lines += [_collection(ax, c) for c in ax.collections if c.get_visible()]
    lines += _patches(ax)
    lines += [f"  image {_extent(im)} {_mapping(im)} {_field(im.get_array())}" for im in ax.images if im.get_visible()]
    lines += [f"  {_text(t)}" for t in ax.texts if t.get_visible()]
    lines += [f"  {type(artist).__name__}" for artist in [*ax.artists, *ax.tables]]
    if ax.get_legend() is not None:
        lines.append(_legend(ax.get_legend()))
    for k, child in enumerate(ax.child_axes):
        lines += _axes(child, f"{name}.{k}")
    return lines


def _line(ax, line):
    x, y = line.get_xdata(orig=False), line.get_ydata(orig=False)
    colour, width, marker = _hex(line.get_color(), line.get_alpha()), line.get_linewidth(), line.get_marker()
    look = f"{colour} ls={line.get_linestyle()} lw={width:g} marker={marker}"
    if marker not in ("None", None, ""):
        look += f" size={line.get_markersize():g} face={_hex(line.get_markerfacecolor())} every={line.get_markevery()}"
    if line.get_drawstyle() != "default":
        look += f" {line.get_drawstyle()}"
    if isinstance(line, AxLine):
        return f"  line {line.get_label()!r} {look} through {line.get_xy1()} {line.get_xy2()} slope {line.get_slope()}"
    return f"  line {line.get_label()!r} {look} x[{_curve(x, ax.xaxis)}] y[{_curve(y, ax.yaxis)}]"


def _collection(ax, c):
    kind = next(k for k in _KINDS if isinstance(c, k))
    parts = [f"  {kind.__name__} {c.get_label() if not c.get_label().startswith('_') else ''!r}"]
    if kind is contour.ContourSet:
        parts.append(f"levels[{_moments(c.levels)}] " + " ".join(dict.fromkeys(map(_hex, c.to_rgba(c.cvalues)))))
    elif c.get_array() is not None:
        parts.append(f"{_mapping(c)} {_field(c.get_array())}")
    else:
        faces, edges = (sorted({_hex(rgba) for rgba in rgbas}) for rgbas in (c.get_facecolor(), c.get_edgecolor()))
        parts.append(f"face={','.join(faces[:8])} edge={','.join(edges[:8])}")
    if kind in (contour.ContourSet, collections.LineCollection):
        dashes = [_values(dashes or ()) for _, dashes in c.get_linestyle()]
        parts.append(f"lw={_values(np.unique(c.get_linewidth()))} dashes={','.join(dict.fromkeys(dashes))}")
    if kind in (collections.PathCollection, quiver.Quiver):
        offsets = np.ma.filled(np.ma.asarray(c.get_offsets(), dtype=float), np.nan)
        parts.append(f"at x[{_curve(offsets[:, 0], ax.xaxis)}] y[{_curve(offsets[:, 1], ax.yaxis)}]")
    if kind is collections.PathCollection:
        parts.append(f"sizes[{_moments(c.get_sizes())}]")
    if kind is quiver.Quiver:
        parts.append(f"u[{_moments(c.U)}] v[{_moments(c.V)}]")
    elif kind is collections.QuadMesh:
        parts += [
            f"{name}[{_moments(xy)}]" for name, xy in zip("xy", np.moveaxis(c.get_coordinates(), -1, 0), strict=True)
        ]
    else:
        parts.append(_vertices([p.vertices for p in c.get_paths()]))
    return " ".join(parts)


def _patches(ax):
    """Return one line for each run of patches that look the same: the bars of one call, for example."""
    runs = {}
    for patch in ax.patches:
        if patch.get_visible():
            look = f"face={_hex(patch.get_facecolor())} edge={_hex(patch.get_edgecolor())}"
            if patch.get_hatch() or patch.get_linestyle() not in ("solid", "-"):
                look += f" hatch={patch.get_hatch()} ls={patch.get_linestyle()}"
            key = (type(patch).__name__, look)
            if isinstance(patch, patches.FancyArrowPatch):  # its path depends on the layout, its two ends don't
                vertices = np.array(patch._posA_posB, dtype=float)
            else:
                vertices = patch.get_patch_transform().transform(patch.get_path().vertices)
            runs.setdefault(key, []).append(vertices)
    return [f"  {len(run)} {kind} {look} {_vertices(run)}" for (kind, look), run in runs.items()]


def _text(text):
    target = f" to {_values(text.xy)}" if hasattr(text, "xy") else ""
    return f"text {text.get_text()!r} {_hex(text.get_color())} at {_values(text.get_position())}{target}"


def _legend(legend):
    colours = [_hex(h.get_color() if hasattr(h, "get_color") else h.get_facecolor()) for h in legend.legend_handles]
    return f"  legend {[t.get_text() for t in legend.get_texts()]} {' '.join(colours)}"


def _ticks(axis):
    """Return the tick labels that were typed by hand or are categories, or an unusual format, else nothing."""
    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    if isinstance(formatter, StrCategoryFormatter):
        return f" {list(formatter._units)}"
    if isinstance(locator, ticker.FixedLocator):
        return f" ticks {_values(locator.locs)} {formatter.format_ticks(locator.locs)}"
    if not isinstance(formatter, ticker.ScalarFormatter | ticker.LogFormatter):
        return f" {type(formatter).__name__} {getattr(formatter, 'fmt', '')}".rstrip()
    return ""


def _mapping(artist):
    """Return the ends and the middle of a colour map and the values they stand for."""
    return f"{','.join(_hex(rgba) for rgba in artist.get_cmap()([0.0, 0.5, 1.0]))} over {_values(artist.get_clim())}"


def _extent(image):
    return f"{_values(image.get_extent())}" if hasattr(image, "get_extent") else ""


def _hex(colour, alpha=None):
    if np.ndim(colour) == 2:  # a collection's colours
        return ",".join(sorted({_hex(c) for c in colour}))
    return colors.to_hex(colors.to_rgba(colour, alpha), keep_alpha=True).removesuffix("ff")


# --- numbers --------------------------------------------------------------------------------------------------------
def _number(value, scale):
    """Return four significant digits.  The factor moves exact ties off the edge where the last bit would decide."""
    return "0" if abs(value) < 1e-9 * scale else f"{value * (1 + 1e-8):.4g}"


def _values(values):
    values = np.asarray(values, dtype=float).ravel()
    scale = np.max(np.abs(values), initial=0.0)
    return f"({', '.join(_number(v, scale) for v in values)})"


def _finite(values):
    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()


def _moments(values, scale=0.0):
    """Return n, extremes, mean, standard deviation and slope: the mean of values times a ramp from -1 to 1."""
    values = _finite(values)
    f = values[np.isfinite(values)]
    if not f.size:
        return f"n={values.size}"
    scale = max(scale, np.max(np.abs(f)))
    if f.size == 1:
        return f"n={values.size} at {_number(f[0], scale)}"
    slope = np.mean(np.linspace(-1, 1, f.size) * (f - f.mean()))
    named = {"min": f.min(), "max": f.max(), "mean": f.mean(), "std": f.std(), "slope": slope}
    count = f"n={f.size}" + (f"/{values.size}" if f.size < values.size else "")
    return " ".join([count, *(f"{name}={_number(v, scale)}" for name, v in named.items())])


def _curve(values, axis):
    """Return the moments, both ends and the total variation of one coordinate of a line or of points."""
    values = _finite(values)
    top = np.max(np.abs(values[np.isfinite(values)]), initial=0.0)
    if axis.get_scale() == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(values > 0, np.log10(np.maximum(values, 1e-9 * top)), np.nan)
        scale = 1.0
    else:
        scale = max(top, np.max(np.abs(axis.get_view_interval())))
    f = values[np.isfinite(values)]
    ends = (
        ""
        if f.size < 2
        else (
            f" first={_number(f[0], scale)} last={_number(f[-1], scale)} way={_number(np.abs(np.diff(f)).sum(), scale)}"
        )
    )
    return _moments(values, scale) + ends


def _vertices(paths):
    vertices = np.concatenate([np.asarray(p, dtype=float) for p in paths if len(p)] or [np.empty((0, 2))])
    return f"{len(paths)} paths x[{_moments(vertices[:, 0])}] y[{_moments(vertices[:, 1])}]"


def _field(values):
    """Return shape, moments and a checksum at three digits, which sees a single changed pixel."""
    shape, values = np.shape(values), _finite(values)
    scale = np.max(np.abs(values[np.isfinite(values)]), initial=0.0) or 1.0
    digits = np.nan_to_num(np.rint(values / scale * 1000 + 1e-4), nan=-9999, posinf=9999, neginf=-9998)
    return f"{shape}[{_moments(values)} crc={crc32(digits.astype('<i4').tobytes()):08x}]"
