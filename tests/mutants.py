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
TIMEOUT = 300


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


def mutants_of(path, cell, code):
    """Return every mutant of one piece of code."""
    tree, found = parso.parse(code), []
    for name in operator_names():
        if LEFT_OUT.search(name):
            continue
        operator = get_operator(name)()
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))):
            changed = mutate_code(code, operator, occurrence)
            lines = [(a, b) for a, b in zip(code.splitlines(), (changed or "").splitlines(), strict=False) if a != b]
            if lines and not STYLE.search(lines[0][0]):
                found.append(Mutant(path, cell, *lines[0], changed))
    return found


def targets():
    """Yield (kind, path, its mutants) of every module and notebook."""
    for path in sorted((ROOT / "code" / "dlnotes").glob("*.py")):
        if path.stem not in NO_LOGIC:
            yield "module", path.relative_to(ROOT), mutants_of(path.relative_to(ROOT), None, path.read_text("utf-8"))
    for path in sorted((ROOT / "chapters").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            cells = json.loads(path.read_text("utf-8"))["cells"]
            found = [
                mutant
                for i, cell in enumerate(cells)
                if cell["cell_type"] == "code"
                for mutant in mutants_of(path.relative_to(ROOT), i, "".join(cell["source"]))
            ]
            yield "notebook", path.relative_to(ROOT), found


def killed(mutant, copy):
    """Tell whether a test fails on a copy of the repository that holds the mutant."""
    place = copy / mutant.path
    original = place.read_text("utf-8")
    if mutant.cell is None:
        place.write_text(mutant.text, "utf-8")
        own = copy / "tests" / f"test_{mutant.path.stem}.py"
        unit = sorted(p for p in (copy / "tests").glob("test_*.py") if p.stem not in ("test_book", "test_hygiene"))
        rounds = [[own]] if own.exists() else []
        rounds += [unit, ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", copy / "chapters"]]
    else:
        content = json.loads(original)
        content["cells"][mutant.cell]["source"] = mutant.text
        place.write_text(json.dumps(content), "utf-8")
        rounds = [["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", place]]
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
        for files in rounds:
            command = [PYTHON, "-m", "pytest", *options, *files]
            run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=TIMEOUT * len(rounds))
            if run.returncode == 1 or run.returncode == 2:  # a failure, or a file that can't be collected
                return True
            if run.returncode:
                raise RuntimeError(f"{mutant.name}: pytest ended with {run.returncode}\n{run.stdout.decode()[-800:]}")
        return False
    except subprocess.TimeoutExpired:
        return True
    finally:
        place.write_text(original, "utf-8")


def copies():
    """Return a queue of copies of the repository, one for each worker."""
    free, files = Queue(), subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    for _ in range(WORKERS):
        copy = Path(tempfile.mkdtemp(prefix="mutants-"))
        for name in files:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        free.put(copy)
    return free


def main():
    only, rng, chosen, empty = sys.argv[1:], random.Random(SEED), [], []
    for kind, path, found in targets():
        if only and not any(name in path.as_posix() for name in only):
            continue
        if not found:
            empty.append(path)
        drawn = rng.sample(found, min(SAMPLE[kind], len(found)))
        print(f"{path}: {len(drawn)} of {len(found)} mutants", flush=True)
        chosen += drawn
    reasons = tomllib.loads((ROOT / "tests" / "mutants_explained.toml").read_text("utf-8"))["mutant"]
    free, started = copies(), time.monotonic()

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
