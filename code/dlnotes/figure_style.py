"""How the book's figures look: colours, a line style for each optimizer, and matplotlib's settings."""

from cycler import cycler

from dlnotes import checks

# Every colour of a line keeps a contrast of 3:1 or more on white and on a dark page (#121212).  The hues are those of
# Okabe and Ito, darkened where needed; rules of one family sit near each other and differ in their line style too.
COLOURS = {
    "text": "#7a7a7a",
    "theory": "#7a7a7a",
    "contour": "#8c98a8",
    "grid": "#7a7a7a",
    "blue": "#0a7cc2",
    "orange": "#c98200",
    "green": "#009b72",
    "vermilion": "#dc5a0a",
    "purple": "#c060a0",
    "sky": "#3b93cf",
    "olive": "#7d8f0a",
    "brown": "#a5714a",
}

_SOLID, _DASHED, _DOTTED, _DASHDOT = "-", (0, (5, 1.8)), (0, (1.2, 1.4)), (0, (5, 1.6, 1.2, 1.6))

OPTIMIZER_STYLES = {
    "gradient_descent": {"label": "gradient descent", "color": "#0a7cc2", "linestyle": _SOLID},
    "stochastic": {"label": "one sample", "color": "#c98200", "linestyle": _SOLID},
    "mini_batch": {"label": "mini-batch", "color": "#8f6fd6", "linestyle": _SOLID},
    "momentum": {"label": "momentum", "color": "#009b72", "linestyle": _SOLID},
    "nesterov": {"label": "Nesterov", "color": "#7d8f0a", "linestyle": _DASHED},
    "adagrad": {"label": "Adagrad", "color": "#a5714a", "linestyle": _SOLID},
    "rmsprop": {"label": "RMSprop", "color": "#dc5a0a", "linestyle": _DASHED},
    "adadelta": {"label": "Adadelta", "color": "#bd8a00", "linestyle": _DASHDOT},
    "adam": {"label": "Adam", "color": "#cc4f97", "linestyle": _SOLID},
    "adamw": {"label": "AdamW", "color": "#9161d4", "linestyle": _DASHED},
    "nadam": {"label": "Nadam", "color": "#e0434f", "linestyle": _DASHDOT},
    "amsgrad": {"label": "AMSGrad", "color": "#4a86d9", "linestyle": _DOTTED},
}

theory_style = {
    "label": "theory",
    "color": COLOURS["theory"],
    "linestyle": (0, (4, 2.5)),
    "linewidth": 2.0,
    "zorder": 3,
}

RC = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.framealpha": 0.0,
    "savefig.bbox": None,
    "savefig.dpi": "figure",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "legend.fontsize": 11,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    **dict.fromkeys(
        [
            "text.color",
            "axes.labelcolor",
            "axes.titlecolor",
            "axes.edgecolor",
            "xtick.color",
            "ytick.color",
            "legend.labelcolor",
        ],
        COLOURS["text"],
    ),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlepad": 8,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "grid.color": COLOURS["grid"],
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "lines.markersize": 5,
    "legend.frameon": False,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.limits": (-3, 5),
    "image.cmap": "cividis",
    "axes.prop_cycle": cycler(color=[COLOURS[c] for c in ("blue", "vermilion", "green", "purple", "orange", "sky")]),
}


def style(name, **changes):
    """Return the line style of an optimizer as keywords for ``ax.plot`` and `path`.

    Parameters
    ----------
    name : str or Rule
        A key of `OPTIMIZER_STYLES`, ``"theory"``, or a rule with such a name; case, spaces and hyphens do not matter.
    **changes
        Keywords that replace or extend the style, such as ``label="Adam, η = 0.1"`` or ``alpha=0.5``.

    Returns
    -------
    dict
        ``label``, ``color``, ``linestyle`` and the changes.

    Raises
    ------
    ValueError
        If no style has this name.
    """
    key = str(getattr(name, "name", name)).lower().replace(" ", "_").replace("-", "_")
    known = OPTIMIZER_STYLES | {"theory": theory_style}
    return known[checks.one_of("name", key, known)] | changes
