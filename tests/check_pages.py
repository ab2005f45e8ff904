"""What a reader's browser makes of the built book: every page of the table of contents, in headless Chromium.

Needs `make book` and Chromium, so plain pytest does not collect it; `make pages` runs it.
"""

import gzip
import re
import shutil
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import pytest
import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "_build" / "html"
LIMIT = 1_000_000  # bytes of one page on a first view, compressed
TEXT = {".html", ".css", ".js", ".svg", ".json", ".txt"}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# Formulas that MathJax did not typeset, or typeset as an error (bad syntax, or an unknown macro in red).
UNTYPESET = """async () => {
    const formulas = [...document.querySelectorAll(".math")];
    if (formulas.length && !window.MathJax?.startup?.promise) return ["MathJax did not load"];
    await window.MathJax?.startup?.promise;
    const bad = formulas.filter(f => !f.querySelector("mjx-container") || f.querySelector("[data-mjx-error]")
        || [...f.querySelectorAll("mjx-mtext")].some(m => getComputedStyle(m).color === "rgb(255, 0, 0)"));
    const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const raw = [];
    for (let node; node = walker.nextNode();)  // TeX that no directive or dollar sign took up
        if (/\\$\\$|\\\\(frac|begin|theta|eta|nabla)\\b/.test(node.data)
            && !node.parentElement.closest("pre, code, script, style, .math")) raw.push(node);
    return [...bad, ...raw].map(f => f.textContent.trim().slice(0, 120));
}"""

# Elements that reach beyond the right edge without standing in a box that scrolls by itself, or that are cut off.
TOO_WIDE = """() => {
    for (const toggle of document.querySelectorAll("article .toggle-button.toggle-button-hidden")) toggle.click();
    for (const details of document.querySelectorAll("article details")) details.open = true;
    const width = document.documentElement.clientWidth;
    const boxed = e => { for (; e !== document.body; e = e.parentElement)
        if (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)) return true; };
    const wide = [...document.querySelectorAll("article *")]
        .filter(e => e.getBoundingClientRect().right > width + 1 && !boxed(e));
    const boxes = "article :is(.math, mjx-container, pre, table, figure, .cell_output)";
    wide.push(...[...document.querySelectorAll(boxes)].filter(e =>
        getComputedStyle(e).overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1));
    const page = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
    return page > width || wide.length ? [page, ...wide.slice(0, 5).map(e => e.outerHTML.slice(0, 120))] : [];
}"""

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
# What axe finds serious or critical. Formulas are MathJax's own, and code is coloured alike everywhere, so that ten
# blocks of a page stand for all: without the rest a page takes seconds, not a minute. Themes differ in colours only.
FAULTS = """async rules => {
    document.querySelectorAll("mjx-container").forEach(formula => formula.remove());
    [...document.querySelectorAll(".highlight")].slice(10).forEach(block => block.remove());
    const found = await axe.run(document,
        { preload: false, resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) });
    return found.violations.filter(v => ["serious", "critical"].includes(v.impact))
        .map(v => `${v.id} (${v.impact}), ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 150)}`);
}"""


def pages() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    found = [toc["root"]]

    def walk(node):
        for item in node if isinstance(node, list) else [node]:
            found.extend([item["file"]] if "file" in item else [])
            for key in ("parts", "chapters", "sections", "subtrees", "entries"):
                walk(item.get(key, []))

    walk({key: value for key, value in toc.items() if key != "root"})
    return [*found, "search", "genindex"]


class Handler(SimpleHTTPRequestHandler):
    """Serves the book compressed, as a host would, never from a cache, and counts the bytes."""

    sent = 0

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        if path.suffix in TEXT:
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        Handler.sent += len(body)
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def visit():
    """visit(name) opens a page once, on a wide screen and on a phone, and returns what was seen."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is missing: apt-get install chromium"
    assert (BOOK / "index.html").exists(), "the book is not built: make book"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(BOOK)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    seen = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def open_page(name):
            if name in seen:
                return seen[name]
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            result = {"foreign": [], "console": []}

            def note(kind, text, wanted):
                if wanted:
                    result[kind].append(text)

            own = (home, "data:", "blob:")
            page.on("request", lambda r: note("foreign", r.url, not r.url.startswith(own)))
            page.on("console", lambda m: note("console", m.text, m.type == "error"))
            page.on("pageerror", lambda error: note("console", str(error), True))
            page.on("response", lambda r: note("console", f"{r.status} {r.url}", r.status >= 400))
            Handler.sent = 0
            page.goto(f"{home}{name}.html", wait_until="networkidle")
            result["untypeset"] = page.evaluate(UNTYPESET)
            page.wait_for_load_state("networkidle")
            result["sent"] = Handler.sent
            result["formulas"] = page.locator("mjx-container").count()
            result["links"] = sorted(
                {
                    unquote(link)
                    for link in page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
                    if link.startswith(home)
                }
            )
            result["paint"] = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
            result["without rel"] = page.eval_on_selector_all(
                "a[href^=http]",
                "links => links.filter(a => !/127/.test(a.href) && !/noopener/.test(a.rel)).map(a => a.href)",
            )
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(300)
            result["wide"] = page.evaluate(TOO_WIDE)
            page.set_viewport_size({"width": 1280, "height": 800})
            page.wait_for_timeout(1500)  # solutions fade in
            page.evaluate(AXE)
            result["light"] = page.evaluate(FAULTS, None)
            page.emulate_media(color_scheme="dark")
            page.wait_for_timeout(500)
            assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
            result["dark"] = page.evaluate(FAULTS, ["color-contrast"])
            context.close()
            seen[name] = result
            return result

        yield open_page
        browser.close()
    server.shutdown()


every_page = pytest.mark.parametrize("name", pages())


@every_page
def test_no_other_host(visit, name):
    assert not visit(name)["foreign"], "\n".join(visit(name)["foreign"])


@every_page
def test_no_console_error(visit, name):
    assert not visit(name)["console"], "\n".join(visit(name)["console"])


@every_page
def test_mathematics_is_typeset(visit, name):
    assert not visit(name)["untypeset"], "\n".join(visit(name)["untypeset"])
    source = (BOOK / f"{name}.html").read_text("utf-8")
    if 'class="math ' in source:
        assert visit(name)["formulas"] > 0


@every_page
def test_fits_a_phone(visit, name):
    assert not visit(name)["wide"], "\n".join(map(str, visit(name)["wide"]))


@every_page
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_shuts_a_reader_out(visit, name, theme):
    assert not visit(name)[theme], "\n".join(visit(name)[theme])


@every_page
def test_other_sites_get_no_hold_of_this_window(visit, name):
    assert not visit(name)["without rel"]


@every_page
def test_links_lead_somewhere(visit, name):
    broken = []
    for link in visit(name)["links"]:
        url = urlsplit(link)
        target = BOOK / (url.path.lstrip("/") or "index.html")
        if not target.is_file() or (url.fragment and target.suffix == ".html" and url.fragment not in anchors(target)):
            broken.append(link)
    assert not broken, "\n".join(broken)


@every_page
def test_weight_of_a_first_view(visit, name):
    result = visit(name)
    kilobytes, paint = result["sent"] / 1000, result["paint"]
    print(f"{name}: {kilobytes:.0f} kB, first paint after {paint:.0f} ms, {result['formulas']} formulas")
    assert result["sent"] <= LIMIT


@cache
def anchors(path: Path) -> set[str]:
    return set(re.findall(r'\b(?:id|name)="([^"]+)"', path.read_text("utf-8")))
