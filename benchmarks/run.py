"""Measure what the chapters quote about time, and store it as JSON beside this file.

Run it with ``make bench``. Chapters read the stored files, so that no timing is measured while a page is made.
"""

import json
import os
import platform
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


def machine():
    """Describe the processor without naming the machine."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = models[0] if models else cpu
    return {"processor": cpu, "cores": os.cpu_count(), "system": platform.system(), "threads": 1}


def main():
    for name, measure in {"gradient-step": gradient_step, "epoch-time": epoch_time}.items():
        print(f"{name}: {measure.__doc__}", flush=True)
        measurements = []
        for row in measure():
            print(f"  {row}", flush=True)
            measurements.append(row)
        result = {
            "what": measure.__doc__,
            "date": date.today().isoformat(),
            "machine": machine(),
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
            "repeats": REPEATS,
            "measurements": measurements,
        }
        path = HERE / f"{name}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
        print(f"  -> benchmarks/{path.name}", flush=True)


if __name__ == "__main__":
    main()
