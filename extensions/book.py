"""What the book needs beyond its theme: offline mathematics, lighter pages, repository buttons, accessible markup.

Every repair says why it is there; drop it when the theme no longer needs it.
"""

import logging
import os
import re
import struct
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pybtex.plugin
from fontTools import subset  # comes with matplotlib
from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset
from sphinx_exercise.nodes import solution_node

COLAB = "https://colab.research.google.com"


def repository_url() -> str:
    """The public https address of the repository, from the environment or the clone's remote; "" if none."""
    url = os.environ.get("BOOK_REPOSITORY_URL")
    if url is None:
        git = ["git", "-C", str(Path(__file__).parent), "remote", "get-url", "origin"]
        try:
            url = subprocess.run(git, capture_output=True, text=True).stdout
        except FileNotFoundError:
            return ""
    # https://user:token@host/owner/name.git, ssh://git@host:22/owner/name, git@host:owner/name; never a path
    match = re.fullmatch(
        r"(?:(?:https?|ssh|git)://)?(?:[^@/\s]*@)?"  # scheme and credentials, both dropped
        r"([a-z0-9.-]+\.[a-z]{2,})(?::\d+/|[:/])/*"  # a host with a name, its port dropped
        r"([^:@\s]+?)(?:\.git)?/*",
        url.strip(),
        re.IGNORECASE,
    )
    return f"https://{match[1]}/{match[2]}" if match and "/" in match[2] else ""


def add_buttons(app: Sphinx, config) -> None:
    """Repository and launch buttons belong to whoever publishes the book, so no address stands in _config.yml."""
    options, url = config.html_theme_options, repository_url()
    options["launch_buttons"] = {}
    if pages := re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", url):
        config.ogp_site_url = os.environ.get("BOOK_SITE_URL", f"https://{pages[1]}.github.io/{pages[2]}/")
    if re.match(r"https://[^/]*git(hub|lab)", url):
        options.update(
            repository_url=url,
            repository_branch="main",
            use_repository_button=True,
            use_edit_page_button=True,
            use_issues_button=True,
            launch_buttons={
                "notebook_interface": "jupyterlab",
                "binderhub_url": "https://mybinder.org",
                **({"colab_url": COLAB} if "github.com" in url else {}),
            },
        )
    elif url:  # the theme refuses a provider that it does not know: a plain link instead
        options["icon_links"] = [{"name": "Repository", "url": url, "icon": "fa-solid fa-code-branch"}]


def remove_thebe(app: Sphinx) -> None:
    """Live code is not used here; its script throws on load and names another host."""
    for event in ("env-before-read-docs", "builder-inited", "doctree-resolved"):
        for listener in list(app.events.listeners.get(event, [])):
            handler = getattr(listener.handler, "func", listener.handler)  # some are functools.partial
            if getattr(handler, "__module__", "").startswith("sphinx_thebe"):
                app.disconnect(listener.id)


def mend_page(app: Sphinx, pagename, templatename, context, doctree) -> None:
    """Drop ARIA roles where they are not allowed (bibliography; axe: critical) and ids that proofs repeat on a page."""
    if "body" in context:
        context["body"] = re.sub(r' (role="(list|doc-biblioentry)"|id="proof(-content)?")', "", context["body"])


def one_page(app: Sphinx) -> None:
    """Exercises and proofs know how they look in "html" only; one page of everything (`make pdf`) is HTML too."""
    if app.builder.name == "singlehtml":
        handlers = app.registry.translation_handlers
        handlers["singlehtml"] = {**handlers.get("html", {}), **handlers.get("singlehtml", {})}


def leave_out_solutions(app: Sphinx, doctree) -> None:
    """`make book SOLUTIONS=no` is for classes. The option of sphinx-exercise would leave their code standing."""
    if os.environ.get("SOLUTIONS") == "no":
        for node in list(doctree.findall(solution_node)):
            node.parent.remove(node)


def png_size(path: Path) -> str:
    head = path.read_bytes()[:24]
    return ' width="{}" height="{}"'.format(*struct.unpack(">II", head[16:24])) if head[1:4] == b"PNG" else ""


