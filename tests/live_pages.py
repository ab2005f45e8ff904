"""Live figures in a served page of their own, in headless Chromium: what the two checks of the explorer share."""

import shutil
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Live figures</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>
html {{ color-scheme: light; }} html[data-theme="dark"] {{ color-scheme: dark; }}
body {{ margin: 1rem auto; max-width: 45rem; padding: 0 13px; font: 17px/1.6 serif; }}
body {{ background: #fffefc; color: #24292f; }}
html[data-theme="dark"] body {{ background: #15181c; color: #d8dce2; }}
</style></head><body><main><h1>Live figures</h1>
{}
<p>What follows.</p></main></body></html>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """Say nothing: the output is the test's."""


@contextmanager
def site(folder, **pages):
    """Serve pages made from live figures; yields the address and a browser.

    Parameters
    ----------
    folder : pathlib.Path
        Where the pages are written.
    **pages : sequence of LiveFigure
        The figures of each page, by the page's name.
    """
    for name, figures in pages.items():
        text = PAGE.format("\n".join(figure._repr_html_() for figure in figures))
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield f"http://127.0.0.1:{server.server_port}", browser
        browser.close()
    server.shutdown()
    server.server_close()


@contextmanager
def opened(address, browser, path, *, width=1000, height=900, **context):
    """Open a page and close it again; an error in its console or a request to another host fails.

    Parameters
    ----------
    address, browser
        What `site` yields.
    path : str
        The page's file with its hash.
    width, height : int
        The window.
    **context
        Further options of the browser's context.
    """
    faults = []
    context = browser.new_context(viewport={"width": width, "height": height}, **context)
    page = context.new_page()
    page.set_default_timeout(5000)
    page.on("console", lambda message: message.type in ("error", "warning") and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: request.url.startswith((address, "data:")) or faults.append(request.url))
    page.goto(f"{address}/{path}")
    yield page
    context.close()
    assert not faults, faults


@pytest.fixture
def page(served):
    """Open a page of `served`, the module's own site: `page("race.html")`; any fault on it fails when the test ends."""
    with ExitStack() as stack:
        yield lambda path, **options: stack.enter_context(opened(*served, path, **options))


def element(page, place=0):
    """Return a live figure of a page, the first unless another place is said."""
    return page.locator("descent-explorer").nth(place)


def settled(element):
    """Wait until an element has drawn what was last asked for, and its address and status line are written."""
    element.evaluate("e => new Promise(done => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), 450))")


def state_of(element):
    """Return the state after the next frame."""
    element.evaluate("e => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return element.evaluate("e => e.state")


def numbers_of(element):
    """Return what the figure last drew, as numbers."""
    state_of(element)
    return element.evaluate("e => e.numbers")
