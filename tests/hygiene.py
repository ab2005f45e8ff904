"""What a stored notebook must satisfy beyond what nbval compares: checkers that return a list of problems.

Each checker takes a notebook (a ``NotebookNode``) and returns one sentence for each fault, empty when there is none.
`tests/test_book.py` applies them to the book, `tests/test_hygiene.py` shows that each of them sees its fault.
"""

import ast
import base64
import io
import re
import statistics
from pathlib import Path

import yaml
from PIL import Image

TAGS = {"hide-input", "hide-output", "hide-cell", "remove-input"}  # and eq-… for the assertion of an equation
SUMMARY = re.compile(r"Figure [\d.]+x[\d.]+ in, \d+ axes")
LARGEST_CELL, MEDIAN_LINES, P90_LINES = 20, 5, 12
LONGEST_LINE = 88  # letters of code or output that the book's column shows
LARGEST_PICTURE = 120_000  # bytes
EXERCISES = 5


# --- reading a notebook ---------------------------------------------------------------------------------------------
def code_cells(nb):
    """Yield (index, cell) of the code cells."""
    return ((i, cell) for i, cell in enumerate(nb.cells) if cell.cell_type == "code")


def markdown_cells(nb):
    """Yield (index, cell) of the Markdown cells."""
    return ((i, cell) for i, cell in enumerate(nb.cells) if cell.cell_type == "markdown")


def markdown(nb):
    """Return all Markdown of a notebook."""
    return "\n\n".join(cell.source for _, cell in markdown_cells(nb))


def text_blocks(source, leave_out=()):
    """Return Markdown without its code blocks, and without the directives named in `leave_out`."""
    kept, open_ = [], []  # the fences that are open: (fence, is it left out?)
    for line in source.splitlines():
        fence = re.match(r"\s*(`{3,}|~{3,}|:{3,})\s*(?:\{([^}]*)\})?(.*)", line)
        inside_code = bool(open_) and open_[-1][1]
        if fence and open_ and not fence[2] and not fence[3].strip() and fence[1].startswith(open_[-1][0]):
            if not open_.pop()[1]:
                kept.append(line)
            continue
        if fence and not inside_code:
            name = fence[2] or ""
            code = name.startswith("code") or (not name and fence[1][0] != ":")
            open_.append((fence[1], code or name in leave_out))
            inside_code = open_[-1][1]
        if not inside_code:
            kept.append(line)
    return "\n".join(kept)


def inline_only(text):
    """Return text without the lines of fences and without code inside a line."""
    return re.sub(r"(?<!\})`[^`]*`", "", re.sub(r"^\s*[`~:]{3,}.*$", "", text, flags=re.M))


def data(cell, mime):
    """Return the outputs of one type, as text."""
    found = [output.get("data", {}).get(mime) for output in cell.outputs]
    return ["".join(text) for text in found if text is not None]


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def top_level(source):
    """Return the statements that a code cell runs itself, function bodies left out."""
    return [node for node in ast.parse(source).body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]


def calls(source):
    """Return the names called by a cell itself: ``plt.show``, ``print``."""
    nodes = [node for statement in top_level(source) for node in ast.walk(statement)]
    return {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}


# --- the state of a notebook ----------------------------------------------------------------------------------------
def execution(nb):
    """Every code cell was run, in order, once, and left no error."""
    found = [] if any(True for _ in code_cells(nb)) else ["no code cell"]
    for k, (i, cell) in enumerate(code_cells(nb), start=1):
        if cell.execution_count != k:
            found.append(f"cell {i}: execution count {cell.execution_count}, not {k}: run all cells in order")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {i}: stored error {output.ename}: {output.evalue}")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"cell {i}: stored stderr {output.text[:60]!r}")
    return found


def complete_outputs(nb):
    """A cell that prints, draws or ends with a name holds an output, and none that changes from run to run."""
    found = []
    for i, cell in code_cells(nb):
        body = top_level(cell.source)
        prints = any(
            isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) and ast.unparse(s.value.func) == "print"
            for s in body
        )
        ends_with_name = (
            body and isinstance(body[-1], ast.Expr) and isinstance(body[-1].value, ast.Name | ast.Attribute)
        )
        if (prints or ends_with_name) and not cell.outputs:
            found.append(f"cell {i}: prints or shows something, but its outputs were cleared")
        stored = data(cell, "text/plain") + [o.text for o in cell.outputs if o.output_type == "stream"]
        if any(re.search(r" at 0x[0-9a-f]{6,}|<matplotlib\.", text) for text in stored):
            found.append(
                f"cell {i}: an output names an object in memory; end the cell with plt.show() or an assignment"
            )
    return found


