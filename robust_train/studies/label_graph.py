"""Which labels a perturbation leads to."""

from dataclasses import dataclass

import torch
from torch import Tensor

from robust_train.metrics.estimate import rate
from robust_train.networks.rejecting import rejects
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Finding, Grid
from robust_train.studies.teaching import taught
from robust_train.types import Network, decide, predict


@dataclass(frozen=True, kw_only=True)
class LabelGraph(Study):
    r"""The graph of label changes, and its dominant labels.

    .. math:: G_{ij} = P(f(T_r(x)) = j \mid f(x) = i)

    A label is dominant where most of what is fooled ends. Only labels that occur, before or afterwards, have
    a row and a column. The first row holds the shares of the labels among all fooled images. Where the
    network flags inputs, i is the class beneath the flag, and what is flagged afterwards has fooled nobody. A
    perturbation that learns does so from some of the images, at most half of all, and is asked about the
    others.

    Args:
        perturbation: What changes the labels.

    References:
        Universal adversarial perturbations (Moosavi-Dezfooli et al., 2017)

    Example:
        >>> from robust_train.perturbations.deepfool import DeepFool
        >>> from robust_train.studies.run import study
        >>> data = [(torch.eye(3)[i % 3], i % 3) for i in range(6)]
        >>> asked = LabelGraph(perturbation=DeepFool(bounds=None))
        >>> grid = study(torch.nn.Identity(), data, {"graph": asked}, progress=False)["graph"].figures[0]
        >>> grid.rows, grid.columns
        (['fooled', '0', '1', '2'], ['0', '1', '2'])
    """

    perturbation: Perturbation

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        perturbation, judged = taught(self.perturbation, network, blocks, seed)
        parts = [self._labels(perturbation, network, *block, seed) for block in judged]
        before, after, classes = (torch.cat(column) for column in zip(*parts, strict=True))
        count = int(classes.max())
        names = [str(k) for k in sorted({*before.tolist(), *after.tolist()}) if 0 <= k < count]
        fooled = (before != after) & (after >= 0) & (after < count)
        rows = {"fooled": after[fooled]} | {name: after[before == int(name)] for name in names}
        values = [[rate(found == int(name)) for name in names] for found in rows.values()]
        grid = Grid("Label changes", "from", "to", list(rows), names, values)
        return Finding(self._summary(after[fooled]), [grid], {"samples": len(before)})

    def _labels(
        self,
        perturbation: Perturbation,
        network: Network,
        index: Tensor,
        inputs: Tensor,
        labels: Tensor,
        seed: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Labels before and after, and the number of classes."""
        found = perturbation(network, inputs, labels, rng=Streams.of(seed, index))
        with torch.no_grad():
            logits, changed = network(inputs), network(found.inputs)
        reject = rejects(network)
        before, after = decide(logits, reject).cpu(), predict(changed).cpu()
        return before, after, torch.tensor([logits.shape[1] - reject])

    def _summary(self, after: Tensor) -> str:
        if not len(after):
            return "No image is fooled."
        counts = after.bincount(minlength=1)
        top = int(counts.argmax())
        return f"{int(counts[top]) / len(after):.1%} of the {len(after)} fooled images end in class {top}."
