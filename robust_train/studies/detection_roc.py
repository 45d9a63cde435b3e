"""How well does a detector tell attacked images from clean ones?"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.metrics.detection import Detection
from robust_train.metrics.estimate import Estimate, rate
from robust_train.networks.rejecting import rejects
from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.onward import onward
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Curves, Finding, Grid
from robust_train.types import Network, Outcome, decide, suspicion


@dataclass(frozen=True, kw_only=True)
class DetectionROC(Study):
    r"""True against false positives of a detector, under attacks that know of it and attacks that do not.

    The score is how far the logit of the flag is above those of all classes, :math:`z_f - \max_k z_k`; at
    0 is the detector's own threshold. Clean images are all that there are. Attacked ones are those that
    were right, whether flagged or not, and whose class the attack changes beneath the flag: what does no
    harm needs no flag.

    Args:
        perturbations: Perturbations by name. Those that run to their end, ``drop: false``, show all of the
            curve; that of one that ends at the first success ends at the detector's own threshold.

    Raises:
        ValueError: There are no perturbations, one has to learn first, or the network flags nothing.

    References:
        Adversarial examples are not easily detected: bypassing ten detection methods (Carlini and
        Wagner, 2017)

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> from robust_train.studies.run import study
        >>> network = torch.nn.Linear(4, 3, bias=False)
        >>> _ = torch.nn.init.eye_(network.weight)
        >>> network.rejects = True  # two classes, and the last logit is the flag
        >>> data = [(x, int(x[1] > x[0])) for x in torch.rand(8, 4)]
        >>> asked = DetectionROC(perturbations={"fgsm": FGSM(eps=0.5)})
        >>> curves = study(network, data, {"roc": asked}, progress=False)["roc"].figures[0]
        >>> len(curves.series)  # of the attack, and of chance
        2
    """

    perturbations: dict[str, Perturbation]

    def __post_init__(self) -> None:
        if not self.perturbations or not all(p.fitted for p in self.perturbations.values()):
            raise ValueError("DetectionROC: give at least one perturbation, and none that has to learn.")

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        if not rejects(network):
            raise ValueError("DetectionROC asks about a network that flags inputs: this one flags nothing.")
        parts = [self._logits(network, *block, seed) for block in blocks]
        if not parts:
            raise ValueError("DetectionROC: there are no images.")
        labels, logits = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
        outcomes = {
            name: _outcome(labels, logits, torch.cat([part[2][name] for part in parts]))
            for name in self.perturbations
        }
        found = {
            name: Detection.of(outcomes[name], onward=onward(p)) for name, p in self.perturbations.items()
        }
        right = decide(logits, True) == labels
        passed = [rate(outcome.deceived[right]) for outcome in outcomes.values()]
        alarms = rate(suspicion(logits) > 0)
        settings: dict[str, object] = {"clean images": alarms.n, "right beneath the flag": int(right.sum())}
        return Finding(_summary(alarms, found), [_curves(alarms.n, found), _table(found, passed)], settings)

    def _logits(
        self, network: Network, index: Tensor, inputs: Tensor, labels: Tensor, seed: int
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Labels, and the logits of clean images and of what each perturbation makes of them."""
        rng = Streams.of(seed, index)
        made = {name: p(network, inputs, labels, rng=rng).inputs for name, p in self.perturbations.items()}
        with torch.no_grad():
            return labels.cpu(), network(inputs).cpu(), {name: network(x).cpu() for name, x in made.items()}


def _outcome(labels: Tensor, logits: Tensor, perturbed: Tensor) -> Outcome:
    """As an evaluation sees it; how large the perturbations are is not asked."""
    index, size = torch.arange(len(labels)), torch.zeros(len(labels), dtype=torch.float64)
    return Outcome(index, labels, logits, perturbed, size, size, reject=True)


def _curves(count: int, found: dict[str, Detection]) -> Curves:
    series = {
        name if one.auc is None else f"{name}, AUC {one.auc.value:.2f}": one.curve
        for name, one in found.items()
        if one.caught.n
    }
    return Curves(
        "Attacked images that are flagged",
        "clean images flagged, share",
        "attacked images flagged, share",
        {**series, "chance": [(x, Estimate(x, x, x, count)) for x in (0.0, 1.0)]},
    )


def _table(found: dict[str, Detection], passed: list[Estimate]) -> Grid:
    columns = ["area under the curve", "flagged at the threshold", "wrong and unflagged, of all right"]
    unknown = Estimate(math.nan, math.nan, math.nan, 0)
    rows = [
        [one.auc or unknown, one.caught, share] for one, share in zip(found.values(), passed, strict=True)
    ]
    return Grid("At the detector's own threshold", "attack", "", list(found), columns, rows)


def _summary(alarms: Estimate, found: dict[str, Detection]) -> str:
    caught = "; ".join(f"{name} {_caught(one)}" for name, one in found.items())
    return (
        f"At its own threshold, the detector flags {_spelt(alarms)} of the clean images, and of "
        f"those that deceive the classifier: {caught}."
    )


def _caught(one: Detection) -> str:
    if not one.caught.n:
        return "0, as it deceives on no image"
    return _spelt(one.caught) + (f", AUC {one.auc.value:.3f}" if one.auc else "")


def _spelt(share: Estimate) -> str:
    text = f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%}, n = {share.n})"
    return text.replace("n = ", "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