def figures(nb):
    """Every cell that draws holds a picture that decodes and is not blank, its alt text and its summary."""
    found = []
    for i, cell in code_cells(nb):
        pictures, alt = data(cell, "image/png"), cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        summaries = [text for text in data(cell, "text/plain") if SUMMARY.match(text)]
        if calls(cell.source) & {"plt.show", "plt.subplots", "plt.figure", "figures.image_grid"} and not pictures:
            found.append(f"cell {i}: draws, but holds no picture")
        found += [f"cell {i}: {fault}" for fault in map(picture_fault, pictures) if fault]
        if len(summaries) != len(pictures):
            found.append(
                f"cell {i}: {len(pictures)} pictures but {len(summaries)} summaries; is figures.setup() called?"
            )
        if (pictures and len(alt.split()) < 4) or (pictures and len(alt) < 20):
            found.append(f"cell {i}: mystnb.image.alt must say in 20 characters or more what one sees, is {alt!r}")
    return found


def picture_fault(encoded):
    """Return what is wrong with a base64 PNG, or None."""
    try:
        content = base64.b64decode(encoded, validate=False)
        picture = Image.open(io.BytesIO(content), formats=["PNG"]).convert("RGBA")
    except (OSError, ValueError, SyntaxError) as error:
        return f"the PNG does not decode ({error})"
    if len(content) > LARGEST_PICTURE:
        return f"the PNG has {len(content)} bytes, more than {LARGEST_PICTURE}"
    for name, page in {"white": "#ffffff", "dark": "#121212"}.items():
        seen = Image.alpha_composite(Image.new("RGBA", picture.size, page), picture).convert("RGB")
        if all(low == high for low, high in seen.getextrema()):
            return f"the PNG is of one colour on a {name} page"
    return None


def nothing_skipped(nb):
    """No cell is kept from being run or compared; only known tags."""
    found = []
    for i, cell in enumerate(nb.cells):
        unknown = [tag for tag in tags(cell) if tag not in TAGS and not tag.startswith("eq-")]
        if unknown:
            found.append(f"cell {i}: tags {unknown}; allowed are {sorted(TAGS)} and eq-…")
        if cell.cell_type == "raw":
            found.append(f"cell {i}: a raw cell is neither run nor shown")
    for i, cell in code_cells(nb):
        if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.IGNORECASE):
            found.append(f"cell {i}: a comment keeps nbval from comparing")
        if re.search(r"^\s*[%!]", cell.source, re.MULTILINE):
            found.append(f"cell {i}: IPython magic or a shell command; write Python")
    return found


def sizes(nb):
    """Short cells: never above 20 lines of code, half of them 5 or fewer, nine of ten 12 or fewer; short lines."""
    lines = {
        i: sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in cell.source.splitlines())
        for i, cell in code_cells(nb)
    }
    found = [f"cell {i}: {n} lines of code, more than {LARGEST_CELL}" for i, n in lines.items() if n > LARGEST_CELL]
    found += [f"cell {i}: empty" for i, n in lines.items() if n == 0]
    for i, cell in code_cells(nb):
        printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
        for line in [*cell.source.splitlines(), *printed.splitlines()]:
            if len(line) > LONGEST_LINE:
                found.append(
                    f"cell {i}: {len(line)} letters in one line, more than {LONGEST_LINE}: {line.strip()[:50]}…"
                )
    if len(lines) > 1:
        median, p90 = (
            statistics.median(lines.values()),
            statistics.quantiles(lines.values(), n=10, method="inclusive")[8],
        )
        if median > MEDIAN_LINES:
            found.append(f"the median cell has {median:g} lines of code, more than {MEDIAN_LINES}")
        if p90 > P90_LINES:
            found.append(f"the 90th percentile of lines of code is {p90:g}, more than {P90_LINES}")
    return found


def metadata(nb):
    """Cell ids are there and unique, and the kernel is the one that every machine has."""
    ids = [cell.get("id") for cell in nb.cells]
    found = [f"cell {i}: id {id_!r} missing or used before" for i, id_ in enumerate(ids) if not id_ or id_ in ids[:i]]
    kernel = nb.metadata.get("kernelspec", {}).get("name")
    return found + ([] if kernel == "python3" else [f"kernelspec is {kernel!r}, not 'python3'"])


def imports(nb):
    """A notebook needs nothing of the book's tools, so that it runs everywhere."""
    return [
        f"cell {i}: imports myst_nb"
        for i, cell in code_cells(nb)
        if re.search(r"^\s*(import|from)\s+myst_nb\b", cell.source, re.MULTILINE)
    ]


