"""Live figures for the book's pages: the package's own formulas, moved by the reader in the browser.

A cell of a notebook ends with one of them, for instance ``explorer.race()``.
"""

from dlnotes.live_moments import bias_correction
from dlnotes.live_momentum import momentum_map
from dlnotes.live_processes import covariance_function
from dlnotes.live_race import race

__all__ = ["bias_correction", "covariance_function", "momentum_map", "race"]
