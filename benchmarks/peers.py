"""One peer of the optimizer benchmark in one process: prints one JSON line for each measurement.

Called by run.py as ``python peers.py PEER WHAT``, ours with the book's Python, PyTorch and Optax with that of
``make parity``. PEER is one of PEERS in run.py, WHAT is step, sweep, compile or memory.
Everybody has the same number of threads, and parameters and state change in place wherever a library offers it.
"""

import json
import os
import resource
import statistics
import sys
import time
from functools import partial
from pathlib import Path

THREADS = 2
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = str(THREADS)

if hasattr(os, "sched_setaffinity"):  # JAX takes all the processors it sees
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "code"), str(ROOT / "tests" / "parity")]

from dlnotes import CATALOGUE, objectives  # noqa: E402
from dlnotes.variants import VARIANTS  # noqa: E402

SIZES = (2, 1_000, 100_000, 1_000_000, 10_000_000)
DTYPES = ("float64", "float32")
MEMBERS, STEPS = 10_000, 200
TORCH_MEMBERS = 10  # a loop takes the same time for each member: these are timed, and the time is scaled up
# The rules of the catalogue, and the form of Nesterov's that libraries have: it keeps the look-ahead point only.
RULES = CATALOGUE | {name: VARIANTS[name] for name in ["nesterov_shifted_rate_outside"]}
# Libraries have these rules in another form only.
FORMS = {
    "torch": {"nesterov": "nesterov_shifted_rate_outside", "nadam": "nadam_schedule"},
    "optax": {"nesterov": "nesterov_shifted_rate_outside", "amsgrad": "amsgrad_largest_corrected"},
}


def numbers(rule):
    """The hyper-parameters of every measurement: the rule's defaults, and a rate of 0.001."""
    chosen = {name: 0.001 if rule.default(name) is None else rule.default(name) for name in rule.hyper}
    return chosen | ({"eta": 0.001} if "eta" in chosen else {})


def call_of(library, name):
    """The library's call for a rule, as the parity tests run it."""
    from cases import CALLS

    forms = [name, FORMS[library].get(name), f"{name}_eps_outside"]
    found = [(call, fixed) for form in forms for rule, lib, call, fixed, _ in CALLS if (rule, lib) == (form, library)]
    return found[0]


def stepper(peer, name, dtype, size):
    """Return a function that takes one step of a rule; None if the peer has no such step."""
    rule, rng = RULES[name], np.random.default_rng(0)
    theta, g = rng.normal(size=size).astype(dtype), rng.normal(size=size).astype(dtype)
    hyper = numbers(rule)
    if peer in ("kernel", "numpy"):
        return ours(peer, rule, theta, g, hyper)
    call, fixed = call_of(peer.partition("-")[0], name)
    return (torchs if peer.startswith("torch") else optaxs)(peer, call, hyper | fixed, theta, g)


def ours(peer, rule, theta, g, hyper):
    """The same stages, compiled or on NumPy."""
    from dlnotes.kernels import compiled

    step, state, t = compiled(rule) if peer == "kernel" else rule.step, rule.init(theta), 0

    point = partial(step.point, out=np.empty_like(theta)) if peer == "kernel" else rule.point

    def run():
        nonlocal t
        t += 1
        if "at" in rule.stages:  # where the gradient is taken belongs to the work: libraries shift it into the step
            point(theta, state, t, **hyper)
        step(theta, g, state, t, **hyper)

    return run


def torchs(peer, call, hyper, theta, g):
    """torch.optim, in the mode that the peer's name says."""
    import torch

    torch.set_num_threads(THREADS)
    parameters = [torch.from_numpy(theta).requires_grad_()]  # no copies, which the peak of memory would count
    parameters[0].grad = torch.from_numpy(g)
    mode = {"torch": "", "torch-foreach": ", foreach=True", "torch-fused": ", fused=True"}[peer]
    try:
        optimizer = eval(f"{call[:-1]}{mode})", {"torch": torch, "parameters": parameters, **hyper})
        optimizer.step()
    except (TypeError, RuntimeError):
        return None
    return optimizer.step