# --- numbers in prose -----------------------------------------------------------------------------------------------
# A unit may follow at once, as in 12.5k or 0.25x; only more digits would make it another number.
NUMBER = re.compile(r"(?<![\w.])\d[\d,\u2009\u202f\u00a0]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\d|\.\d)")
NOT_PROSE = [
    re.compile(pattern, flags)
    for pattern, flags in [
        (r"^(`{3,}|~{3,}|:{3,})\{math\}.*?^\1", re.M | re.S),  # mathematics, by directive
        (r"^[`~:]{3,}.*$", re.M),
        (r"^:[\w-]+:.*$", re.M),
        (r"^\([\w-]+\)=\s*$", re.M),  # directive lines, options, targets
        (r"^#+ .*$", re.M),
        (r"<!--.*?-->", re.S),
        (r"\$\$.*?\$\$", re.S),
        (r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.S),
        (r"\{[\w:-]+\}`[^`]*`", 0),
        (r"`[^`]*`", 0),
        (r"\[[^\]]*\]\([^)]*\)", 0),
        (r"<[^>\s]+>", 0),
        (r"https?://\S+", 0),
        (r"arXiv:\S+", re.I),
        (r"\bdoi:\S+", re.I),
        (r"\b(?:GD|BGD|SGD|MBGD|MOM|NES|ADAGRAD|RMSPROP|ADADELTA|ADAM|ADAMW|CE|MEAN|COV)-\d+\b", 0),
        (r"^\s*\d+[.)]\s", re.M),  # IDs such as MBGD-4, numbered lists
    ]
]


def significant(token):
    """Return the number of significant digits; zeros at the end of a whole number don't count."""
    mantissa = re.split("[eE]", token)[0]
    digits = mantissa.replace(".", "").lstrip("0")
    return len(digits if "." in mantissa else digits.rstrip("0"))


def numbers(text):
    """Return the numbers in a text, with separators of thousands removed."""
    plain = (re.sub(r"[,\u2009\u202f\u00a0]+(?=\d{3}(?!\d))", "", match) for match in NUMBER.findall(text))
    return [part for token in plain for part in re.split(r"[,\u2009\u202f\u00a0]+", token) if part]


def prose(source):
    """Return Markdown without mathematics, code, citations, links, headings and IDs."""
    source = text_blocks(source)
    for pattern in NOT_PROSE:
        source = pattern.sub(" ", source)
    # Mathematics is left out, but a bare number set as mathematics is still a number in prose.
    return re.sub(
        r"\$([^$]*)\$",
        lambda m: (
            " "
            if re.search(r"[A-Za-z=<>^_]", re.sub(r"\\[,%;]", "", m[1]))
            else re.sub(r"\{,\}", ",", re.sub(r"\\[,;]", "\u2009", m[1]))
        ),
        source,
    )


def is_year(token):
    """Tell whether a token reads as a year from 1900 to 2099."""
    return re.fullmatch(r"(19|20)\d\d", token) is not None


def shown(token, outputs):
    """Tell whether an output is this number, or rounds to it; a percentage may stand for a fraction."""
    places = len(token.partition(".")[2]) if "e" not in token.lower() else None
    if token in outputs:
        return True
    if places is None:
        return any(float(token) == float(output) for output in outputs)
    return any(
        f"{float(output) * factor:.{places}f}" == f"{float(token):.{places}f}"
        for output in outputs
        for factor in (1, 100)
    )


def prose_numbers(nb):
    """A number of three or more significant digits in prose stands in an output of the same notebook."""
    outputs = set()
    for _, cell in code_cells(nb):
        texts = [o.text for o in cell.outputs if o.output_type == "stream"]
        texts += [text for text in data(cell, "text/plain") if not SUMMARY.match(text)] + data(cell, "text/latex")
        # A live figure holds thousands of coordinates: they prove nothing.
        texts += [re.sub(r"<[^>]*>", " ", html) for html in data(cell, "text/html") if "<descent-explorer" not in html]
        outputs.update(numbers("\n".join(texts)))
    return [
        f"cell {i}: {token} stands in the text but in no output"
        for i, cell in markdown_cells(nb)
        for token in dict.fromkeys(numbers(prose(cell.source)))
        if significant(token) >= 3 and not is_year(token) and not shown(token, outputs)
    ]