def write_subset(source: Path, target: Path, codes: set[int]) -> None:
    """The glyphs of these code points as a compressed web font."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    options = subset.Options(flavor="woff")
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    subset.save_font(font, target, options)


def mend_links(html: str, page: str, url: str) -> str:
    """Links of a finished page: to report an error in it, to Colab, to other sites.

    Colab opens the branch whose notebooks install the package first (see colab.py). A link to another site hands over
    no window.
    """
    if "github.com" in url:
        report = f"{url}/issues/new?template=error-in-the-book.yml&amp;page={page}"
        html = html.replace("<!-- report -->", f'<a href="{report}">Report an error on this page</a>.')
        html = html.replace(f"{COLAB}/github/{url[19:]}/blob/main/", f"{COLAB}/github/{url[19:]}/blob/colab/")
    return re.sub(r'<a (?![^>]*\brel=)(?=[^>]*href="https?://)', '<a rel="noopener" ', html)


def lighten(app: Sphinx, error) -> None:
    """Serve MathJax from the book, load figures when they are scrolled to, ship only the icons that are used."""
    if error or app.builder.format != "html":
        return
    out, static = Path(app.outdir), Path(app.outdir, "_static")
    if (
        app.builder.name == "singlehtml"
    ):  # its pictures are sought beside it, but it stands where the first chapter does
        (out / f"{app.config.root_doc}.html").rename(out / "book.html")

    # MathJax comes from a package at build time: of its 24 MB the pages load these.
    mathjax = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax"
    copy_asset(mathjax / "tex-chtml.js", static / "mathjax")
    for folder in ("output/chtml/fonts/woff-v2", "input/tex/extensions"):
        copy_asset(mathjax / folder, static / "mathjax" / folder)

    # The theme draws its icons twice, by a 1.5 MB script and by fonts; the fonts suffice.
    icons, repository = set(), repository_url()
    for page in out.rglob("*.html"):
        html = re.sub(r"<script defer[^>]*fontawesome\.js[^>]*></script>", "", page.read_text("utf-8"))
        first, *rest = re.split(r"(?=<img )", html)
        for i, part in enumerate(rest):
            source = re.match(r'<img [^>]*?src="([^":]+)"', part)
            if source and "_images/" in source[1] and " loading=" not in part.split(">")[0]:
                lazy = ' loading="lazy"' if i else ""  # known sizes keep the page from jumping while figures load
                rest[i] = "<img" + lazy + png_size(page.parent / source[1]) + part[4:]
        name = page.relative_to(out).with_suffix("").as_posix()
        page.write_text(mend_links(first + "".join(rest), name, repository), "utf-8")
        icons.update(re.findall(r"\bfa-[a-z0-9-]+", html))
    for script in static.rglob("*.js"):
        if "mathjax" not in script.parts and script.name != "fontawesome.js":
            icons.update(re.findall(r"\bfa-[a-z0-9-]+", script.read_text("utf-8")))
    (static / "scripts/fontawesome.js").unlink(missing_ok=True)

    # A rule such as ".fa-sun:before{content:"\f185"}" stays if a page or script names the icon.
    def keep(rule: re.Match) -> str:
        return rule[0] if icons & set(re.findall(r"fa-[a-z0-9-]+", rule[1])) else ""

    theme = static / "styles/pydata-sphinx-theme.css"
    css = re.sub(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\[0-9a-f]+"\}', keep, theme.read_text("utf-8"))
    css = re.sub(r'\.woff2\) format\("woff2"\),url\([^)]*\.ttf\) format\("truetype"\)', '.woff) format("woff")', css)
    theme.write_text(css, "utf-8")
    styles = "".join(style.read_text("utf-8") for style in static.rglob("*.css"))
    codes = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", styles)}
    codes |= {ord(character) for character in styles if character > "\ue000"}
    for font in (static / "vendor/fontawesome/webfonts").glob("*.ttf"):
        write_subset(font, font.with_suffix(".woff"), codes)
        font.unlink()
        font.with_suffix(".woff2").unlink()

    # One face everywhere, for a reader's own serif may be anything: Latin, Greek, arrows, mathematical signs.
    face = Path(find_spec("font_source_serif_pro").origin).parent / "files"
    letters = {*range(0x20, 0x180), *range(0x370, 0x400), *range(0x2010, 0x2045), *range(0x2190, 0x22FF)}
    for name in ("Regular", "It", "Semibold"):
        write_subset(face / f"SourceSerifPro-{name}.ttf", static / f"serif-{name.lower()}.woff", letters)

    for source_map in static.rglob("*.map"):
        source_map.unlink()


def setup(app: Sphinx) -> dict:
    pybtex.plugin.find_plugin = cache(pybtex.plugin.find_plugin)  # it reads all entry points again for each citation
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("config-inited", add_buttons, priority=900)  # after Jupyter Book has written its own options
    app.connect("builder-inited", remove_thebe, priority=1)
    app.connect("builder-inited", one_page)
    app.connect("doctree-read", leave_out_solutions)
    app.connect("html-page-context", mend_page, priority=900)
    app.connect("build-finished", lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
