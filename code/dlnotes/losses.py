"""Entropy, and the cross-entropies of two or more classes: from probabilities, from logits, and their gradients.

Every loss is in nats. A reduction ``"mean"`` divides by the total weight of the examples, ``"sum"`` does not
divide, and ``"none"`` returns one loss for each example.
"""

import numpy as np

from dlnotes import activations, checks
from dlnotes.activations import log_softmax_terms, sigmoid_terms, softmax_terms, softplus_terms, symbolic

REDUCTIONS = ("mean", "sum", "none")


def entropy(p, axis=-1):
    """Expected information ``-sum(p * log(p))`` of a distribution, in nats; 0 log 0 counts as 0.

    Parameters
    ----------
    p : array_like of float
        Probabilities that sum to 1 along `axis`. An array of SymPy expressions gives a formula.
    axis : int, optional
        The axis of the outcomes.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `p` without `axis`, in [0, log(outcomes)].

    Raises
    ------
    TypeError
        If `p` does not hold real numbers or `axis` is no whole number.
    ValueError
        If `p` is empty, has no such axis, leaves [0, 1] or does not sum to 1.

    Notes
    -----
    Shannon 1948.
    """
    if symbolic(p):
        return -np.sum(p * activations.log(p), axis=axis)
    p = _distribution("p", p, axis)
    return (0 - _times_log(p, p).sum(axis=-1))[()]  # 0 - 0 is 0, and -0 would be printed as -0


def kl_divergence(p, q, axis=-1):
    """Kullback-Leibler divergence ``sum(p * log(p / q))`` of q from p, in nats.

    Computed from terms that are each at least 0, so that it does not cancel where p and q are close.

    Parameters
    ----------
    p, q : array_like of float
        Probabilities of the same shape that sum to 1 along `axis`. Arrays of SymPy expressions give a formula.
    axis : int, optional
        The axis of the outcomes.

    Returns
    -------
    numpy.ndarray or numpy.float64
        Of the shape of `p` without `axis`: at least 0, and infinite where q is 0 and p is not.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers or `axis` is no whole number.
    ValueError
        If shapes differ, or a distribution is empty, has no such axis, leaves [0, 1] or does not sum to 1.

    Notes
    -----
    Kullback and Leibler 1951. The terms are ``p * log(p / q) - p + q``; the two sums that are added cancel.
    """
    if symbolic(p):
        return np.sum(p * (activations.log(p) - activations.log(q)), axis=axis)
    q = _distribution("q", checks.real_array("q", q, shape=np.shape(p)), axis)
    p = _distribution("p", p, axis)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        excess = (q - p) / p
        near = p * np.maximum(excess - np.log1p(excess), 0)  # rounding may pass 0
        far = _times_log(p, p) - _times_log(p, q) + (q - p)
    return np.where(excess <= 1, near, far).sum(axis=-1)[()]


def binary_cross_entropy(y, p, *, class_weights=(1, 1), reduction="mean"):
    """Cross-entropy of predicted probabilities of one class against its complement, in nats.

    A certain prediction that is wrong (``p = 0`` for ``y = 1``) gives the true value, infinity.

    Parameters
    ----------
    y : array_like of float
        Labels: 1 positive, 0 negative; values between are probabilities of the positive class.
    p : array_like of float
        Predicted probabilities of the positive class, of the shape of `y`.
    class_weights : sequence of two floats, optional
        Weight of the negative and of the positive class, each at least 0.
    reduction : str, optional
        ``"mean"``, ``"sum"`` or ``"none"``.

    Returns
    -------
    float, or numpy.ndarray of the shape of `p` for ``"none"``
        From the terms ``-y * log(p) - (1 - y) * log(1 - p)``.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If shapes differ, an argument is empty, a value lies outside [0, 1], a weight is negative, the
        weights of all examples are 0, or the reduction is unknown.

    Notes
    -----
    Bishop 2006, section 4.3.2.
    """
    p = checks.real_array("p", p)
    _check_unit_interval("p", p)
    positive, negative = _weighted_labels(y, p, class_weights)
    with np.errstate(divide="ignore"):
        terms = 0 - _product(positive, np.log(p)) - _product(negative, np.log1p(-p))
    return _reduced(terms, positive + negative, reduction)


