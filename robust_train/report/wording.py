"""How figures, regimes and classes are spelt: one voice for the terminal, the page and the card."""

import math

from robust_train.evaluation.results import RegimeResult
from robust_train.metrics.estimate import Estimate

NOTHING = "\N{EN DASH}"
"""What stands where there is no figure."""

NORMS = {"linf": "\u2113\u221e", "l2": "\u2113\u2082", "l1": "\u2113\u2081", "l0": "\u2113\u2080"}
"""The norms as they are set in print; the terminal keeps their ASCII names."""


def plain(text: object) -> str:
    r"""A string from outside on one line, without control characters.

    Example:
        >>> plain("a\x1b[31mb")
        'a [31mb'
    """
    return "".join(c if c.isprintable() else " " for c in str(text))


def percent(share: float) -> str:
    """A share in percent, with one decimal.

    Example:
        >>> percent(0.6139), percent(float("nan")) == NOTHING
        ('61.4 %', True)
    """
    return f"{_percentage(share)} %" if math.isfinite(share) else NOTHING


def size(value: float) -> str:
    """A size with three significant digits; infinity is what a median of mostly failures is.

    Example:
        >>> size(0.8), size(12345.6), size(2e-6), size(float("inf"))
        ('0.800', '12300', '2.00e-06', 'not reached')
    """
    if math.isnan(value):
        return NOTHING
    return "not reached" if math.isinf(value) else _significant(value)


def interval(estimate: Estimate, share: bool) -> str:
    """The 95 % interval of a share, in percent, or of a size.

    Example:
        >>> interval(Estimate(0.5, 0.4, 0.6, 96), share=True).replace(NOTHING, "to")
        '40.0 to 60.0'
        >>> interval(Estimate(1.0, 0.5, float("inf"), 9), share=False).replace(NOTHING, "to")
        '0.500 to ∞'
    """
    if math.isnan(estimate.value) or not math.isfinite(estimate.low):
        return NOTHING
    spell = _percentage if share else _significant
    return f"{spell(estimate.low)} {NOTHING} {spell(estimate.high)}"


def budget(eps: float) -> str:
    """An eps as the field writes it: in 255ths where that is what it is.

    Example:
        >>> budget(8 / 255), budget(0.15), budget(1.0)
        ('8/255', '0.15', '1')
    """
    levels = eps * 255
    if eps != round(eps, 3) and math.isclose(levels, round(levels), rel_tol=1e-6):
        return f"{round(levels)}/255"
    return f"{eps:.4g}"


def describe(regime: RegimeResult) -> str:
    """What a regime is, such as ``PGD linf 0.15``, and whether its images may leave the pixel range."""
    words = [plain(regime.kind), plain(regime.norm)]
    if regime.eps is not None:
        words.append(budget(regime.eps))
    unbounded = "bounds" in regime.settings and regime.settings["bounds"] is None
    return " ".join(words) + (", unbounded" if unbounded else "")


def class_name(classes: tuple[str, ...], label: int) -> str:
    """The name of a class, its number where it has none; -1 is a network that is not finite.

    Example:
        >>> class_name(("cat", "dog"), 1), class_name((), 7), class_name((), -1)
        ('dog', '7', 'not finite')
    """
    if label < 0:
        return "not finite"
    return plain(classes[label]) if label < len(classes) else str(label)


def _percentage(share: float) -> str:
    return f"{100 * share:.1f}"


def _significant(value: float) -> str:
    if math.isinf(value):
        return "\N{INFINITY}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if abs(rounded) >= 100 else f"{rounded:#.3g}"
