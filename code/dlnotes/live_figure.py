"""One live figure as HTML: a static picture, its data, and a script that brings the same numbers to life."""

import json
import re
from dataclasses import dataclass
from importlib.resources import files

from dlnotes import checks

FIGURES = ("race", "momentum", "moments", "process")
"""The live figures, by the name that stands in the element and in the address of a shared state."""


def live_source(name):
    """Return the text of one of the hand-written files in ``dlnotes/live``.

    Parameters
    ----------
    name : str
        The file's name, for instance ``"core.js"``.

    Returns
    -------
    str
    """
    return (files("dlnotes") / "live" / name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class LiveFigure:
    """What a notebook cell ends with; shown as one custom element, ``<descent-explorer>``.

    Without JavaScript, and in print, the element shows its static picture. A page may hold several figures, also
    two of one kind: nothing in them has a name that another one could take.

    Attributes
    ----------
    figure : str
        One of `FIGURES`.
    summary : str
        What the figure shows, in one line: the output of a notebook without HTML.
    picture : str
        The static picture, as HTML with inline SVG.
    data : dict
        What the script reads: numbers, strings and lists, as JSON can hold them.
    generated : dict of str to str
        JavaScript printed from the package's formulas, by the names under which the script finds it.
    sources : tuple of str
        Hand-written files of ``dlnotes/live``; the last one defines a function called as `figure`.

    Raises
    ------
    ValueError
        If `figure` is not one of `FIGURES`, or `data` holds a number that is not finite.
    """

    figure: str
    summary: str
    picture: str
    data: dict
    generated: dict
    sources: tuple

    def __post_init__(self):
        checks.one_of("figure", self.figure, FIGURES)
        json.dumps(self.data, allow_nan=False)

    def script(self):
        """Return the script: the shared part, the figure's part, and the generated formulas.

        Returns
        -------
        str
            It ends by handing the figure to the element in which it stands, and leaves no name behind.
        """
        parts = [_without_comments(live_source(name)) for name in ("core.js", "plot.js", *self.sources)]
        formulas = ",\n".join(f"{json.dumps(name)}: {source}" for name, source in self.generated.items())
        css = json.dumps(re.sub(r"\s+", " ", live_source("explorer.css")))
        element = f'document.querySelector("descent-explorer[figure={self.figure}]:not([live])")'
        lines = [
            "(() => {",
            '"use strict";',
            *parts,
            f"const generated = {{\n{formulas}\n}};",
            'if (!customElements.get("descent-explorer")) customElements.define("descent-explorer", DescentExplorer);',
            f'const here = document.currentScript?.closest("descent-explorer") ?? {element};',
            f"here.show({self.figure}, generated, {css});",
            "})();",
        ]
        return "\n".join(lines).replace("</", "<\\/")

    def _repr_html_(self):
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return "\n".join(
            [
                f'<descent-explorer figure="{self.figure}">',
                self.picture,
                f'<script type="application/json">{data.replace("<", chr(92) + "u003c")}</script>',
                f"<script>\n{self.script()}\n</script>",
                "</descent-explorer>",
            ]
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def __repr__(self):
        return f"<live figure: {self.summary}>"


def _without_comments(source):
    """The code alone: its block comments are for those who read the file, not for the page."""
    return re.sub(r"\n\s*\n", "\n", re.sub(r"^ */\*.*?\*/\n", "", source, flags=re.M | re.S)).strip()
