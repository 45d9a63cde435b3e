"""Does a detector find the label back that an attack took?"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from robust_train.attacking.rejection import unflagged
from robust_train.defenses.curved import Curved
from robust_train.metrics.estimate import Estimate, rate
from robust_train.networks.rejecting import rejects
from robust_train.perturbations.base import Perturbation, check_fitted
from robust_train.perturbations.deepfool import DeepFool
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Finding, Grid
from robust_train.types import Network, predict, suspicion


@dataclass(frozen=True, kw_only=True)
class LabelRecovery(Study):
    """How often the label across the boundary is the true one, of images that a detector flags.

    It asks about a network under ``CurvatureDetector``, which names that label. Judged are images that are
    right and that a perturbation, blind to the detector, turns beneath it.

    Args:
        perturbations: Perturbations by name.

    Raises:
        ValueError: There are no perturbations, one has to learn first, or the network names no such label.

    References:
        Empirical study of the topology and geometry of deep networks (Fawzi et al., 2018)

    Example:
        >>> from robust_train.defenses.curvature_detector import CurvatureDetector
        >>> from robust_train.studies.run import study
        >>> images, labels = torch.rand(8, 1, 4, 4), torch.zeros(8, dtype=torch.int64)
        >>> detector = CurvatureDetector()
        >>> pair = detector.wrap(nn.Sequential(nn.Flatten(), nn.Linear(16, 3))).eval()
        >>> with torch.no_grad():
        ...     detector.calibrate(pair, [], [(images, labels)])
        >>> asked = {"recovery": LabelRecovery()}
        >>> found = study(pair, list(zip(images, labels)), asked, progress=False)["recovery"]
        >>> found.figures[0].columns
        ['flagged', 'true label across, of the flagged']
    """

    perturbations: dict[str, Perturbation] = field(
        default_factory=lambda: {"DeepFool": DeepFool(refinements=0)}
    )

    def __post_init__(self) -> None:
        if not self.perturbations:
            raise ValueError("LabelRecovery: perturbations is empty: give at least one.")
        check_fitted(self, *self.perturbations.values())

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        pair = _curved(network)
        parts = [self._judge(network, pair, *block, seed) for block in blocks]
        if not parts:
            raise ValueError("LabelRecovery: there are no images.")
        rows = {}
        for name in self.perturbations:
            flagged, true = (torch.cat(column) for column in zip(*(p[name] for p in parts), strict=True))
            rows[name] = [rate(flagged), rate(true[flagged])]
        columns = ["flagged", "true label across, of the flagged"]
        grid = Grid("Labels that are found back", "attack", "", list(rows), columns, list(rows.values()))
        turned: dict[str, object] = {f"turned by {name}": row[0].n for name, row in rows.items()}
        return Finding(_summary(rows), [grid], turned)

    def _judge(
        self, network: Network, pair: Curved, index: Tensor, inputs: Tensor, labels: Tensor, seed: int
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Of the images that each perturbation turns: which are flagged, which have their label across."""
        classes, found = unflagged(network), {}
        weight = next((p for p in pair.parameters() if p.is_floating_point()), inputs)
        for name, perturbation in self.perturbations.items():
            made = perturbation(classes, inputs, labels, rng=Streams.of(seed, index)).inputs
            with torch.no_grad():
                turned = (predict(classes(inputs)) == labels) & (predict(classes(made)) != labels)
                flagged, across = suspicion(network(made)) > 0, pair.curvature(made.to(weight.dtype))[1]
            found[name] = flagged[turned].cpu(), (across == labels)[turned].cpu()
        return found


def _curved(network: Network) -> Curved:
    """The detector that names the label across the boundary, once it is calibrated."""
    for module in network.modules() if isinstance(network, nn.Module) else ():
        if isinstance(module, Curved) and rejects(network):
            return module
    raise ValueError(
        "LabelRecovery asks about a calibrated CurvatureDetector, and this network holds none: give a "
        "checkpoint such as checkpoints/digits-curvature_detector."
    )


def _summary(rows: dict[str, list[Estimate]]) -> str:
    text = "; ".join(_spelt(name, *row) for name, row in rows.items())
    return f"{text[0].upper()}{text[1:]}."


def _spelt(name: str, flagged: Estimate, true: Estimate) -> str:
    if not flagged.n:
        return f"{name} turns no image"
    text = f"of {flagged.n} images that {name} turns, {flagged.value:.1%} are flagged"
    across = f", and of these {true.value:.1%} have their own label across the boundary"
    return text + across * bool(true.n)
