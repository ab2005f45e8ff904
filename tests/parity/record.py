"""Run the libraries' own optimizers on the cases of `cases.py` and write their trajectories to a file.

    python tests/parity/record.py tests/parity/references.npz

`make parity` makes the environment with the libraries, records into _build, and compares: the rules with
what the libraries do now, and that with the stored references.
"""

import inspect
import json
import os
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import jax
import keras
import numpy as np
import optax
import torch
from cases import CALLS, MISTAKES, PROBLEMS, STEPS, cases, schedule

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)  # NAdam keeps the product of its momenta in the default type


def run_torch(call, names, rate, gradient, theta):
    """Yield the parameters after each step."""
    parameter = torch.nn.Parameter(torch.tensor(theta, dtype=torch.float64))
    optimizer = eval(call, {"torch": torch, "parameters": [parameter], "eta": rate(1), **names})
    for t in range(1, STEPS + 1):
        if re.search(r"\beta\b", call):
            optimizer.param_groups[0]["lr"] = rate(t)
        parameter.grad = torch.from_numpy(gradient(parameter.detach().numpy().copy()))
        optimizer.step()
        yield parameter.detach().numpy().copy()


def run_optax(call, names, rate, gradient, theta):
    """Yield the parameters after each step."""
    optimizer = eval(call, {"optax": optax, "eta": lambda count: rate(count + 1), **names})
    parameters = jax.numpy.asarray(theta)
    state = optimizer.init(parameters)
    for _ in range(STEPS):
        g = jax.numpy.asarray(gradient(np.asarray(parameters)))
        updates, state = optimizer.update(g, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        yield np.asarray(parameters)


def run_keras(call, names, rate, gradient, theta):
    """Yield the parameters after each step."""
    variable = keras.Variable(np.asarray(theta), dtype="float64")
    optimizer = eval(call, {"keras": keras, "eta": rate(1), **names})
    for t in range(1, STEPS + 1):
        if re.search(r"\beta\b", call):
            optimizer.learning_rate = rate(t)
        g = gradient(keras.ops.convert_to_numpy(variable).copy())
        optimizer.apply([keras.ops.convert_to_tensor(g)], [variable])
        yield keras.ops.convert_to_numpy(variable).copy()


RUN = {"torch": run_torch, "optax": run_optax, "keras": run_keras}


def trajectory(library, call, hyper, name, gradient, start):
    """Return start and parameters after each step, up to the last that is finite."""

    def finite_gradient(theta):
        g = gradient(theta)
        if not np.isfinite(g).all():
            raise FloatingPointError
        return g

    path = [np.array(start)]
    names = {k: v for k, v in hyper.items() if k != "eta"}
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            for theta in RUN[library](call, names, schedule(hyper.get("eta", 1.0), name), finite_gradient, start):
                if not np.isfinite(theta).all():
                    break
                path.append(theta)
        except FloatingPointError:
            pass
    return np.array(path)


def defaults():
    """Return the default arguments of every function that is called, as the libraries declare them."""
    found = {}
    for function in sorted({call.partition("(")[0] for _, _, call, _, _ in CALLS}):
        parameters = inspect.signature(eval(function, {"torch": torch, "optax": optax, "keras": keras})).parameters
        found[function] = {
            name: parameter.default
            for name, parameter in parameters.items()
            if isinstance(parameter.default, int | float | tuple) and not isinstance(parameter.default, bool)
        }
    return found


def answers():
    """Make each mistake, take one step, and return what the library says."""
    found = {}
    for library, call, g in MISTAKES:
        try:
            theta = next(RUN[library](call, {}, lambda t: 0.01, lambda theta, g=g: np.array(g), np.ones(2)))
            climbs = ", climbs" if (theta - 1) @ np.array(g) > 0 else ""
            found[call, str(g)] = "accepted" + (climbs if np.isfinite(theta).all() else ", parameters NaN")
        except Exception as error:
            found[call, str(g)] = type(error).__name__
    return [[*key, answer] for key, answer in found.items()]


def main(file):
    """Record every case."""
    started, found = time.time(), {}
    everything = list(cases())
    for key, _, library, call, problem, name, hyper in everything:
        found[key] = trajectory(library, call, hyper, name, *PROBLEMS[problem])
        if len(found) % 50 == 0:
            print(f"  {len(found)} of {len(everything)} trajectories, {time.time() - started:.0f} s", flush=True)
    versions = ", ".join(f"{library} {version(library)}" for library in RUN)
    file.parent.mkdir(parents=True, exist_ok=True)
    notes = {"versions": versions, "defaults": defaults(), "mistakes": answers()}
    np.savez_compressed(file, notes=np.array(json.dumps(notes)), **found)
    print(f"{len(found)} trajectories of {versions}: {file} ({file.stat().st_size / 1e3:.0f} kB)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
