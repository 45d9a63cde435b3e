"""Do the perturbations of different images differ?"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from robust_train.metrics.estimate import Estimate
from robust_train.networks.rejecting import rejects
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks, Study
from robust_train.studies.finding import Finding, Grid
from robust_train.studies.teaching import taught
from robust_train.types import Network, decide


@dataclass(frozen=True, kw_only=True)
class PerturbationDiversity(Study):
    r"""One minus the mean cosine between the perturbations of two images, all and by their labels.

    .. math:: D = 1 - \frac{1}{n (n - 1)} \sum_{j \neq k}
        \frac{\langle r_j, r_k \rangle}{\|r_j\|_2 \|r_k\|_2}, \qquad r_j = T_{r_j}(x_j) - x_j

    It is 0 for one vector that serves all images and about 1 for perturbations that have nothing in common.
    Labels are those that the network gives before, beneath its flag where it flags inputs. An image that
    is not changed counts for none. A perturbation that learns does so from some of the images, at most
    half of all, and is asked about the others.

    Args:
        perturbation: What changes the images.

    References:
        Learning to attack: adversarial transformation networks (Baluja and Fischer, 2018), for the question

    Example:
        >>> from robust_train.perturbations.deepfool import DeepFool
        >>> from robust_train.studies.run import study
        >>> data = [(torch.full((4,), 0.5), 0) for _ in range(6)]  # the same image: one perturbation
        >>> asked = PerturbationDiversity(perturbation=DeepFool(bounds=None))
        >>> found = study(torch.nn.Linear(4, 2), data, {"diversity": asked}, progress=False)["diversity"]
        >>> abs(found.settings["diversity"]) < 1e-6
        True
    """

    perturbation: Perturbation

    def __call__(self, network: Network, blocks: Blocks, seed: int) -> Finding:
        perturbation, judged = taught(self.perturbation, network, blocks, seed)
        # Sums of unit vectors hold the sum of all their cosines, and are few.
        total, count = torch.zeros(()), torch.zeros(())
        for block in judged:
            found, changed = self._sums(perturbation, network, *block, seed)
            total, count = total + found, count + changed
        n, cosines = int(count.sum()), _mean_cosines(total, count)
        names = [str(k) for k in range(len(count))]
        cells = [[Estimate(value, math.nan, math.nan, n) for value in row] for row in cosines.tolist()]
        grid = Grid("Mean cosine of perturbations", "label", "label", names, names, cells, shares=False)
        diversity = 1 - _mean_cosines(total.sum(0, keepdim=True), count.sum()[None]).item()
        return Finding(_summary(diversity, n), [grid], {"changed": n, "diversity": diversity})

    def _sums(
        self,
        perturbation: Perturbation,
        network: Network,
        index: Tensor,
        inputs: Tensor,
        labels: Tensor,
        seed: int,
    ) -> tuple[Tensor, Tensor]:
        """``(K, D)`` sums of the unit vectors of each label, and ``(K,)`` their numbers, in float64."""
        found = perturbation(network, inputs, labels, rng=Streams.of(seed, index)).inputs
        with torch.no_grad():
            logits, reject = network(inputs), rejects(network)
        r = (found.double() - inputs.double()).flatten(1)
        given = decide(logits, reject)
        rows = (r != 0).any(1) & (given >= 0)
        members = one_hot(given[rows], logits.shape[1] - reject).double()
        return (members.mT @ normalize(r[rows], dim=1)).cpu(), members.sum(0).cpu()


def _mean_cosines(total: Tensor, count: Tensor) -> Tensor:
    """``(K, K)`` means over the pairs of different vectors, from the sums of K groups of unit vectors."""
    same = count.diag()
    return (total @ total.mT - same) / (count.outer(count) - same)


def _summary(diversity: float, n: int) -> str:
    if n < 2:
        return f"{n} of the images are changed, too few to be compared."
    return f"The perturbations of {n} images have a diversity of {diversity:.2f}, one minus their cosine."
