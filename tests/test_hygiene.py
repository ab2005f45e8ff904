"""Each hygiene checker is silent on a good notebook and sees the one fault that a broken copy has."""

import base64
import io

import hygiene
import nbformat.v4 as v4
import pytest
from PIL import Image


def png(colours=("#0a7cc2", "#dc5a0a"), size=64):
    """Return a small PNG of vertical stripes, as base64."""
    picture, content = Image.new("RGBA", (size, size), (0, 0, 0, 0)), io.BytesIO()
    for k, colour in enumerate(colours):
        picture.paste(colour, (k * size // len(colours), 0, size, size))
    picture.save(content, format="png")
    return base64.b64encode(content.getvalue()).decode()


def stream(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def shown(**data):
    return v4.new_output("display_data", {key.replace("_", "/"): value for key, value in data.items()})


EXERCISE = """:::{exercise} Title
:label: ex-%d
Show it for $x = 0.125$.
:::

```{solution-start} ex-%d
:class: dropdown
```
By hand."""
ALT = {"image": {"alt": "Two stripes, blue on the left and red on the right"}}


def good():
    """Return a notebook with one of everything, all in order."""
    cells = [
        v4.new_markdown_cell(
            "# Title 12.345\n\n```{admonition} In this chapter\n:class: tip\nWhat one learns, {cite:t}`adam2015`.\n```"
        ),
        v4.new_code_cell("from dlnotes import figures\n\nfigures.setup()", metadata={"tags": ["remove-input"]}),
        v4.new_markdown_cell(
            "Of 1,797 pictures 97.4 % are read (MBGD-4, 2015, `0.123`, $\\eta = 0.125$), 300,000 updates.\n\n(eq-rule)="
        ),
        v4.new_code_cell(
            "print(1797, 0.97443)\nequations(adam)",
            outputs=[stream("1797 0.97443\n"), shown(text_plain="[Eq(x, y)]", text_latex="$x = y$")],
        ),
        v4.new_markdown_cell("$$\nx = 0.777\n$$ (eq-typed)\n\n(eq-other)=\n```{math}\nx = 1.234\n```"),
        v4.new_code_cell("x = 1\nassert x == 1", metadata={"tags": ["eq-typed", "eq-other", "hide-cell"]}),
        v4.new_code_cell(
            "fig, ax = plt.subplots()\nplt.show()",
            metadata={"mystnb": ALT},
            outputs=[shown(image_png=png(), text_plain="Figure 6.4x3.6 in, 1 axes\naxes 0: 0.98765")],
        ),
        v4.new_markdown_cell("## Summary\n\n## What the notes say\n\n## Further reading\n\n## Exercises"),
    ]
    for k in range(5):
        cells += [
            v4.new_markdown_cell(EXERCISE % (k, k)),
            v4.new_code_cell("x = 1"),
            v4.new_markdown_cell("```{solution-end}\n```"),
        ]
    for k, cell in enumerate((c for c in cells if c.cell_type == "code"), start=1):
        cell.execution_count = k
    return v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def test_a_good_notebook_has_no_problems():
    assert hygiene.problems(good()) == []


def edit(index, **changes):
    """Return a function that sets attributes of one cell."""
    return lambda nb: nb.cells[index].update(changes)


def replace(index, old, new):
    """Return a function that replaces text in the source of one cell."""

    def apply(nb):
        assert old in nb.cells[index].source
        nb.cells[index].source = nb.cells[index].source.replace(old, new)

    return apply


def output(index, **data):
    """Return a function that replaces the outputs of one cell by one with these data."""
    return edit(index, outputs=[shown(**data)])


def tagged(index, *tags):
    return lambda nb: nb.cells[index].metadata.update(tags=list(tags))


HEAD = "Figure 6.4x3.6 in, 1 axes"
TRUNCATED = base64.b64encode(base64.b64decode(png())[:-40]).decode()
NOISE = base64.b64encode(base64.b64decode(png()) + bytes(200_000)).decode()

# (checker, what is said, how the notebook is broken)
FAULTS = [
    (hygiene.execution, "cell 3: execution count None", edit(3, execution_count=None)),
    (hygiene.execution, "cell 3: execution count 7", edit(3, execution_count=7)),
    (
        hygiene.execution,
        "cell 6: execution count 3, not 4",
        lambda nb: (edit(5, execution_count=4)(nb), edit(6, execution_count=3)(nb)),
    ),
    (
        hygiene.execution,
        "stored error NameError",
        edit(3, outputs=[v4.new_output("error", ename="NameError", evalue="x", traceback=[])]),
    ),
    (hygiene.execution, "stored stderr 'warned'", edit(3, outputs=[stream("warned", "stderr")])),
    (hygiene.execution, "no code cell", lambda nb: nb.update(cells=nb.cells[:1])),
    (hygiene.complete_outputs, "cell 3: prints", edit(3, outputs=[])),
    (hygiene.complete_outputs, "cell 1: prints or shows", edit(1, source="x = 1\nx")),
    (hygiene.complete_outputs, "names an object in memory", output(1, text_plain="<function f at 0x7f0011223344>")),
    (hygiene.complete_outputs, "names an object in memory", output(1, text_plain="[<matplotlib.lines.Line2D>]")),
    (hygiene.figures, "cell 6: draws, but holds no picture", edit(6, outputs=[])),
    (hygiene.figures, "0 pictures but 1 summaries", output(6, text_plain=HEAD)),
    (hygiene.figures, "1 pictures but 0 summaries", output(6, image_png=png())),
    (hygiene.figures, "1 pictures but 0 summaries", output(6, image_png=png(), text_plain="<Figure size 640x360>")),
    (hygiene.figures, "does not decode", output(6, image_png=TRUNCATED, text_plain=HEAD)),
    (hygiene.figures, "does not decode", output(6, image_png="bm8gcGljdHVyZQ==", text_plain=HEAD)),
    (
        hygiene.figures,
        "one colour on a white page",
        output(6, image_png=png(["#ffffff", "#00000000"]), text_plain=HEAD),
    ),
    (hygiene.figures, "one colour on a dark page", output(6, image_png=png(["#121212", "#00000000"]), text_plain=HEAD)),
    (hygiene.figures, "more than 120000", output(6, image_png=NOISE, text_plain=HEAD)),
    (hygiene.figures, "must say in 20 characters", lambda nb: nb.cells[6].metadata.pop("mystnb")),
    (hygiene.figures, "is 'A plot'", lambda nb: nb.cells[6].metadata.update(mystnb={"image": {"alt": "A plot"}})),
    *[
        (hygiene.nothing_skipped, f"tags ['{tag}']", tagged(3, tag))
        for tag in (
            "skip-execution",
            "nbval-skip",
            "nbval-ignore-output",
            "raises-exception",
            "remove-output",
            "remove-cell",
        )
    ],
    (hygiene.nothing_skipped, "keeps nbval from comparing", replace(3, "print", "# NBVAL_IGNORE_OUTPUT\nprint")),
    (hygiene.nothing_skipped, "keeps nbval from comparing", replace(3, "print", "#nbval_skip\nprint")),
    (hygiene.nothing_skipped, "magic", edit(3, source="%%capture\nprint(1)")),
    (hygiene.nothing_skipped, "magic", edit(3, source="!ls")),
    (hygiene.nothing_skipped, "raw cell", lambda nb: nb.cells.append(v4.new_raw_cell("x"))),
    (hygiene.sizes, "cell 1: 21 lines of code", edit(1, source="x = 1\n" * 21)),
    (hygiene.sizes, "cell 1: 89 letters in one line", edit(1, source="x = " + 85 * "1")),
    (hygiene.sizes, "cell 3: 89 letters in one line", edit(3, outputs=[stream(89 * "1")])),
    (hygiene.sizes, "cell 1: empty", edit(1, source="# nothing")),
    (
        hygiene.sizes,
        "median cell has 6",
        lambda nb: [edit(i, source="x = 1\n" * 6)(nb) for i, _ in hygiene.code_cells(nb)],
    ),
    (hygiene.sizes, "90th percentile", lambda nb: [edit(i, source="x = 1\n" * 15)(nb) for i in (1, 3)]),
    (hygiene.metadata, "used before", lambda nb: nb.cells[1].update(id=nb.cells[0].id)),
    (hygiene.metadata, "missing", lambda nb: nb.cells[1].pop("id")),
    (hygiene.metadata, "kernelspec is 'venv'", lambda nb: nb.metadata.kernelspec.update(name="venv")),
    (hygiene.metadata, "kernelspec is None", lambda nb: nb.metadata.pop("kernelspec")),
    (hygiene.imports, "imports myst_nb", edit(1, source="from myst_nb import glue")),
    (hygiene.prose_numbers, "cell 2: 1798 stands", replace(2, "1,797", "1,798")),
    (hygiene.prose_numbers, "cell 2: 1798 stands", replace(2, "1,797", "1\u2009798")),
    (hygiene.prose_numbers, "cell 2: 97.3 stands", replace(2, "97.4", "97.3")),
    (hygiene.prose_numbers, "cell 2: 0.975 stands", replace(2, "97.4 %", "0.975")),
    (hygiene.prose_numbers, "cell 2: 0.9876 stands", replace(2, "97.4 %", "0.9876")),  # it stands in a figure only
    (hygiene.prose_numbers, "cell 2: 1.234e-5 stands", replace(2, "97.4 %", "1.234e-5")),
    (hygiene.prose_numbers, "cell 2: 97.3 stands", replace(2, "97.4 %", "$97.3\\,\\%$")),
    *[
        (hygiene.prose_numbers, f"cell 2: {number} stands", replace(2, "97.4 %", text))
        for number, text in (("0.4567", "0.4567x"), ("12.5", "12.5k"), ("4567", "4567th"), ("4567", "T-4567"))
    ],
    (hygiene.prose_numbers, "cell 2: 4.56 stands", replace(2, "Of", "- 4.56\n\nOf")),
    (hygiene.prose_numbers, "cell 8: 4.56 stands", replace(8, "By hand", "About 4.56")),
    (hygiene.prose_numbers, "cell 8: 4.56 stands", replace(8, "Show it", "Show 4.56")),
    (hygiene.equations, "eq-typed is typed, but no code cell", tagged(5, "eq-other")),
    (hygiene.equations, "eq-other is typed, but no code cell", tagged(5, "eq-typed")),
    (hygiene.equations, "eq-typed is typed, but no code cell", edit(5, source="x = 1")),
    (hygiene.equations, "tagged with an equation, but asserts nothing", edit(5, source="x = 1")),
    *[
        (hygiene.equations, "tagged with an equation, but asserts nothing", edit(5, source=source))
        for source in ("assert True", "assert (x == 2, 'x')", "'assert x'", "def f(x):\n    assert x == 1")
    ],
    *[
        (hygiene.equations, "cell 0: 1 display equations without a label", edit(0, source=source))
        for source in ("$$\nx\n$$", "```{math}\nx\n```", "\\begin{align}\nx\n\\end{align}", "Text $$x$$ text")
    ],
    (hygiene.equations, "tagged eq-gone, but no such equation", tagged(5, "eq-typed", "eq-other", "eq-gone")),
    (hygiene.equations, "must begin with eq-", replace(4, "eq-typed", "typed")),
    (hygiene.equations, "eq-option is typed", edit(0, source="```{math}\n:label: eq-option\nx\n```")),
    (hygiene.equations, "eq-ams is typed", edit(0, source="\\begin{align}\nx \\label{eq-ams}\n\\end{align}")),
    (hygiene.equations, "(eq-rule)= must end its cell", replace(2, "(eq-rule)=", "(eq-rule)=\nText.")),
    (hygiene.equations, "(eq-rule)= must end its cell", edit(3, outputs=[stream("1797")])),
    (hygiene.exercises, "4 labelled exercises", replace(8, "{exercise}", "{note}")),
    (hygiene.exercises, "solution of ex-0, but no such exercise", replace(8, "{exercise}", "{note}")),
    (hygiene.exercises, "ex-0 has no solution", replace(8, "{solution-start}", "{note}")),
    (hygiene.exercises, "solution of ex-0 holds no code cell", lambda nb: nb.cells.pop(9)),
    (hygiene.exercises, "solution of ex-0 is not folded", replace(8, ":class: dropdown\n", "")),
    (hygiene.structure, "no title", replace(0, "# Title", "Title")),
    (hygiene.structure, "no objectives", replace(0, "In this chapter", "Here")),
    *[(hygiene.structure, f"no section '## {name}'", replace(7, f"## {name}", "## Else")) for name in hygiene.HEADINGS],
]


@pytest.mark.parametrize(
    ("checker", "said", "damage"), FAULTS, ids=[f"{c.__name__}-{i}" for i, (c, _, _) in enumerate(FAULTS)]
)
def test_a_checker_sees_its_fault(checker, said, damage):
    nb = good()
    damage(nb)
    assert any(said in problem for problem in checker(nb)), checker(nb)


def test_every_checker_was_seen_red():
    assert {checker for checker, _, _ in FAULTS} == {*hygiene.EVERY_NOTEBOOK, *hygiene.EVERY_CHAPTER}


@pytest.mark.parametrize(
    "text",
    [
        "```{note}\nText.\n```\nThe value is 0.1234.\n\n```{note}\nText.\n```",
        "````{note}\n```\ncode\n```\nThe value is 0.1234.\n````",
        "```python\nx = 1\n```\nThe value is 0.1234.\n```python\nx = 1\n```",
        ":::{note}\nThe value is 0.1234.\n:::",
    ],
)
def test_a_number_between_blocks_is_seen(text):
    nb = good()
    nb.cells[0].source = text
    assert hygiene.prose_numbers(nb) == ["cell 0: 0.1234 stands in the text but in no output"]


def test_a_proof_may_hold_unlabelled_steps_and_nothing_else_may():
    proof, step = "````{prf:proof}\nText.\n\n%s\n````", "$$\nx = y\n$$"
    assert hygiene.unlabelled(proof % step) == 0
    assert hygiene.unlabelled(proof % step + "\n" + step) == 1
    assert hygiene.unlabelled(f"```{{note}}\n{step}\n```\n{step}\n```{{note}}\n```") == 2
    assert hygiene.unlabelled(f"```\n{step}\n```") == 0


@pytest.mark.parametrize(
    "text",
    [
        "in 2018 and 1951",
        "MBGD-4000 and GD-123",
        "arXiv:1412.6980",
        "[123.4](x456.ipynb)",
        "<https://a.b/1234>",
        "### 1.234",
        "`x = 12345`",
        "{cite}`smith2345`",
        "$x_1 = 1.234$",
        "$$\n1.234\n$$",
        "```python\nx = 1.234\n```",
        "```\n1.234\n```",
        "`````{code-block} python\n1.234\n`````",
        "100 steps of 0.001, 1500 points and 300,000 updates",
        "x1234 v1.23.4a",
        "1. first",
        "(fig-1234)=",
        ":::{figure} a1234.png\n:width: 1234\n:::",
        "1e-10 and 5e8",
        "<!-- 1.234 -->",
        "doi:10.1137/16M1080173",
    ],
)
def test_what_is_no_number_in_prose(text):
    nb = good()
    nb.cells[0].source = text
    assert hygiene.prose_numbers(nb) == []


@pytest.mark.parametrize(
    ("token", "outputs", "expected"),
    [
        ("97.4", {"0.97443"}, True),
        ("97.4", {"97.40001"}, True),
        ("0.974", {"97.44"}, False),
        ("97.5", {"0.97443"}, False),
        ("1797", {"1797"}, True),
        ("1797", {"1796.7"}, True),
        ("1.25e-05", {"1.25e-5"}, True),
        ("0.900", {"0.9"}, True),
    ],
)
def test_when_a_number_is_shown(token, outputs, expected):
    assert hygiene.shown(token, outputs) is expected


# --- several files --------------------------------------------------------------------------------------------------
BIB = "% comment\n@article{adam2015,\n title={A}}\n@book{nesterov2018,\n title={B}}\n"


@pytest.mark.parametrize(
    ("text", "bibliography", "said"),
    [
        ("{cite:t}`adam2015` {cite}`nesterov2018`", BIB, None),
        ("{cite:p}`adam2015, nesterov2018`", BIB, None),
        ("{cite:t}`adam2015` {cite:p}`{see}nesterov2018{section 2.1.5}`", BIB, None),
        ("{cite}`adam2015`", BIB, "nesterov2018 is never cited"),
        ("{cite}`adam2015,nesterov2018,x`", BIB, "page: cites x"),
        ("{cite}`adam2015,nesterov2018`", BIB + "@misc{adam2015,\n}", "adam2015 stands twice"),
    ],
)
def test_citations(text, bibliography, said):
    found = hygiene.citations({"page": text}, bibliography)
    assert found == [] if said is None else any(said in problem for problem in found)


@pytest.fixture
def book(tmp_path):
    (tmp_path / "chapters" / "part").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/intro\nparts:\n- caption: One\n  chapters:\n  - file: chapters/part/one\n"
    )
    (tmp_path / "chapters" / "intro.md").write_text("# Intro")
    (tmp_path / "chapters" / "part" / "one.ipynb").write_text("{}")
    return tmp_path


def test_contents(book):
    assert hygiene.contents(book) == []
    (book / "chapters" / "part" / "one.md").write_text("")
    assert any("two sources" in problem for problem in hygiene.contents(book))
    (book / "chapters" / "part" / "one.md").rename(book / "chapters" / "part" / "two.md")
    assert hygiene.contents(book) == ["chapters/part/two is not in _toc.yml"]
    (book / "chapters" / "intro.md").unlink()
    assert "_toc.yml: chapters/intro does not exist" in hygiene.contents(book)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("[a](../intro.md) and [b](one.ipynb#part)", True),
        ("{doc}`../intro` {doc}`the first <one>`", True),
        ("[a](https://a.b) [b](#here) [c](mailto:a@b.c)", True),
        ("`[a](nowhere.md)` $f[x](y)$", True),
        ("[a](nowhere.md)", False),
        ("[a](two.ipynb#x)", False),
        ("{doc}`two`", False),
        ("{doc}`the second <two>`", False),
        ("![a picture](two.png)", False),
    ],
)
def test_links(book, text, fine):
    assert (hygiene.links(book / "chapters" / "part" / "one.ipynb", text) == []) is fine


@pytest.mark.parametrize(
    "pieces",
    [
        ("/ho", "me/anna/x"),
        ("/Us", "ers/anna"),
        ("/ro", "ot/x"),
        ("/wo", "rk/x"),
        ("C:\\", "Users\\a"),
        ("https://py", "pi.org/simple"),
        ("files.python", "hosted.org"),
        ("conda.anaconda", ".org"),
        ("registry.npm", "js.org"),
        ("--index", "-url x"),
        ("10.0", ".12.7"),
        ("192.168", ".0.1"),
    ],
)
def test_private_places_are_found(pieces):
    assert hygiene.private("see " + "".join(pieces))


def test_public_places_are_not():
    assert (
        hygiene.private("https://example.org/home/x http://127.0.0.1:8000 _build/html 10.1137/16M1080173 ~/notes /work")
        == []
    )