def optaxs(peer, call, hyper, theta, g):
    """Optax, compiled by JAX, with the buffers of parameters and state given away."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    optimizer = eval(call, {"optax": optax, **hyper})
    theta, g = jax.numpy.asarray(theta), jax.numpy.asarray(g)
    state = optimizer.init(theta)

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(theta, state, g):
        steps, state = optimizer.update(g, state, theta)
        return optax.apply_updates(theta, steps), state

    def run():
        nonlocal theta, state
        theta, state = update(theta, state, g)
        theta.block_until_ready()

    return run


def seconds(run, least=0.01, repeats=5):
    """The median time of one call; short ones are repeated until a measurement is long against the clock."""
    run()
    start = time.perf_counter()
    run()
    loops = max(1, int(least / (time.perf_counter() - start)))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(loops):
            run()
        times.append((time.perf_counter() - start) / loops)
    return statistics.median(times)


def step(peer):
    """One step of every rule, against size and dtype; first the rate at which memory is copied."""
    if peer == "kernel":
        yield {"copy_bytes_per_second": copy_rate()}
    for dtype in DTYPES:
        for name in RULES:
            for size in SIZES:
                if run := stepper(peer, name, dtype, size):
                    yield {"rule": name, "dtype": dtype, "size": size, "seconds": seconds(run)}


def copy_rate():
    """Bytes read and written in a second by all threads that copy one large array into another."""
    import numba

    @numba.njit(parallel=True)
    def copy(a, b):
        for i in numba.prange(a.size):
            a[i] = b[i]

    a, b = np.zeros(20_000_000), np.ones(20_000_000)
    return 2 * a.nbytes / seconds(partial(copy, a, b))


def sweep(peer):
    """Adam from one start on Rosenbrock's valley, with 10,000 pairs of rate and first decay, 200 steps each."""
    surface, adam = objectives.rosenbrock, CATALOGUE["adam"]
    eta = np.repeat(np.geomspace(1e-4, 1e-1, 100), 100)
    beta1 = np.tile(np.linspace(0.5, 0.99, 100), 100)
    for dtype in DTYPES:
        start = np.array([-1.2, 1.0], dtype)
        if peer == "kernel":
            from dlnotes.kernels import compiled

            run, scale = partial(compiled(adam).sweep, surface, start, STEPS, eta=eta, beta1=beta1), 1
        elif peer == "numpy":
            from dlnotes import minimize

            starts = np.tile(start, (MEMBERS, 1))
            columns = {"eta": eta[:, np.newaxis], "beta1": beta1[:, np.newaxis]}
            run, scale = partial(minimize, adam, surface.gradient, starts, STEPS, every=STEPS, **columns), 1
        elif peer == "optax":
            run, scale = jax_sweep(surface, start, eta, beta1), 1
        else:
            run, scale = torch_sweep(surface, start, eta, beta1, peer), MEMBERS / TORCH_MEMBERS
        yield {"dtype": dtype, "seconds": seconds(run, repeats=3) * scale, "scaled_from": int(MEMBERS / scale)}


def jax_sweep(surface, start, eta, beta1):
    """All members at once: optax.adam under vmap, the steps under scan, compiled."""
    import jax
    import optax
    import sympy as sp

    jax.config.update("jax_enable_x64", True)
    value = sp.lambdify(surface.variables, surface.expression, modules="jax")
    gradient = jax.grad(lambda theta: value(*theta))

    def member(eta, beta1):
        optimizer = optax.adam(eta, beta1)

        def one(carry, _):
            theta, state = carry
            steps, state = optimizer.update(gradient(theta), state, theta)
            return (optax.apply_updates(theta, steps), state), None

        theta = jax.numpy.asarray(start)
        return jax.lax.scan(one, (theta, optimizer.init(theta)), length=STEPS)[0][0]

    every = jax.jit(jax.vmap(member))
    eta, beta1 = (jax.numpy.asarray(x.astype(start.dtype)) for x in (eta, beta1))
    return lambda: every(eta, beta1).block_until_ready()


def torch_sweep(surface, start, eta, beta1, peer):
    """One member after the other, Rosenbrock's gradient written down by hand so that it costs least."""
    import torch

    def gradient(theta):
        x, y = theta.tolist()
        return torch.tensor([2 * (x - 1) - 400 * x * (y - x * x), 200 * (y - x * x)], dtype=theta.dtype)

    np.testing.assert_allclose(gradient(torch.tensor(start)), surface.gradient(start), rtol=1e-5)

    torch.set_num_threads(THREADS)
    mode = {"torch": {}, "torch-foreach": {"foreach": True}, "torch-fused": {"fused": True}}[peer]
    chosen = np.linspace(0, MEMBERS - 1, TORCH_MEMBERS).astype(int)

    def run():
        for i in chosen:
            theta = torch.tensor(start, requires_grad=True)
            optimizer = torch.optim.Adam([theta], lr=float(eta[i]), betas=(float(beta1[i]), 0.999), **mode)
            for _ in range(STEPS):
                theta.grad = gradient(theta)
                optimizer.step()

    return run


def compile_(peer):
    """Time of the first call of every rule on 1,000 numbers, compilation and all."""
    for name in CATALOGUE:
        started = time.perf_counter()
        run = stepper(peer, name, "float64", 1_000)
        if run:
            run()
            yield {"rule": name, "seconds": time.perf_counter() - started}


def memory(peer):
    """How much the process grows when Adam takes three steps on ten million numbers, in bytes."""
    run = stepper(peer, "adam", "float64", 2)
    run()  # libraries loaded, code compiled
    if peer == "kernel":
        stepper(peer, "adam", "float64", 100_000)()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = stepper(peer, "adam", "float64", SIZES[-1])
    for _ in range(3):
        run()
    yield {"bytes": 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)}


if __name__ == "__main__":
    peer, what = sys.argv[1:]
    for row in {"step": step, "sweep": sweep, "compile": compile_, "memory": memory}[what](peer):
        print(json.dumps(row), flush=True)
