"""Print the whole book as one PDF with Chromium: ``make pdf``, after ``make book``.

Sphinx's one-page build is printed, so formulas, figures and outline are those of the book. The result stands beside
the pages, as ``_build/html/deep-learning-notes.pdf``, and every page's footer gets a link to it.
"""

import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
PDF = BUILD / "html" / "deep-learning-notes.pdf"
PLACE = re.compile(r"<!-- pdf -->.*?<!-- /pdf -->", re.DOTALL)  # stands in the footer, see _config.yml

PAGE_NUMBER = '<div style="width:100%;text-align:center;font-size:8px"><span class="pageNumber"></span></div>'

# Everything whole and open before it is printed; the result lists what is not.
READY = """async () => {
    document.documentElement.dataset.theme = document.documentElement.dataset.mode = "light";
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (const toggle of document.querySelectorAll("article .toggle-button.toggle-button-hidden")) toggle.click();
    for (const image of document.images) image.loading = "eager";
    await window.MathJax.startup.promise;
    await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
    await document.fonts.ready;
    const formulas = [...document.querySelectorAll(".math")].filter(f =>
        !f.querySelector("mjx-container") || f.querySelector("[data-mjx-error]"));
    const images = [...document.images].filter(image => !image.naturalWidth);
    return [...formulas.map(f => f.textContent.slice(0, 80)), ...images.map(image => image.src)];
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A file server that does not log."""

    def log_message(self, *args):
        """Say nothing."""


def build():
    """Build the book as one page, strictly."""
    print("The book as one page …", flush=True)
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        ".",
        "-W",
        "-n",
        "--keep-going",
        "--builder",
        "singlehtml",
    ]
    log = BUILD / "singlehtml.log"
    with log.open("w") as stream:
        if subprocess.run(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT).returncode:
            sys.exit(f"the one-page build failed:\n{log.read_text()[-3000:]}")


def print_pdf():
    """Print that page, and stop if a formula or figure in it is not whole."""
    print("Printing it …", flush=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(BUILD / "singlehtml")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = browser.new_page(viewport={"width": 900, "height": 1200})
        page.set_default_timeout(300_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/book.html", wait_until="load")
        if broken := page.evaluate(READY):
            sys.exit("not whole:\n" + "\n".join(broken[:20]))
        page.emulate_media(media="print")
        page.pdf(
            path=str(PDF),
            format="A4",
            tagged=True,
            outline=True,
            scale=0.8,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=PAGE_NUMBER,
            margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
        )
        browser.close()
    server.shutdown()


def link():
    """Put a link to the file into the footer of every page."""
    for page in (BUILD / "html").rglob("*.html"):
        up = "../" * (len(page.relative_to(BUILD / "html").parts) - 1)
        text = page.read_text("utf-8")
        anchor = f'<!-- pdf --><a href="{up}{PDF.name}">The whole book as PDF</a>.<!-- /pdf -->'
        page.write_text(PLACE.sub(anchor, text), "utf-8")


if __name__ == "__main__":
    if not (BUILD / "html" / "index.html").exists():
        sys.exit("the book is not built: make book")
    build()
    print_pdf()
    link()
    print(f"The book as PDF ({PDF.stat().st_size / 1e6:.1f} MB): file://{PDF}")