def binary_cross_entropy_with_logits(y, z, *, class_weights=(1, 1), reduction="mean"):
    """Binary cross-entropy of logits ``z = log(p / (1 - p))``, in nats.

    Finite and accurate for every finite logit, where the form from probabilities overflows.

    Parameters
    ----------
    y : array_like of float
        Labels: 1 positive, 0 negative; values between are probabilities of the positive class.
    z : array_like of float
        Logits, of the shape of `y`.
    class_weights : sequence of two floats, optional
        Weight of the negative and of the positive class, each at least 0.
    reduction : str, optional
        ``"mean"``, ``"sum"`` or ``"none"``.

    Returns
    -------
    float, or numpy.ndarray of the shape of `z` for ``"none"``
        From the terms ``(1 - y) * softplus(z) + y * softplus(-z)``.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If shapes differ, an argument is empty or not finite, a label lies outside [0, 1], a weight is
        negative, the weights of all examples are 0, or the reduction is unknown.

    Notes
    -----
    Bishop 2006, section 4.3.2. The shorter ``softplus(z) - y * z`` cancels at ``y = 1``.
    """
    z = checks.real_array("z", z)
    positive, negative = _weighted_labels(y, z, class_weights)
    terms = negative * softplus_terms(z) + positive * softplus_terms(-z)
    return _reduced(terms, positive + negative, reduction)


def binary_cross_entropy_with_logits_gradient(y, z, *, class_weights=(1, 1), reduction="mean"):
    """Gradient of `binary_cross_entropy_with_logits` with respect to the logits.

    Parameters
    ----------
    y : array_like of float
        Labels in [0, 1].
    z : array_like of float
        Logits, of the shape of `y`.
    class_weights : sequence of two floats, optional
        Weight of the negative and of the positive class, each at least 0.
    reduction : str, optional
        That of the loss: ``"mean"`` or ``"sum"``.

    Returns
    -------
    numpy.ndarray
        For the mean ``(sigmoid(z) - y) / z.size`` where the weights are 1, of the shape and dtype of `z`;
        computed as ``(1 - y) * sigmoid(z) - y * sigmoid(-z)``, which does not cancel at ``y = 1``.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        As for the loss, and for the reduction ``"none"``.

    Notes
    -----
    Bishop 2006, equation 5.18, divided by the number of labels; in the weights, equation 4.91.
    """
    z = checks.real_array("z", z)
    positive, negative = _weighted_labels(y, z, class_weights)
    gradient = negative * sigmoid_terms(z) - positive * sigmoid_terms(-z)
    return gradient / _divisor(positive + negative, reduction)


def cross_entropy(y, p, *, axis=-1, class_weights=None, label_smoothing=0.0, ignore_index=None, reduction="mean"):
    """Cross-entropy of predicted class probabilities, in nats.

    A certain prediction that is wrong (probability 0 for the true class) gives the true value, infinity.

    Parameters
    ----------
    y : array_like
        Labels: whole numbers from 0 to ``classes - 1``, of the shape of `p` without `axis`; or
        probabilities of the classes (such as one-hot rows), of the shape of `p`.
    p : array_like of float
        Predicted probabilities, which sum to 1 along `axis`.
    axis : int, optional
        The axis of the classes; the others count examples, or pixels.
    class_weights : array_like of float, shape (classes,), optional
        A weight for each class, at least 0.
    label_smoothing : float, optional
        Share of the label, in [0, 1), that is spread evenly over all classes.
    ignore_index : int, optional
        Examples with this label do not count: their loss is 0, and so is their weight in the mean.
    reduction : str, optional
        ``"mean"``, ``"sum"`` or ``"none"``.

    Returns
    -------
    float, or for ``"none"`` a numpy.ndarray of the shape of `p` without `axis`
        From the terms ``-sum(w * y * log(p))`` over the classes. The mean divides by the total of
        ``sum(w * y)``, with y before smoothing.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers, or labels of that shape are not whole numbers.
    ValueError
        If shapes do not fit, an argument is empty, `p` or `y` is no distribution, a label is out of
        range, all examples are ignored or have weight 0, or an option lies outside its range.

    Notes
    -----
    Bishop 2006, section 4.3.4. Label smoothing: Szegedy et al. 2016.
    """
    shape = np.shape(p)
    p = _distribution("p", p, axis)
    target, weight = _targets(y, shape, p, axis, class_weights, label_smoothing, ignore_index)
    with np.errstate(divide="ignore"):
        terms = 0 - _product(target, np.log(p)).sum(axis=-1)
    return _reduced(terms, weight, reduction)


