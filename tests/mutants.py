"""Change the package and the notebooks in small ways, one at a time, and see whether a test notices: ``make mutants``.

Cosmic Ray's operators change arithmetic and comparisons, numbers, `and` and `or`, signs and loops. From each module and
each notebook a seeded sample is drawn (arguments of style, such as colours, left out). A changed module meets
its own tests, then all unit tests, then the notebooks until one fails; a changed notebook meets nbval. The report lists
what survived; `mutants_explained.toml` says of some why no test can see it. Less than 95 % killed is a failure.

Runs in an environment of its own, on copies of the repository, with two workers; the report is _build/mutants.txt.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"
REPORT = ROOT / "_build" / "mutants.txt"
WORKERS, SEED, LEAST = 2, 0, 0.95
SAMPLE = {"module": 12, "notebook": 6}
LEFT_OUT = re.compile(r"Bit|Shift|LShift|RShift|Exception|Decorator|Variable|NoOp|MatMul|no-op")
STYLE = re.compile(
    r"color|figsize|fontsize|linewidth|markersize|alpha=|zorder|xytext|height_ratios|width_ratios|annotate\(|\.text\(|"
    r"legend\(|dpi|\bha=|\bva=|font|dashes|linestyle|\"(axes|figure|grid|legend|lines|xtick|ytick|savefig)\."
)
NO_LOGIC = {"__init__", "figure_style", "explorer"}  # names and colours only
TIMEOUT = 300  # seconds; a mutant that runs for ever counts as killed
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]


@dataclass
class Mutant:
    """One change: where, from which line to which, and the whole text after it."""

    path: Path
    cell: int | None
    before: str
    after: str
    text: str
    outcome: str = ""

    @property
    def name(self):
        """Path, cell and change on one line."""
        place = self.path.as_posix() + (f" [{self.cell}]" if self.cell is not None else "")
        return f"{place}: {self.before.strip()[:100]}  ->  {self.after.strip()[:100]}"


def positions(code):
    """Return every (operator, occurrence) at which one piece of code can be changed."""
    tree = parso.parse(code)
    nodes, operators = list(ast_nodes(tree)), [get_operator(n)() for n in operator_names() if not LEFT_OUT.search(n)]
    return [
        (operator, k)
        for operator in operators
        for k in range(sum(len(list(operator.mutation_positions(node))) for node in nodes))
    ]


def drawn(path, pieces, count, rng):
    """Return a sample of the mutants of a file, given its pieces of code by cell, and how many places there are."""
    places = [(cell, operator, k) for cell, code in pieces.items() for operator, k in positions(code)]
    found = []
    for cell, operator, k in rng.sample(places, len(places)):
        if len(found) == count:
            break
        code = pieces[cell]
        changed = mutate_code(code, operator, k) or code
        lines = [(a, b) for a, b in zip(code.splitlines(), changed.splitlines(), strict=False) if a != b]
        if lines and not STYLE.search(lines[0][0]):
            found.append(Mutant(path, cell, *lines[0], changed))
    return found, len(places)


def targets(only):
    """Yield (path, its pieces of code by cell, how many mutants to draw) of every module and notebook."""
    modules = sorted((ROOT / "code" / "dlnotes").glob("*.py"))
    notebooks = sorted(p for p in (ROOT / "chapters").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    for path in [*(path for path in modules if path.stem not in NO_LOGIC), *notebooks]:
        name = path.relative_to(ROOT)
        if only and not any(word in name.as_posix() for word in only):
            continue
        if path.suffix == ".py":
            yield name, {None: path.read_text("utf-8")}, SAMPLE["module"]
        else:
            cells = enumerate(json.loads(path.read_text("utf-8"))["cells"])
            code = {i: "".join(cell["source"]) for i, cell in cells if cell["cell_type"] == "code"}
            yield name, code, SAMPLE["notebook"]


def own_tests(path, copy):
    """Return what pytest is given first for a file: its unit tests, all of them if it has none, or the notebook."""
    if path.suffix == ".ipynb":
        return [*NBVAL, copy / path]
    own = copy / "tests" / f"test_{path.stem}.py"
    return [own] if own.exists() else unit_tests(copy)


def unit_tests(copy):
    """Return all tests but those of the stored book."""
    return sorted(p for p in (copy / "tests").glob("test_*.py") if p.stem not in ("test_book", "test_hygiene"))


def fails(files, copy):
    """Run pytest on a copy and tell whether a test fails."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "code"), "OPENBLAS_NUM_THREADS": "1"}
    options = [
        "-x",
        "-q",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        f"--nbval-sanitize-with={copy}/tests/sanitize.cfg",
    ]
    try:
        command = [PYTHON, "-m", "pytest", *options, *files]
        run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return True
    if run.returncode > 2:  # neither passed nor failed nor a file that can't be collected
        raise RuntimeError(f"pytest ended with {run.returncode}\n{run.stdout.decode()[-800:]}")
    return run.returncode > 0


