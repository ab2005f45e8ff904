"""Rules with state, a late read and a moved gradient point, to test the mechanism on."""

from dlnotes import Rule
from dlnotes.rules import sqrt

running_sum = Rule("sum", n=lambda n, g: n + g**2, dtheta=lambda eta, n, eps, g: -eta / sqrt(n + eps) * g)
average = running_sum.but("average", n=lambda beta, n, g: beta * n + (1 - beta) * g**2)
late = Rule(
    "late",
    previous=("V",),
    dtheta=lambda V, g: -(V + 1) * g,
    V=lambda gamma, V, dtheta: gamma * V + (1 - gamma) * dtheta**2,
)
look_ahead = Rule(
    "look-ahead",
    at=lambda theta, beta, m: theta + beta * m,
    m=lambda beta, m, eta, g: beta * m - eta * g,
    dtheta=lambda m: m,
)
corrected = average.but(
    "corrected",
    start={"n": 0.1},
    defaults={"beta": 0.7},
    n_hat=lambda n, beta, t: n / (1 - beta**t),
    dtheta=lambda eta, n_hat, eps, g: -eta / sqrt(n_hat + eps) * g,
)