def cross_entropy_with_logits(
    y, z, *, axis=-1, class_weights=None, label_smoothing=0.0, ignore_index=None, reduction="mean"
):
    """Cross-entropy of the softmax of logits, in nats; finite and accurate for every finite logit.

    Parameters
    ----------
    y : array_like
        Labels, as for `cross_entropy`.
    z : array_like of float
        Logits, with the classes along `axis`.
    axis, class_weights, label_smoothing, ignore_index, reduction
        As for `cross_entropy`.

    Returns
    -------
    float, or for ``"none"`` a numpy.ndarray of the shape of `z` without `axis`
        As for `cross_entropy`, with ``log_softmax(z)`` in the place of ``log(p)``.

    Raises
    ------
    TypeError
        As for `cross_entropy`.
    ValueError
        As for `cross_entropy`, and if `z` is not finite.

    Notes
    -----
    Bishop 2006, section 4.3.4.
    """
    z, target, weight = _logits_and_targets(y, z, axis, class_weights, label_smoothing, ignore_index)
    return _reduced(0 - (target * log_softmax_terms(z)).sum(axis=-1), weight, reduction)


def cross_entropy_with_logits_gradient(
    y, z, *, axis=-1, class_weights=None, label_smoothing=0.0, ignore_index=None, reduction="mean"
):
    """Gradient of `cross_entropy_with_logits` with respect to the logits.

    Parameters
    ----------
    y : array_like
        Labels, as for `cross_entropy`.
    z : array_like of float
        Logits, with the classes along `axis`.
    axis, class_weights, label_smoothing, ignore_index
        As for `cross_entropy`.
    reduction : str, optional
        That of the loss: ``"mean"`` or ``"sum"``.

    Returns
    -------
    numpy.ndarray
        For the mean ``(softmax(z) - y) / examples`` where nothing is weighted, smoothed or ignored, of the
        shape and dtype of `z`; computed so that ``p - 1`` does not cancel at the true class.

    Raises
    ------
    TypeError
        As for `cross_entropy`.
    ValueError
        As for `cross_entropy_with_logits`, and for the reduction ``"none"``.

    Notes
    -----
    Bishop 2006, section 4.3.4; here with respect to the logits, divided by the number of examples.
    """
    z, target, weight = _logits_and_targets(y, z, axis, class_weights, label_smoothing, ignore_index)
    p, complement = softmax_terms(z)
    others = target.sum(axis=-1, keepdims=True) - target
    gradient = (p * others - complement * target) / _divisor(weight, reduction)
    return np.moveaxis(gradient, -1, axis)


# What follows checks nothing; it reads symbols, and arrays of numbers or of symbols.
def cross_entropy_terms(y, z):
    """Return ``(1 - y) * softplus(z) + y * softplus(-z)``, the loss of each label and logit."""
    return (1 - y) * softplus_terms(z) + y * softplus_terms(-z)


def labels_in_unit_interval(y, shape, dtype):
    """Return labels of a given shape and dtype, after a check that they are finite and in [0, 1]."""
    y = checks.real_array("y", y, shape=shape, dtype=dtype)
    _check_unit_interval("y", y)
    return y


def _check_unit_interval(name, array):
    outside = (array < 0) | (array > 1)
    if outside.any():
        raise ValueError(f"{name} must be in [0, 1], got {array[outside].flat[0]}")


