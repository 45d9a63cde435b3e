"""A perturbation that has learnt, and the images that it has not seen."""

import torch

from robust_train.evaluation.lessons import LEARNING
from robust_train.perturbations.base import Perturbation
from robust_train.randomness import Streams
from robust_train.studies.base import Blocks
from robust_train.studies.shared_vectors import parting
from robust_train.types import Network


def taught(
    perturbation: Perturbation, network: Network, blocks: Blocks, seed: int
) -> tuple[Perturbation, Blocks]:
    """What has learnt from some of the images, and blocks of the others; all where there is nothing to learn.

    Raises:
        ValueError: It has to learn, and there are less than two images.
    """
    if perturbation.fitted:
        return perturbation, blocks
    parts = list(blocks)
    index, inputs, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    images: int = getattr(perturbation, "images", len(index))
    lessons, judged = (rows.to(inputs.device) for rows in parting(len(index), images, seed))
    rng = Streams.of(seed, [0]).fold(LEARNING)
    learnt = perturbation.fit(network, [(inputs[lessons], labels[lessons])], rng)
    split = torch.split(judged, len(parts[0][0]))
    return learnt, [(index[rows.to(index.device)], inputs[rows], labels[rows]) for rows in split]
