"""Run studies on a network and a data set."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from robust_train.attacking.modes import attack_mode
from robust_train.evaluation.batches import unpack
from robust_train.evaluation.blocks import Blocks
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.progress import progress as progress_bar
from robust_train.evaluation.refusals import check_block, check_data
from robust_train.studies.base import Study
from robust_train.studies.finding import Finding
from robust_train.types import Network


def study(
    network: Network,
    data: Any,
    studies: Mapping[str, Study],
    *,
    limit: int | None = None,
    block: int = 128,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> dict[str, Finding]:
    """Ask questions about a network and a data set.

    In a distributed program every process that calls it does the whole work and gets the same.

    Args:
        network: Images to logits; a module is moved to ``device``.
        data: A data set of ``(image, label)`` with images in [0, 1].
        studies: The studies, by name.
        limit: Number of samples, drawn by the seed; all by default.
        block: Samples that pass through the network together.
        seed: Seed of all random draws.
        device: Where to compute; by default where the network's parameters are.
        progress: Show a bar.

    Raises:
        ValueError: There are no samples, or the network does not fit them.

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> from robust_train.studies.label_graph import LabelGraph
        >>> data = [(torch.full((4,), i / 8), i % 2) for i in range(8)]
        >>> asked = {"labels": LabelGraph(perturbation=FGSM(eps=0.1))}
        >>> found = study(torch.nn.Linear(4, 2), data, asked, progress=False)
        >>> found["labels"].settings["samples"]
        8
    """
    check_data(data)
    deployed, blocks = Deployed(network), Blocks(data, block, limit, seed)
    where = deployed.placed(device)
    with progress_bar(len(studies), len(blocks), progress) as tick:

        def walk(name: str) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
            for index, batch in blocks.of_rank(0, 1):
                inputs, labels = (part.to(where) for part in unpack(batch))
                check_block(deployed, inputs, labels)
                yield index, inputs, labels
                tick(name)

        found = {}
        for name, asked in studies.items():
            with attack_mode(deployed):
                found[name] = asked(deployed, walk(name), seed)
        return found