def _distribution(name, value, axis):
    """Return probabilities with the axis of the outcomes last, after a check that they are such."""
    array = checks.real_array(name, value)
    array = np.moveaxis(array, checks.axis("axis", axis, array.ndim), -1)
    _check_unit_interval(name, array)
    total = array.sum(axis=-1)
    wrong = np.abs(total - 1) > np.sqrt(np.finfo(array.dtype).eps)
    if wrong.any():
        raise ValueError(f"{name} must sum to 1 along axis {axis}, got a sum of {total[wrong].flat[0]}")
    return array


def _product(factor, logarithm):
    """Return the product, with 0 times minus infinity as 0."""
    return np.multiply(factor, logarithm, out=np.zeros_like(logarithm), where=factor != 0)


def _times_log(p, q):
    with np.errstate(divide="ignore"):
        return _product(p, np.log(q))


def _weights(class_weights, classes, dtype):
    weights = checks.real_array("class_weights", class_weights, shape=(classes,), dtype=dtype)
    if (weights < 0).any():
        raise ValueError(f"class_weights must be at least 0, got {weights[weights < 0][0]}")
    return weights


def _weighted_labels(y, z, class_weights):
    y = labels_in_unit_interval(y, z.shape, z.dtype)
    negative, positive = _weights(class_weights, 2, z.dtype)
    return positive * y, negative * (1 - y)


def _logits_and_targets(y, z, axis, *options):
    z = checks.real_array("z", z)
    shape, z = z.shape, np.moveaxis(z, checks.axis("axis", axis, z.ndim), -1)
    return z, *_targets(y, shape, z, axis, *options)


def _targets(y, shape, scores, axis, class_weights, label_smoothing, ignore_index):
    """Return the weighted target of each class, classes last, and the weight of each example."""
    classes, dtype = scores.shape[-1], scores.dtype
    smoothing = checks.real_number("label_smoothing", label_smoothing, low=0, high=1, include_high=False)
    if checks.real_array("y", y).shape == shape:
        if ignore_index is not None:
            raise ValueError(f"ignore_index must be None where y holds probabilities, got {ignore_index!r}")
        target = _distribution("y", y, axis).astype(dtype)
    else:
        target = _indicators(y, scores.shape[:-1], classes, ignore_index, dtype)
    counted = target.any(axis=-1, keepdims=True)
    weights = np.ones(classes, dtype) if class_weights is None else _weights(class_weights, classes, dtype)
    weight = (weights * target).sum(axis=-1)
    return weights * ((1 - smoothing) * target + smoothing / classes * counted.astype(dtype)), weight


def _indicators(y, shape, classes, ignore_index, dtype):
    """Return one row for each whole-number label, with a 1 at its class, or zeros where it is ignored."""
    checks.real_array("y", y, shape=shape)
    y = np.asarray(y)
    if y.dtype.kind not in "iu":
        raise TypeError(f"y must hold whole numbers or have the shape of the scores, got dtype {y.dtype}")
    counted = np.ones(shape, bool)
    if ignore_index is not None:
        counted = y != checks.whole_number("ignore_index", ignore_index, low=np.iinfo(np.int64).min)
    outside = counted & ((y < 0) | (y >= classes))
    if outside.any():
        raise ValueError(f"y must be between 0 and {classes - 1}, got {y[outside].flat[0]}")
    return ((np.arange(classes) == y[..., np.newaxis]) & counted[..., np.newaxis]).astype(dtype)


def _divisor(weight, reduction, allowed=REDUCTIONS[:2]):
    checks.one_of("reduction", reduction, allowed)
    total = weight.sum()
    if total == 0:
        raise ValueError("the examples must not all be ignored or have weight 0, got a total weight of 0")
    return total if reduction == "mean" else np.ones_like(total)


def _reduced(terms, weight, reduction):
    divisor = _divisor(weight, reduction, REDUCTIONS)
    return terms if reduction == "none" else float(terms.sum() / divisor)
