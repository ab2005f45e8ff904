"""Put the lines that Colab needs before each notebook: fetch the repository, install its package, go to the chapter.

Called by the publishing workflow, ``python extensions/colab.py ADDRESS``; it rewrites ``chapters/**/*.ipynb`` in place
for the branch "colab" and needs nothing but Python. The notebooks of the main branch, which the tests run, stay as they
are.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def first_cell(address, notebook):
    """Return the cell that makes Colab ready for a notebook, as a dictionary of the notebook format."""
    folder = notebook.parent.relative_to(ROOT).as_posix()
    lines = [
        "# Colab only: fetch the book, install its package, go to this chapter's folder.",
        f"!test -d /content/book || git clone -q --depth 1 {address} /content/book",
        "%pip install -q -e /content/book",
        f"%cd -q /content/book/{folder}",
        "import sys; sys.path.insert(0, '/content/book/code')",
    ]
    return {
        "cell_type": "code",
        "id": "colab",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": "\n".join(lines),
    }


def main(address):
    """Rewrite every notebook."""
    for notebook in sorted((ROOT / "chapters").rglob("*.ipynb")):
        content = json.loads(notebook.read_text("utf-8"))
        content["cells"].insert(0, first_cell(address, notebook))
        notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
