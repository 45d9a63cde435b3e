"""How well does a detector tell attacked images from clean ones?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.metrics.estimate import Estimate, rate
from robust_train.metrics.roc import auc, roc
from robust_train.networks.rejecting import rejects
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Curves, Finding, Grid
from robust_train.types import Network, decide, suspicion


@dataclass(frozen=True, kw_only=True)
class DetectionROC(Study):
    r"""True against false positives of a detector, under attacks that know of it and attacks that do not.

    The score is how far the logit of the flag is above those of all classes, :math:`z_f - \max_k z_k`; at
    0 is the detector's own threshold. Clean images are all that there are. Attacked ones are those that
    were right, whether flagged or not, and whose class the attack changes beneath the flag: what does no
    harm needs no flag.

    Args:
        perturbations: Perturbations by name. Those that run to their end, ``drop: false``, show all of the
            curve; one that ends at the first success shows the detector's own threshold alone.

    Raises:
        ValueError: There are no perturbations, one has to learn first, or the network flags nothing.

    References:
        Adversarial examples are not easily detected: bypassing ten detection methods (Carlini and
        Wagner, 2017)

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> from robust_train.studies.run import study
        >>> network = torch.nn.Linear(4, 3)
        >>> network.rejects = True  # two classes, and the last logit is the flag
        >>> data = [(torch.rand(4), i % 2) for i in range(8)]
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
        parts = [self._scores(network, *block, seed) for block in blocks]
        if not parts:
            raise ValueError("DetectionROC: there are no images.")
        clean, right = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
        attacked: dict[str, tuple[Tensor, Tensor]] = {}
        for name in self.perturbations:
            score, wrong = (torch.cat([part[2][name][k] for part in parts])[right] for k in (0, 1))
            attacked[name] = score, wrong
        settings: dict[str, object] = {"clean images": len(clean), "right beneath the flag": int(right.sum())}
        figures: list[Curves | Grid] = [_curves(clean, attacked), _table(clean, attacked)]
        return Finding(_summary(clean, attacked), figures, settings)

    def _scores(
        self, network: Network, index: Tensor, inputs: Tensor, labels: Tensor, seed: int
    ) -> tuple[Tensor, Tensor, dict[str, tuple[Tensor, Tensor]]]:
        """Scores of clean images, which of them are right, and scores and errors under each perturbation."""
        rng, clean = Streams.of(seed, index), _judged(network, inputs, labels)
        attacked = {
            name: _judged(network, p(network, inputs, labels, rng=rng).inputs, labels)
            for name, p in self.perturbations.items()
        }
        return clean[0], ~clean[1], attacked


def _judged(network: Network, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """``(N,)`` scores, and whether the class beneath the flag is wrong."""
    with torch.no_grad():
        logits = network(x).cpu()
    return suspicion(logits), decide(logits, True) != labels.cpu()


def _curves(clean: Tensor, attacked: dict[str, tuple[Tensor, Tensor]]) -> Curves:
    chance = [(x, Estimate(x, x, x, len(clean))) for x in (0.0, 1.0)]
    series = {
        f"{name}, AUC {auc(clean, score[wrong]).value:.2f}": roc(clean, score[wrong])
        for name, (score, wrong) in attacked.items()
    }
    return Curves(
        "Attacked images that are flagged",
        "clean images flagged, share",
        "attacked images flagged, share",
        {**series, "chance": chance},
    )


def _table(clean: Tensor, attacked: dict[str, tuple[Tensor, Tensor]]) -> Grid:
    columns = ["area under the curve", "flagged at the threshold", "wrong and unflagged, of all right"]
    rows = [
        [auc(clean, score[wrong]), rate(score[wrong] > 0), rate(wrong & ~(score > 0))]
        for score, wrong in attacked.values()
    ]
    return Grid("At the detector's own threshold", "attack", "", list(attacked), columns, rows)


def _summary(clean: Tensor, attacked: dict[str, tuple[Tensor, Tensor]]) -> str:
    caught = "; ".join(
        f"{name} {_spelt(rate(score[wrong] > 0))}, AUC {auc(clean, score[wrong]).value:.3f}"
        for name, (score, wrong) in attacked.items()
    )
    return (
        f"At its own threshold, the detector flags {_spelt(rate(clean > 0))} of the clean images, and of "
        f"those that deceive the classifier: {caught}."
    )


def _spelt(share: Estimate) -> str:
    text = f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%}, n = {share.n})"
    return text.replace("n = ", "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
