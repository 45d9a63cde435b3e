"""What is known exactly about linear networks, in float64 and one half-space at a time.

A linear network gives class k the logit of the label where <w, r> = gap, with w the difference of
their weights and gap the difference of their logits. Everything follows from that half-space.
"""

import numpy as np
from scipy.optimize import brentq, nnls

ORDER = {"linf": np.inf, "l2": 2, "l1": 1}
DUAL = {"linf": "l1", "l2": "l2", "l1": "linf"}


def minimal_sizes(network, inputs, labels, p, bounds=None):
    """``(N,)`` size of the smallest perturbation that reaches another class; inf: there is none."""
    return np.array(
        [
            min(distance(w, gap, p, room(x, w, bounds)) for w, gap in half_spaces(network, x, label))
            for x, label in _rows(inputs, labels)
        ]
    )


def excess(search, cases, p):
    """Of the sizes that a search finds over the smallest there are, where there are any and it finds all."""
    ratios = []
    for case in cases:
        truth = minimal_sizes(case.network, case.inputs, case.labels, p, search.bounds)
        found = search(case.network, case.inputs, case.labels).size.numpy()
        np.testing.assert_array_equal(np.isinf(found), np.isinf(truth))
        ratios.extend((found / truth)[np.isfinite(truth)])
    assert min(ratios) >= 1 - 1e-9
    return ratios


def worst_margins(network, inputs, labels, p, eps, bounds=None):
    """``(N,)`` largest lead of any other class over the label that the ball and the box allow."""
    return np.array(
        [
            max(support(w, p, eps, room(x, w, bounds)) - gap for w, gap in half_spaces(network, x, label))
            for x, label in _rows(inputs, labels)
        ]
    )


def half_spaces(network, x, label):
    """``(w, gap)`` of each class but the label."""
    weight, bias = (value.detach().double().numpy() for value in network[-1].parameters())
    logits = weight @ x + bias
    others = np.arange(len(bias)) != label
    return list(zip((weight - weight[label])[others], (logits[label] - logits)[others], strict=True))


def room(x, w, bounds):
    """How far each coordinate can go in the direction of w."""
    if bounds is None:
        return np.full_like(w, np.inf)
    return np.where(w > 0, bounds[1] - x, x - bounds[0])


def distance(w, gap, p, room):
    """Smallest p norm of an r with <w, r> = gap > 0 and abs(r) <= room: r = min(t v, room), but for l1."""
    u = np.abs(w)
    if p == "l1":
        return _fewest(u, gap, room)
    if p == "l0":
        return fewest(u, gap, room)
    v = u if p == "l2" else np.ones_like(u)
    if np.isinf(room).all():
        return gap / np.linalg.norm(w, ORDER[DUAL[p]])
    if u @ room < gap:
        return np.inf
    longest = max(room / np.maximum(v, 1e-300))
    t = brentq(lambda t: u @ np.minimum(t * v, room) - gap, 0, longest, xtol=1e-15, rtol=1e-14)
    return np.linalg.norm(np.minimum(t * v, room), ORDER[p])


def fewest(u, gap, room):
    """How many components, those that gain the most first, gain more than the gap; inf if all do not."""
    gained = np.cumsum(-np.sort(-np.where(u > 0, u, 0) * np.where(u > 0, room, 0)))
    return 1 + np.argmax(gained >= gap) if gained[-1] >= gap else np.inf


def support(w, p, eps, room):
    """Largest <w, r> with p norm of r at most eps and abs(r) <= room."""
    u = np.abs(w)
    if np.isinf(room).all():
        return eps * np.linalg.norm(w, ORDER[DUAL[p]])
    if p == "linf":
        return u @ np.minimum(eps, room)
    if p == "l1":
        return _greedy(u, eps, room)
    if np.linalg.norm(room) <= eps:
        return u @ room
    longest = max(room / np.maximum(u, 1e-300))
    s = brentq(lambda s: np.linalg.norm(np.minimum(s * u, room)) - eps, 0, longest, xtol=1e-15, rtol=1e-14)
    return u @ np.minimum(s * u, room)


def _greedy(u, eps, room):
    """The steepest coordinates take all the budget that they have room for."""
    gain = 0.0
    for i in np.argsort(-u):
        spent = min(eps, room[i])
        gain, eps = gain + spent * u[i], eps - spent
    return gain


def _fewest(u, gap, room):
    """The l1 norm that gains the gap where the steepest coordinates go first."""
    spent = 0.0
    for i in np.argsort(-u):
        if gap <= u[i] * room[i]:
            return spent + gap / u[i]
        gap, spent = gap - u[i] * room[i], spent + room[i]
    return np.inf


def _rows(inputs, labels):
    return zip(inputs.double().flatten(1).numpy(), labels.tolist(), strict=True)


def to_the_sphere(inputs, radius, p):
    """``(N,)`` smallest p norm that takes inputs inside a ball of this l2 radius around 0 out of it."""
    found = []
    for x in np.abs(inputs.double().flatten(1).numpy()):
        rho = np.linalg.norm(x)
        if p == "l2":
            found.append(radius - rho)
        elif p == "l1":  # all along the largest component
            found.append(np.sqrt(x.max() ** 2 + radius**2 - rho**2) - x.max())
        else:  # outwards in all components
            found.append(brentq(lambda t, x=x: np.linalg.norm(x + t) - radius, 0, radius, xtol=1e-15))
    return np.array(found)


def target_distances(network, inputs, targets):
    """``(N,)`` l2 distance to where a class of a linear network is the first, by Lawson and Hanson's LDP."""
    weight, bias = (value.detach().double().numpy() for value in network[-1].parameters())
    found = []
    for x, k in _rows(inputs, targets):
        logits, others = weight @ x + bias, np.arange(len(bias)) != k
        a, b = (weight[k] - weight)[others], (logits - logits[k])[others]  # a r >= b
        left = np.append(np.zeros(a.shape[1]), 1.0)
        e = np.vstack([a.T, b])
        left = e @ nnls(e, left)[0] - left
        found.append(np.linalg.norm(left[:-1] / left[-1]))
    return np.array(found)
