"""Hygiene of the book: every notebook is complete, run, readable and short, and every page is where it is named."""

import code
import subprocess
import sys
from functools import cache
from pathlib import Path

import hygiene
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(p for p in (ROOT / "chapters").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
CHAPTERS = [p for p in NOTEBOOKS if p.parent.name != "reference"]


def name(value):
    """Return a short test id."""
    return value.stem if isinstance(value, Path) else value.__name__


@cache
def read(path):
    """Return a notebook, validated; read once, for no checker changes it."""
    nb = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(nb)
    return nb


def pages():
    """Return the Markdown of every page by its path."""
    found = {p: p.read_text() for p in (ROOT / "chapters").rglob("*.md") if ".ipynb_checkpoints" not in p.parts}
    return found | {p: hygiene.markdown(read(p)) for p in NOTEBOOKS}


def text_files():
    """Return the text files of the repository: those git has or would take, else all that are not built."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, text=True, capture_output=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        listed = [p.relative_to(ROOT) for p in ROOT.rglob("*") if not {"_build", ".venv", ".git"} & set(p.parts)]
    for path in (ROOT / p for p in listed):
        try:
            yield path, path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def report(path, problems):
    """Return the problems of one file as a message."""
    return f"{path.relative_to(ROOT)}\n  " + "\n  ".join(problems)


def test_there_are_notebooks():
    assert CHAPTERS, "no notebook in chapters/: nothing was tested"


@pytest.mark.parametrize("checker", hygiene.EVERY_NOTEBOOK, ids=name)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_notebook(path, checker):
    problems = checker(read(path))
    assert not problems, report(path, problems)


@pytest.mark.parametrize("checker", hygiene.EVERY_CHAPTER, ids=name)
@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_chapter(path, checker):
    problems = checker(read(path))
    assert not problems, report(path, problems)


def test_citations():
    named = {path.relative_to(ROOT): text for path, text in pages().items()}
    problems = hygiene.citations(named, (ROOT / "references.bib").read_text())
    assert not problems, "\n".join(problems)


def test_contents():
    problems = hygiene.contents(ROOT)
    assert not problems, "\n".join(problems)


def test_links():
    problems = [problem for path, text in pages().items() for problem in hygiene.links(path, text)]
    problems += hygiene.links(ROOT / "README.md", (ROOT / "README.md").read_text())
    assert not problems, "\n".join(problems)


def test_no_file_names_a_machine_or_a_registry():
    problems = [f"{path.relative_to(ROOT)}: {found}" for path, text in text_files() if (found := hygiene.private(text))]
    assert not problems, "\n".join(problems)


def test_the_code_folder_does_not_hide_the_standard_library():
    import dlnotes

    assert code.InteractiveConsole
    assert (ROOT / "code") not in Path(code.__file__).parents
    assert (ROOT / "code") in Path(dlnotes.__file__).parents
    check = "import dlnotes, code; code.InteractiveConsole"
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True)