# --- equations, exercises, structure --------------------------------------------------------------------------------
def typed_labels(source):
    """Return the labels of the display equations typed in Markdown."""
    labels = re.findall(r"\$\$\s*\(([\w:-]+)\)", source) + re.findall(r"\\label\{([^}]+)\}", source)
    labels += re.findall(r"^[`~:]{3,}\{math\}[^\n]*\n(?::\w+:[^\n]*\n)*?:label:[ ]*(\S+)", source, re.M)
    return labels + re.findall(r"^\(([\w:-]+)\)=\s*\n+(?=\$\$|[`~:]{3,}\{math\}|\\begin)", source, re.M)


def unlabelled(source):
    """Return how many display equations of a Markdown text have no label; a proof is a derivation itself."""
    source = text_blocks(source, leave_out=("prf:proof",))
    found = re.findall(r"(?<!\\)\$\$.+?(?<!\\)\$\$[ ]*(\([\w:-]+\))?", inline_only(source), re.S)
    found += re.findall(
        r"^\\begin\{(?:align|equation|gather|multline)\*?\}.*?(\\label)?\S*\n?\\end", source, re.M | re.S
    )
    blocks = re.findall(r"(\([\w:-]+\)=\s*\n+)?^[`~:]{3,}\{math\}[^\n]*\n(?::\w+:[^\n]*\n)*?(:label:)?", source, re.M)
    return sum(not label for label in found) + sum(not (target or label) for target, label in blocks)


def asserts(source):
    """Tell whether a cell itself asserts something that depends on a name."""
    return any(
        isinstance(statement, ast.Assert)
        and not isinstance(statement.test, ast.Tuple)
        and any(isinstance(node, ast.Name) for node in ast.walk(statement.test))
        for outer in top_level(source)
        for statement in ast.walk(outer)
    )


def equations(nb):
    """A labelled equation is asserted by a cell tagged with its label, or is the output of the next cell."""
    found, typed = [], set()
    asserted = {tag for _, cell in code_cells(nb) for tag in tags(cell) if asserts(cell.source)}
    for i, cell in markdown_cells(nb):
        typed.update(labels := typed_labels(cell.source))
        for label in labels:
            if not label.startswith("eq-"):
                found.append(f"cell {i}: the label {label!r} of an equation must begin with eq-")
            elif label not in asserted:
                found.append(f"cell {i}: equation {label} is typed, but no code cell tagged {label} asserts it")
        if n := unlabelled(cell.source):
            found.append(f"cell {i}: {n} display equations without a label: nothing could assert them")
        for label in set(re.findall(r"^\((eq-[\w-]+)\)=", cell.source, re.M)) - set(labels):
            last = re.search(rf"^\({label}\)=\s*\Z", cell.source, re.M)
            following = nb.cells[i + 1] if i + 1 < len(nb.cells) else None
            if not last or following is None or following.cell_type != "code" or not data(following, "text/latex"):
                found.append(f"cell {i}: ({label})= must end its cell, before a code cell that shows an equation")
    for i, cell in code_cells(nb):
        found += [
            f"cell {i}: tagged {tag}, but no such equation is typed"
            for tag in tags(cell)
            if tag.startswith("eq-") and tag not in typed
        ]
        if any(tag.startswith("eq-") for tag in tags(cell)) and not asserts(cell.source):
            found.append(f"cell {i}: tagged with an equation, but asserts nothing")
    return found


def exercises(nb):
    """A chapter has five exercises or more, each with a folded solution that holds a code cell."""
    option = r"(?::[\w-]+:[^\n]*\n?)*"
    asked, folded, solved, opened = [], {}, set(), None
    for cell in nb.cells:
        if cell.cell_type == "code" and opened and cell.source.strip():
            solved.add(opened)
        if cell.cell_type != "markdown":
            continue
        for kind, label, options in re.findall(
            rf"^[`:]{{3,}}\{{(exercise|exercise-start|solution-start|solution-end)\}}[ ]*"
            rf"([^\n]*)\n?({option})",
            cell.source,
            re.M,
        ):
            if kind.startswith("exercise"):
                asked += re.findall(r"^:label:[ ]*(\S+)", options, re.M)
            else:
                opened = label.strip() if kind == "solution-start" else None
                folded |= {opened: re.search(r"^:class:.*\bdropdown\b", options, re.M)} if opened else {}
    found = [] if len(asked) >= EXERCISES else [f"{len(asked)} labelled exercises, fewer than {EXERCISES}"]
    for label in asked:
        if label not in folded:
            found.append(f"exercise {label} has no solution ({{solution-start}} {label} … {{solution-end}})")
        elif not folded[label]:
            found.append(f"the solution of {label} is not folded: add :class: dropdown")
        elif label not in solved:
            found.append(f"the solution of {label} holds no code cell")
    return found + [f"solution of {label}, but no such exercise" for label in folded if label not in asked]