def killed(mutant, copy):
    """Tell whether a test fails on a copy of the repository that holds the mutant."""
    place = copy / mutant.path
    original = place.read_text("utf-8")
    rounds = [own_tests(mutant.path, copy)]
    if mutant.cell is None:
        place.write_text(mutant.text, "utf-8")
        rounds += [unit_tests(copy), [*NBVAL, copy / "chapters"]]
    else:
        content = json.loads(original)
        content["cells"][mutant.cell]["source"] = mutant.text
        place.write_text(json.dumps(content), "utf-8")
    try:
        return any(fails(files, copy) for files in rounds)
    finally:
        place.write_text(original, "utf-8")


def copies():
    """Return a queue of copies of the repository, one for each worker."""
    free, files = (
        Queue(),
        subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines(),
    )
    for _ in range(WORKERS):
        copy = Path(tempfile.mkdtemp(prefix="mutants-"))
        for name in files:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        free.put(copy)
    return free


def main():
    rng, chosen, empty = random.Random(SEED), [], []
    for path, pieces, count in targets(sys.argv[1:]):
        found, places = drawn(path, pieces, count, rng)
        print(f"{path}: {len(found)} of {places} mutants", flush=True)
        chosen += found
        empty += [] if found else [path]
    reasons = tomllib.loads((ROOT / "tests" / "mutants_explained.toml").read_text("utf-8"))["mutant"]
    free, started = copies(), time.monotonic()

    copy = free.get()
    print("Without any change:", flush=True)
    modules = any(mutant.cell is None for mutant in chosen)
    for files in [
        *(own_tests(path, copy) for path in {m.path for m in chosen}),
        *([unit_tests(copy)] if modules else []),
    ]:
        if fails(files, copy):  # what fails anyway would kill everything
            sys.exit(f"these tests fail on the code as it is: {files[-1]}")
    free.put(copy)

    def judge(mutant):
        copy = free.get()
        try:
            mutant.outcome = "killed" if killed(mutant, copy) else "survived"
        finally:
            free.put(copy)
        for reason in reasons:
            if mutant.outcome == "survived" and reason["change"] in mutant.name:
                mutant.outcome = f"no test can see it: {reason['why']}"
        print(f"  {time.monotonic() - started:5.0f} s  {mutant.outcome:9}  {mutant.name}", flush=True)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(judge, chosen))
    while not free.empty():
        shutil.rmtree(free.get())
    sys.exit(report(chosen, empty))


def report(mutants, empty):
    """Write and print the report; return 1 if too many survived or a file has no mutant."""
    lines, low = [], []
    for path in dict.fromkeys(mutant.path for mutant in mutants):
        here = [mutant for mutant in mutants if mutant.path == path and not mutant.outcome.startswith("no test")]
        dead = sum(mutant.outcome == "killed" for mutant in here)
        lines.append(f"{path}: {dead} of {len(here)} killed")
        low += [path] if here and dead < LEAST * len(here) else []
    lines += [f"{mutant.outcome}: {mutant.name}" for mutant in mutants if mutant.outcome != "killed"]
    counted = [mutant for mutant in mutants if not mutant.outcome.startswith("no test")]
    dead = sum(mutant.outcome == "killed" for mutant in counted)
    lines.append(f"All: {dead} of {len(counted)} killed ({dead / max(len(counted), 1):.1%}).")
    lines += [f"no mutant at all: {path}" for path in empty]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines), f"\nThe report: {REPORT}", sep="\n")
    return int(bool(empty) or dead < LEAST * len(counted))


if __name__ == "__main__":
    main()
