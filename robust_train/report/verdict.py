"""An evaluation in one line."""

import math

from robust_train.evaluation.results import RegimeResult, Results
from robust_train.report import wording
from robust_train.report.rows import headline


def verdict(results: Results) -> str:
    """Clean accuracy, and the lowest robust accuracy or else the smallest median size.

    A regime whose budget is the whole range of pixels speaks only where there is no other.
    """
    clean = results.clean_accuracy
    if not clean.n:
        return "No image was evaluated."
    words = f"{wording.percent(clean.value)} of {clean.n} clean images are classified right"
    return f"{words}; {_under_attack(results)}."


def _under_attack(results: Results) -> str:
    measured = [r for r in results.regimes.values() if headline(r).value == headline(r).value]
    budgeted = [regime for regime in measured if not regime.minimal]
    bounded = [regime for regime in budgeted if not _whole_range(regime)]
    weakest = min(bounded or budgeted or measured, key=lambda r: headline(r).value, default=None)
    if weakest is None:
        return "no perturbation was tried"
    name, value = wording.plain(weakest.name), headline(weakest).value
    if not weakest.minimal:
        return f"{wording.percent(value)} stay right under {name} ({wording.describe(weakest)})"
    if value == float("inf"):
        return f"{name} ({wording.describe(weakest)}) turned fewer than half of them"
    return (
        f"{name} turns half of them with a perturbation of {weakest.norm} size {wording.size(value)} or less"
    )


def _whole_range(regime: RegimeResult) -> bool:
    return regime.norm == "linf" and regime.eps is not None and regime.eps >= 1


def contrast(results: Results) -> list[str]:
    r"""A sentence per norm in which several minimal regimes can be compared.

    A random direction has to go about :math:`\sqrt d` times as far as the shortest one.

    References:
        Robustness of classifiers: from adversarial to random noise (Fawzi et al., 2016)
    """
    norms = dict.fromkeys(regime.norm for regime in results.regimes.values())
    return [sentence for norm in norms if (sentence := _compare(results, norm))]


def _compare(results: Results, norm: str) -> str:
    found = [r for r in results.regimes.values() if r.minimal and r.norm == norm]
    found = sorted((r for r in found if 0 < headline(r).value < math.inf), key=lambda r: headline(r).value)
    if len(found) < 2:
        return ""
    least, most = found[0], found[-1]
    ratio = headline(most).value / headline(least).value
    d = results.examples[:1].numel()
    scale = f" (\u221ad = {math.sqrt(d):.1f} for images of d = {d} values)" if norm == "l2" and d else ""
    first, last = wording.plain(least.name), wording.plain(most.name)
    return f"In {norm}, {last} needs {ratio:.1f} times the size that {first} needs{scale}."
