"""Fully connected networks: forward pass and back-propagation, in the notation of the notes.

Layer l computes ``z[l] = W[l] a[l-1] + b[l]`` and ``a[l] = activation(z[l])``, with ``a[0] = x``. Arrays hold one
example a row, so a whole batch reads ``Z[l] = A[l-1] W[l].T + b[l]``.
"""

from numbers import Real

import numpy as np

from dlnotes import activations, checks, losses

ACTIVATIONS = {
    "sigmoid": (activations.sigmoid_terms, lambda z, a: a * (1 - a)),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(z.dtype)),
    "linear": (lambda z: z, lambda z, a: np.ones_like(z)),
}
"""Each activation function with its derivative, which is given z and a = activation(z)."""


class Network:
    """A network of fully connected layers whose parameters are one flat vector.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer from the inputs (layer 0) to the outputs (layer L).
    hidden : str, optional
        Activation of the hidden layers: ``"sigmoid"``, ``"relu"`` or ``"linear"``.
    output : str, optional
        Activation of the last layer. `loss` and `gradient` need ``"sigmoid"``.

    Attributes
    ----------
    parameters : int
        Length of the parameter vector: the sum of ``n[l] * (n[l-1] + 1)`` over the layers.

    Raises
    ------
    TypeError
        If `sizes` is not a sequence, or a size is not a whole number.
    ValueError
        If there are fewer than two sizes, one is below 1, or an activation is unknown.

    Notes
    -----
    Rumelhart, Hinton and Williams 1986; Bishop 2006, section 5.3.

    Examples
    --------
    >>> network = Network([2, 2, 1])
    >>> network.parameters
    9
    """

    def __init__(self, sizes, hidden="sigmoid", output="sigmoid"):
        if not isinstance(sizes, list | tuple):
            raise TypeError(f"sizes must be a list of layer sizes, got {sizes!r}")
        self.sizes = tuple(checks.whole_number(f"sizes[{i}]", n, low=1) for i, n in enumerate(sizes))
        if len(self.sizes) < 2:
            raise ValueError(f"sizes must name at least the inputs and the outputs, got {self.sizes}")
        checks.one_of("hidden", hidden, ACTIVATIONS)
        checks.one_of("output", output, ACTIVATIONS)
        self.activations = (hidden,) * (len(self.sizes) - 2) + (output,)
        self._shapes = list(zip(self.sizes[1:], self.sizes[:-1], strict=True))
        self.parameters = sum(rows * (columns + 1) for rows, columns in self._shapes)

    def split(self, theta):
        """Return the weights and biases inside a parameter vector.

        Parameters
        ----------
        theta : numpy.ndarray of shape (parameters,)
            The parameter vector, of numbers or of symbols.

        Returns
        -------
        list of (W, b)
            For each layer l = 1, …, L views of shape ``(n[l], n[l-1])`` and ``(n[l],)``: writing to
            them writes to `theta`.

        Raises
        ------
        ValueError
            If `theta` has another shape.
        """
        theta = np.asarray(theta)
        if theta.shape != (self.parameters,):
            raise ValueError(f"theta must have shape ({self.parameters},), got {theta.shape}")
        layers, start = [], 0
        for rows, columns in self._shapes:
            weights = theta[start : start + rows * columns].reshape(rows, columns)
            start += rows * columns
            layers.append((weights, theta[start : start + rows]))
            start += rows
        return layers

    def initial(self, rng):
        """Draw a start: zero biases, weights uniform with the scale that suits each layer's activation.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        numpy.ndarray of shape (parameters,)

        Raises
        ------
        TypeError
            If `rng` is not a generator.

        Notes
        -----
        Weight variance ``2 / (n[l-1] + n[l])`` (Glorot and Bengio 2010), or ``2 / n[l-1]`` before
        rectifiers (He et al. 2015).
        """
        checks.generator("rng", rng)
        theta = np.zeros(self.parameters)
        for (weights, _), activation in zip(self.split(theta), self.activations, strict=True):
            rows, columns = weights.shape
            variance = 2 / columns if activation == "relu" else 2 / (rows + columns)
            limit = np.sqrt(3 * variance)  # a uniform variable on [-c, c] has variance c²/3
            weights[...] = rng.uniform(-limit, limit, size=weights.shape)
        return theta

    def forward(self, theta, x):
        """Run the forward pass and keep what back-propagation needs.

        Parameters
        ----------
        theta : numpy.ndarray of shape (parameters,)
            The parameter vector.
        x : array_like of shape (m, n[0])
            One example a row. Arrays of symbols are read symbolically (without rectifiers).

        Returns
        -------
        z : list of numpy.ndarray
            Weighted inputs ``z[1], …, z[L]``, each of shape ``(m, n[l])``.
        a : list of numpy.ndarray
            Activations ``a[0], …, a[L]``, of shape ``(m, n[l])``; ``a[0]`` is `x`.

        Raises
        ------
        TypeError
            If an argument holds neither real numbers nor symbols, or symbols meet a rectifier.
        ValueError
            If an argument has the wrong shape, is empty or holds a NaN or an infinity.
        """
        theta, x = _numbers_or_symbols("theta", theta), _numbers_or_symbols("x", x)
        if x.ndim != 2 or x.shape[1] != self.sizes[0]:
            raise ValueError(f"x must have shape (m, {self.sizes[0]}), got {x.shape}")
        if "relu" in self.activations and object in (theta.dtype, x.dtype):
            raise TypeError(f"x and theta must hold numbers where a layer is 'relu', got {self!r} and symbols")
        z, a = [], [x]
        for (weights, bias), activation in zip(self.split(theta), self.activations, strict=True):
            z.append(a[-1] @ weights.T + bias)
            a.append(ACTIVATIONS[activation][0](z[-1]))
        return z, a

    def backward(self, theta, z, a, delta):
        """Back-propagate: from the error at the outputs to the gradient in every parameter.

        Parameters
        ----------
        theta : numpy.ndarray of shape (parameters,)
            The parameter vector of the forward pass.
        z, a : list of numpy.ndarray
            What `forward` returned. (The output activation ``a[L]`` is not read.)
        delta : numpy.ndarray of shape (m, n[L])
            The output error: derivative of the total loss with respect to ``z[L]``.

        Returns
        -------
        numpy.ndarray of shape (parameters,)
            The gradient, laid out like `theta`.

        Raises
        ------
        TypeError
            If an argument holds neither real numbers nor symbols.
        ValueError
            If an argument has another shape than `forward` gives it, or holds a NaN or an infinity.
        """
        layers = self.split(_numbers_or_symbols("theta", theta))
        delta = _numbers_or_symbols("delta", delta)
        if len(z) != len(layers) or len(a) != len(layers) + 1:
            raise ValueError(
                f"z and a must have {len(layers)} and {len(layers) + 1} entries, got {len(z)} and {len(a)}"
            )
        if delta.ndim != 2:
            raise ValueError(f"delta must have shape (m, {self.sizes[-1]}), got {delta.shape}")
        read = {"delta": (delta, -1)} | {f"a[{i}]": (a[i], i) for i in range(len(layers))}
        read |= {f"z[{i}]": (z[i], i + 1) for i in range(len(layers))}
        for name, (array, layer) in read.items():
            if np.shape(array) != (len(delta), self.sizes[layer]):
                raise ValueError(f"{name} must have shape ({len(delta)}, {self.sizes[layer]}), got {np.shape(array)}")
        return self._backward(layers, z, a, delta)

    def _backward(self, layers, z, a, delta):
        gradient = np.empty(self.parameters, dtype=delta.dtype)
        parts = self.split(gradient)
        for i in reversed(range(len(layers))):
            weights_gradient, bias_gradient = parts[i]
            weights_gradient[...] = delta.T @ a[i]
            bias_gradient[...] = delta.sum(axis=0)
            if i > 0:
                derivative = ACTIVATIONS[self.activations[i - 1]][1]
                delta = (delta @ layers[i][0]) * derivative(z[i - 1], a[i])
        return gradient

    def predict(self, theta, x):
        """Return the outputs ``a[L]`` of shape (m, n[L]). Parameters and errors as for `forward`."""
        return self.forward(theta, x)[1][-1]

    def loss(self, theta, x, y):
        """Cross-entropy of sigmoid outputs: the mean over the examples of the sum over the outputs.

        Parameters
        ----------
        theta : numpy.ndarray of shape (parameters,)
            The parameter vector.
        x : array_like of shape (m, n[0])
            One example a row.
        y : array_like of shape (m, n[L]), or (m,) for one output
            Labels in [0, 1].

        Returns
        -------
        float
            In nats.

        Raises
        ------
        ValueError
            If the output activation is not the sigmoid, a shape is wrong, a number is not finite, or a
            label lies outside [0, 1].
        """
        z, _, y = self._with_labels(theta, x, y)
        return losses.cross_entropy_terms(y, z[-1]).sum() / len(y)

    def gradient(self, theta, x, y):
        """Gradient of `loss`, of shape (parameters,). Parameters and errors as for `loss`.

        With the sigmoid and the cross-entropy the output error is ``(a[L] - y) / m``.
        """
        z, a, y = self._with_labels(theta, x, y)
        return self._backward(self.split(theta), z, a, (a[-1] - y) / len(y))

    def _with_labels(self, theta, x, y):
        if self.activations[-1] != "sigmoid":
            raise ValueError(f"output must be 'sigmoid' for the cross-entropy, got {self.activations[-1]!r}")
        z, a = self.forward(theta, x)
        y = np.asarray(y)
        if y.ndim == 1 and self.sizes[-1] == 1:
            y = y[:, np.newaxis]
        if y.shape != z[-1].shape:
            raise ValueError(f"y must have shape {z[-1].shape}, got {y.shape}")
        symbolic = y.dtype == object and all(hasattr(entry, "free_symbols") for entry in y.flat)
        if not symbolic:
            y = losses.labels_in_unit_interval(y, y.shape, None if z[-1].dtype == object else z[-1].dtype)
        return z, a, y

    def __repr__(self):
        return f"Network(sizes={self.sizes}, activations={self.activations})"


def _numbers_or_symbols(name, value):
    value = np.asarray(value)
    if value.dtype != object:
        return checks.real_array(name, value)
    for entry in value.flat:
        if not (hasattr(entry, "free_symbols") or isinstance(entry, Real)):
            raise TypeError(f"{name} must hold real numbers or symbols, got {entry!r}")
    return value
