"""The catalogue of update rules, one equation a line."""

from dlnotes.rules import Rule

gradient_descent = Rule(
    "Gradient descent",
    dtheta=lambda eta, g: -eta * g,
    source="Cauchy 1847; Nesterov 2018, section 1.2.3",
)
"""Step against the gradient.

Batch, stochastic and mini-batch gradient descent are this one rule. They differ in the gradient that
they are given: the mean over all examples, over one, or over a few (`dlnotes.minibatches`).
"""

CATALOGUE = {"gradient_descent": gradient_descent}
"""Every rule of the book by its name in this module."""
