"""What a reader finds in Binder: every notebook run in JupyterLab, in an environment made from binder/ alone.

`make binder-check` runs it (NOTEBOOKS="a.ipynb b.ipynb" for some); it needs Chromium. The environment, .venv/binder,
is made once, and again whenever binder/ changes. JupyterLab itself, which Binder's image brings along, is added.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv" / "binder"
BIN = ENVIRONMENT / "bin"
NOTEBOOKS = os.environ.get("NOTEBOOKS", "").split() or sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "chapters").rglob("*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
]

READY = """() => {
    const context = window.jupyterapp?.shell?.currentWidget?.context;
    return context?.isReady && context.sessionContext.session?.kernel?.status === "idle";
}"""
CELLS = """() => [...Array(window.jupyterapp.shell.currentWidget.content.model.cells.length).keys()].map(i => {
    const cell = window.jupyterapp.shell.currentWidget.content.model.cells.get(i);
    if (cell.type !== "code") return null;
    const outputs = [...Array(cell.outputs.length).keys()].map(j => cell.outputs.get(j).toJSON());
    return {
        count: cell.executionCount, source: cell.sharedModel.getSource().slice(0, 60),
        errors: outputs.filter(o => o.output_type === "error").map(o => `${o.ename}: ${o.evalue}`),
    };
}).filter(cell => cell)"""
# Directives that JupyterLab shows as source instead of a theorem, an exercise or a formula.
RAW = """() => [...document.querySelectorAll(".jp-RenderedMarkdown, .jp-MarkdownOutput, .myst")]
    .flatMap(e => e.innerText.match(/(:::|```)\\{[a-z:-]+\\}/g) ?? [])"""

# Live figures that did not come to life: their element holds its picture, but no controls.
LIFELESS = """() => [...document.querySelectorAll("descent-explorer")].filter(figure =>
    !figure.shadowRoot?.querySelector("[role=status]")?.textContent.trim()).map(f => f.getAttribute("figure"))"""


@pytest.fixture(scope="session")
def environment():
    """Make the environment as Binder does: the pinned packages, then postBuild."""
    stamp = ENVIRONMENT / ".ready"
    wanted = "".join((ROOT / "binder" / name).read_text() for name in ("requirements.txt", "postBuild", "runtime.txt"))
    if not stamp.exists() or stamp.read_text() != wanted:
        print("\nMaking .venv/binder from binder/requirements.txt, once (about a minute) …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        pip = [BIN / "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", ROOT / "binder" / "requirements.txt"], check=True)
        path = f"{BIN}:{os.environ['PATH']}"
        subprocess.run(
            ["bash", "binder/postBuild"],
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        stamp_size = sum(f.stat().st_size for f in ENVIRONMENT.rglob("*") if f.is_file() and not f.is_symlink())
        (ENVIRONMENT / "size").write_text(str(stamp_size))
        subprocess.run([*pip, "jupyterlab>=4,<5"], check=True)
        stamp.write_text(wanted)
    print(f"\nThe environment of binder/: {int((ENVIRONMENT / 'size').read_text()) / 1e6:.0f} MB")


@pytest.fixture(scope="session")
def lab(environment, tmp_path_factory):
    """Serve a copy of the repository with JupyterLab, and yield its address."""
    copy = tmp_path_factory.mktemp("binder") / "book"
    for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    settings = copy.parent / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(
        json.dumps({"windowingMode": "none"})
    )  # every cell is in the page
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        f"--ServerApp.port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--no-browser",
        "--allow-root",
    ]
    options += ["--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    variables = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str(copy.parent / "settings"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    log = (copy.parent / "lab.log").open("w")
    server = subprocess.Popen(
        [BIN / "jupyter", "lab", *options], cwd=copy, env=variables, stdout=log, stderr=subprocess.STDOUT
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=5)
            break
        except OSError:
            assert server.poll() is None, (copy.parent / "lab.log").read_text()[-2000:]
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(30)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


def page_sources(notebook):
    """The code cells that end with a live figure."""
    cells = json.loads((ROOT / notebook).read_text("utf-8"))["cells"]
    lines = ["".join(cell["source"]).strip().splitlines()[-1] for cell in cells if cell["cell_type"] == "code"]
    return [line for line in lines if line.startswith("explorer.")]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_runs_in_jupyterlab(lab, browser, notebook):
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.set_default_timeout(180_000)
    foreign = []
    page.on(
        "request",
        lambda r: (
            foreign.append(r.url) if not r.url.startswith((lab, "data:", "blob:", lab.replace("http", "ws"))) else None
        ),
    )
    started = time.perf_counter()
    page.goto(f"{lab}/lab/tree/{notebook}?reset", wait_until="load")
    page.wait_for_function(READY)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate("() => { window.all = window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    first = f"() => ({CELLS})()[0].count === 1"
    page.wait_for_function(first)
    first_cell = time.perf_counter() - started
    page.evaluate("() => window.all")
    page.wait_for_function(READY)
    cells, raw = page.evaluate(CELLS), page.evaluate(RAW)
    page.wait_for_function(f"() => ({LIFELESS})().length === 0")
    live = page.locator("descent-explorer").count()
    context.close()
    print(
        f"{notebook}: first cell after {first_cell:.1f} s, all {len(cells)} after {time.perf_counter() - started:.1f} s"
    )
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [f"{cell['source']!r}: {error}" for cell in cells for error in cell["errors"]]
    assert live == sum("explorer." in source for source in page_sources(notebook))
    assert not raw, f"directives shown as source: {sorted(set(raw))}"
    assert not foreign, foreign
