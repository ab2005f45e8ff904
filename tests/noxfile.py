"""The suite on every supported Python, with the lowest and the newest libraries, and as other machines would run it.

``make test-all`` calls it, ``make test-all SESSIONS="lowest newest"`` runs some sessions. Each has an environment of
its own under ``.venv/nox``; the Pythons are those on the path and in pyenv.
"""

import os
import re
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = ["3.11", "3.12", "3.13"]
EXTRAS = ".[book,binder,fast,test]"

nox.options.envdir = str(ROOT / ".venv" / "nox")
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True
os.environ["PATH"] += "".join(f":{folder}" for folder in sorted(Path.home().glob(".pyenv/versions/*/bin")))


def suite(session, **environment):
    """Run every test with the session's own Python, and say with which versions."""
    session.chdir(ROOT)
    names = "numpy", "sympy", "matplotlib", "numba"
    session.run(
        "python", "-c", f"from importlib.metadata import version as v; print(*(n + ' ' + v(n) for n in {names}))"
    )
    session.run("python", "-m", "pytest", env={"OPENBLAS_NUM_THREADS": "1", **environment})


def pinned(session):
    """Install the lock, with its hashes, and the package."""
    session.chdir(ROOT)
    session.install("-q", "--require-hashes", "-r", "requirements.txt")
    session.install("-q", "--no-deps", "--no-build-isolation", "-e", ".")


@nox.session(python=PYTHONS)
def locked(session):
    """The pinned set on each Python."""
    pinned(session)
    suite(session)


@nox.session(python=PYTHONS[0])
def lowest(session):
    """The lowest NumPy, SymPy and matplotlib that pyproject.toml allows, everything else as pip chooses."""
    floors = [re.sub(r">=([\d.]+)$", r"~=\1.0", requirement) for requirement in PROJECT["dependencies"]]
    session.chdir(ROOT)
    session.install("-q", "-e", EXTRAS, *floors)
    suite(session)


@nox.session(python=PYTHONS[-1])
def newest(session):
    """The newest of everything that pyproject.toml allows."""
    session.chdir(ROOT)
    session.install("-q", "--upgrade", "--upgrade-strategy", "eager", "-e", EXTRAS)
    suite(session)


@nox.session(python=PYTHONS[0])
@nox.parametrize("core", ["Nehalem", "Haswell"])
def other_machine(session, core):
    """Another hash seed, another processor's BLAS kernels, without the newer vector instructions of NumPy."""
    pinned(session)
    off = "X86_V3 X86_V4 AVX512_ICL" if core == "Nehalem" else "X86_V4 AVX512_ICL"
    suite(session, PYTHONHASHSEED=str(len(core)), OPENBLAS_CORETYPE=core, NPY_DISABLE_CPU_FEATURES=off)
