"""Measure what the chapters quote about time, and store it as JSON beside this file.

Run it with ``make bench`` on an idle machine. Chapters read the stored files, so that no timing is measured while a
page is made. ``make bench ONLY=optimizers`` measures only that; ``QUICK=1`` takes one process a peer instead of five.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # one thread, so that a step's time does not depend on idle cores
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from dlnotes import Network, gradient_descent, minibatches, minimize

HERE = Path(__file__).parent
REPEATS = 7


def seconds(function):
    """Return the quartiles of the wall time of `function` over several calls, after one to warm up."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    lower, median, upper = np.quantile(times, [0.25, 0.5, 0.75])
    return {"lower_quartile": float(lower), "median": float(median), "upper_quartile": float(upper)}


def logistic_data(examples, features):
    """Draw labels from a logistic model, features from a standard normal distribution."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((examples, features))
    y = (rng.random(examples) < 1 / (1 + np.exp(-x @ rng.standard_normal(features)))).astype(float)
    return Network([features, 1]), x, y


def gradient_step():
    """Time of one full-batch gradient of logistic regression, against the number of examples."""
    network, x, y = logistic_data(1_000_000, 30)
    theta = np.zeros(network.parameters)
    for examples in (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000):
        part, labels = x[:examples], y[:examples]
        loops = max(1, 100_000 // examples)  # so that one measurement is long against the clock

        def step(part=part, labels=labels, loops=loops):
            for _ in range(loops):
                network.gradient(theta, part, labels)

        measured = {name: value / loops for name, value in seconds(step).items()}
        yield {"examples": examples, "seconds": measured}


def epoch_time():
    """Time of one epoch of mini-batch descent on 300,000 examples, against the batch size."""
    examples = 300_000
    network, x, y = logistic_data(examples, 10)
    start = np.zeros(network.parameters)
    for batch_size in (1, 10, 100, 1_000, 10_000, 100_000, 300_000):
        updates = -(-examples // batch_size)

        def epoch(batch_size=batch_size, updates=updates):
            gradient = minibatches(network.gradient, x, y, batch_size=batch_size, rng=np.random.default_rng(1))
            minimize(gradient_descent, gradient, start, updates, every=updates, eta=0.1)

        yield {"batch_size": batch_size, "updates": updates, "seconds": seconds(epoch)}


def machine(threads):
    """Describe the processor without naming the machine."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = models[0] if models else cpu
    return {"processor": cpu, "cores": os.cpu_count(), "system": platform.system(), "threads": threads}


PEERS = ("kernel", "numpy", "torch", "torch-foreach", "torch-fused", "optax")
PROCESSES = 5
PARITY = HERE.parent / ".venv" / "parity" / "bin" / "python"


def ask(peer, what):
    """Run one peer in a process of its own and return its measurements."""
    python = sys.executable if peer in ("kernel", "numpy") else PARITY
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    answer = subprocess.run([python, HERE / "peers.py", peer, what], env=environment, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"{peer} {what} failed:\n{answer.stderr[-2000:]}")
    return [json.loads(line) for line in answer.stdout.splitlines()]


def gathered(what, peers, processes):
    """Ask every peer in turn, several times over; return the quartiles of each measurement over the processes."""
    found = {}
    for turn in range(processes):
        for peer in peers:
            start = time.perf_counter()
            for row in ask(peer, what):
                measure = "seconds" if "seconds" in row else next(k for k in row if "bytes" in k)
                value = row.pop(measure)
                found.setdefault((peer, measure, *row.items()), []).append(value)
            print(f"  {what}, turn {turn + 1} of {processes}: {peer}, {time.perf_counter() - start:.0f} s", flush=True)
    for (peer, measure, *row), values in found.items():
        lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75])
        quartiles = {"lower_quartile": lower, "median": median, "upper_quartile": upper}
        yield {"peer": peer, **dict(row), measure: {name: float(f"{value:.4g}") for name, value in quartiles.items()}}


def optimizers(processes):
    """Every rule compiled, on NumPy, in PyTorch's three modes and in Optax: steps, sweeps, first calls, memory."""
    yield from ({"what": "step", **row} for row in gathered("step", PEERS, processes))
    yield from ({"what": "sweep", **row} for row in gathered("sweep", PEERS, processes))
    yield from ({"what": "first call", **row} for row in gathered("compile", PEERS, processes))
    yield from ({"what": "memory", **row} for row in gathered("memory", PEERS, processes))


def versions():
    """The versions of everything that is measured."""
    code = "from importlib.metadata import distributions as d; print(*(f'{x.name}={x.version}' for x in d()))"
    listed = [subprocess.check_output([python, "-c", code], text=True).split() for python in (PARITY, sys.executable)]
    installed = dict(pair.split("=") for pairs in listed for pair in pairs)
    return {"python": platform.python_version()} | {
        n: installed[n] for n in ("numpy", "numba", "torch", "optax", "jax")
    }


def store(name, what, measurements, *, threads=1, **more):
    """Write one result, a line for each measurement."""
    head = {"what": what, "date": date.today().isoformat(), "machine": machine(threads), **more}
    lines = ",\n".join("  " + json.dumps(row) for row in measurements)
    path = HERE / f"{name}.json"
    path.write_text(json.dumps(head, indent=1)[:-2] + ',\n "measurements": [\n' + lines + "\n ]\n}\n")
    print(f"  -> benchmarks/{path.name}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[[], "gradient-step", "epoch-time", "optimizers"])
    parser.add_argument("--quick", action="store_true", help="one process for each peer")
    options = parser.parse_args()
    for name, measure in {"gradient-step": gradient_step, "epoch-time": epoch_time}.items():
        if options.only and name not in options.only:
            continue
        print(f"{name}: {measure.__doc__}", flush=True)
        measurements = []
        for row in measure():
            print(f"  {row}", flush=True)
            measurements.append(row)
        numpy = {"python": platform.python_version(), "numpy": np.__version__}
        store(name, measure.__doc__, measurements, versions=numpy, repeats=REPEATS)
    if not options.only or "optimizers" in options.only:
        print(f"optimizers: {optimizers.__doc__}", flush=True)
        processes = 1 if options.quick else PROCESSES
        rows = list(optimizers(processes))
        store("optimizers", optimizers.__doc__, rows, versions=versions(), processes=processes, threads=2)


if __name__ == "__main__":
    main()
