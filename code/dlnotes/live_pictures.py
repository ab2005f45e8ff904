"""Small static pictures as SVG text, in the colours of the page: what a live figure shows without a script."""

from html import escape

import numpy as np

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 340, 46, 14, 26, 38
DASHES = {"-": "", (0, (5, 1.8)): "7 3", (0, (1.2, 1.4)): "2 2.6", (0, (5, 1.6, 1.2, 1.6)): "7 3 2 3"}
"""Matplotlib's line styles of the book as SVG's dashes."""


class Picture:
    """One plot: a frame with scales, filled by its methods, and at last written with `svg`.

    Parameters
    ----------
    x, y : pair of float
        The ends of the axes.
    names : pair of str
        What stands on the axes.
    height : int
        Of the whole plot, in pixels; the width is that of a phone, so that two fit beside each other on a page.
    log_y : bool
        Whether the vertical axis is logarithmic.
    """

    def __init__(self, x, y, names, *, height=300, log_y=False):
        self.limits, self.names, self.height, self.log_y = (x, y), names, height, log_y
        self.inner = WIDTH - LEFT - RIGHT, height - TOP - BOTTOM
        self.inside, self.outside = [], []

    def pixels(self, x, y):
        """Return pixels inside the frame for data; what is far outside stays within a finite box.

        Parameters
        ----------
        x, y : array_like of float
            Of one shape.

        Returns
        -------
        numpy.ndarray of shape (…, 2)
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = np.log10(self.limits[1]) if self.log_y else self.limits[1]
            up = (np.log10(y) if self.log_y else np.asarray(y) - 0.0) - low
        across = (np.asarray(x) - self.limits[0][0]) / (self.limits[0][1] - self.limits[0][0])
        return np.clip(np.stack([across * self.inner[0], (1 - up / (high - low)) * self.inner[1]], -1), -1e4, 1e4)

    def path(self, x, y, style):
        """Draw a line through points that are finite.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            The points.
        style : str
            Attributes of the SVG path.
        """
        points = self.pixels(x, y)
        text = "L".join(f"{a:.1f} {b:.1f}" for a, b in points[np.isfinite(points).all(axis=1)])
        self.inside.append(f'<path d="M{text}" fill="none" {style}/>')

    def dot(self, x, y, style, radius=5):
        """Draw a disc at one point.

        Parameters
        ----------
        x, y : float
            The point.
        style : str
            Attributes of the SVG circle.
        radius : float
            In pixels.
        """
        a, b = self.pixels(x, y)
        self.inside.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}" {style}/>')

    def text(self, x, y, words, attributes=""):
        """Write words at a point.

        Parameters
        ----------
        x, y : float
            The point, in data.
        words : str
            What to write.
        attributes : str
            More attributes of the SVG text, such as its anchor.
        """
        a, b = self.pixels(x, y)
        self.inside.append(_text(a, b, words, attributes))

    def svg(self, label, x_ticks, y_ticks):
        """Return the picture as SVG that shrinks with its column.

        Parameters
        ----------
        label : str
            What it shows, for those who do not see it.
        x_ticks, y_ticks : dict of float to str
            Where the axes are marked, and with what.

        Returns
        -------
        str
        """
        width, height = self.inner
        axes, marks = [], f"M0 0V{height}H{width}"
        for value, words in x_ticks.items():
            a = self.pixels(value, self.limits[1][0])[0]
            marks += f"M{a:.1f} {height}v5"
            axes.append(_text(a, height + 18, words, 'text-anchor="middle"'))
        for value, words in y_ticks.items():
            b = self.pixels(self.limits[0][0], value)[1]
            marks += f"M0 {b:.1f}h-5"
            axes.append(_text(-9, b + 4, words, 'text-anchor="end"'))
        axes.append(_text(width, height + 34, self.names[0], 'text-anchor="end"'))
        axes.append(_text(2 - LEFT, -12, self.names[1]))
        return (
            f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(label)}" font-size="12.5" '
            f'fill="currentColor" style="flex:1 1 {WIDTH - 20}px;max-width:460px;min-width:0">'
            f'<g transform="translate({LEFT} {TOP})"><path d="{marks}" fill="none" stroke="currentColor" '
            f'stroke-opacity=".5"/>{"".join(axes)}'
            f'<svg width="{width}" height="{height}" style="overflow:hidden!important">'
            f"{''.join(self.inside)}</svg></g></svg>"
        )


def line_style(style, width=2):
    """Return the SVG attributes of a line style of the book.

    Parameters
    ----------
    style : dict
        With ``color`` and ``linestyle``, as `dlnotes.figures.style` returns it.
    width : float
        In pixels.

    Returns
    -------
    str
    """
    dash = DASHES[style["linestyle"]]
    return f'stroke="{style["color"]}" stroke-width="{width}"' + (f' stroke-dasharray="{dash}"' if dash else "")


def power_of_ten(power):
    """Return a power of ten as people write it.

    Parameters
    ----------
    power : int
        The exponent.

    Returns
    -------
    str

    Examples
    --------
    >>> power_of_ten(-6), power_of_ten(0)
    ('10⁻⁶', '1')
    """
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")) if power else "1"


def legend(entries):
    """Return samples of lines with their names.

    Parameters
    ----------
    entries : sequence of (dict, str)
        A line style of the book, and a name.

    Returns
    -------
    str
        HTML.
    """
    sample = '<svg width="30" height="12" aria-hidden="true"><path d="M2 6H28" {}/></svg> {}'
    spans = "".join(f"<span>{sample.format(line_style(style, 2.5), escape(name))}</span>" for style, name in entries)
    return f'<div style="display:flex;flex-wrap:wrap;gap:2px 20px;font-size:.9em">{spans}</div>'


def side_by_side(*pictures, below=""):
    """Return pictures in a row that breaks where the page is narrow.

    Parameters
    ----------
    *pictures : str
        SVG.
    below : str
        HTML under them, such as a `legend`.

    Returns
    -------
    str
        HTML.
    """
    row = "".join(pictures)
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px 20px;font-family:system-ui,sans-serif">{row}</div>{below}'


def _text(x, y, words, attributes=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(words)}</text>'