HEADINGS = ("Summary", "What the notes say", "Further reading", "Exercises")


def structure(nb):
    """A chapter opens with its objectives and closes with the four sections every chapter has."""
    text = markdown(nb)
    found = [] if re.search(r"^# \S", text, re.M) else ["no title (# …)"]
    if not re.search(r"^[`:]{3,}\{admonition\} In this chapter[ ]*$", text, re.M):
        found.append("no objectives: an {admonition} titled 'In this chapter'")
    return found + [f"no section '## {name}'" for name in HEADINGS if not re.search(rf"^## {name}[ ]*$", text, re.M)]


EVERY_NOTEBOOK = (
    execution,
    complete_outputs,
    figures,
    nothing_skipped,
    sizes,
    metadata,
    imports,
    prose_numbers,
    equations,
)
EVERY_CHAPTER = (exercises, structure)


def problems(nb, checkers=EVERY_NOTEBOOK + EVERY_CHAPTER):
    """Return what is wrong with a notebook."""
    return [problem for checker in checkers for problem in checker(nb)]


# --- several files --------------------------------------------------------------------------------------------------
def cited(text):
    """Return the keys of the citation roles in a text."""
    roles = [re.sub(r"\{[^}]*\}", "", keys) for keys in re.findall(r"\{cite(?::[\w:]+)?\}`([^`]+)`", text)]
    return {key.strip() for role in roles for key in (re.search(r"<(.*)>", role) or [0, role])[1].split(",")}


def citations(pages, bibliography):
    """Every cited key is in the bibliography, every entry of the bibliography is cited."""
    entries = re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", bibliography, re.M)
    used = {key: page for page, text in pages.items() for key in cited(text)}
    found = [f"{used[key]}: cites {key}, which is not in references.bib" for key in sorted(used.keys() - set(entries))]
    found += [f"references.bib: {key} is never cited" for key in entries if key not in used]
    return found + [f"references.bib: {key} stands twice" for key in sorted(set(entries)) if entries.count(key) > 1]


def contents(root):
    """Every page in chapters/ is in _toc.yml once, and every entry of _toc.yml is a page."""

    def files(node):
        if isinstance(node, dict):
            return [node[k] for k in ("root", "file") if k in node] + [f for v in node.values() for f in files(v)]
        return [f for entry in node for f in files(entry)] if isinstance(node, list) else []

    root = Path(root)
    listed = [re.sub(r"\.(md|ipynb)$", "", f) for f in files(yaml.safe_load((root / "_toc.yml").read_text()))]
    pages = [
        p
        for p in sorted((root / "chapters").rglob("*"))
        if p.suffix in (".md", ".ipynb") and ".ipynb_checkpoints" not in p.parts
    ]
    names = [p.relative_to(root).with_suffix("").as_posix() for p in pages]
    found = [f"_toc.yml: {name} does not exist" for name in listed if name not in names]
    found += [f"{name} is not in _toc.yml" for name in names if name not in listed]
    return found + [
        f"{name}: two sources or listed twice"
        for name in sorted({*names})
        if names.count(name) > 1 or listed.count(name) > 1
    ]


def links(page, text):
    """Every link from a page to another file of the book leads to a file."""
    text = text_blocks(text)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)", re.sub(r"\$[^$]*\$", "", inline_only(text)))
    targets += [f"{name}#doc" for name in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text)]
    found = []
    for target in targets:
        if re.match(r"[a-z][a-z0-9+.-]*:", target) or target.startswith("#"):
            continue
        name, _, kind = target.partition("#")
        place = Path(page).parent / name
        if not (
            any(place.with_name(place.name + s).exists() for s in (".md", ".ipynb"))
            if kind == "doc"
            else place.exists()
        ):
            found.append(f"{page}: the link to {name} leads nowhere")
    return found


# Pieces, so that this file does not name what it looks for.
PRIVATE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/" + r"(?:home|Users)/[a-z]\w+",
            "/" + r"root/\w",
            "(?<![\\w.$}])/" + r"work/",
            r"[A-Z]:\\" + "Users",
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            r"anaconda" + r"\.(?:org|com)",
            "npmjs" + r"\.(?:org|com)",
            r"--(?:extra-)?index" + "-url",
            r"\b10(?:\.\d{1,3}){3}\b",
            r"\b192\." + r"168(?:\.\d{1,3}){2}\b",
        ]
    )
)


def private(text):
    """Return the registry hosts and places on one machine that a text names."""
    return sorted({match[0] for match in PRIVATE.finditer(text)})
