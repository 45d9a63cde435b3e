"""Measure a network on a data set, in one call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from robust_train.attacking.modes import untouched
from robust_train.evaluation.batches import unpack
from robust_train.evaluation.blocks import Blocks, has_positions
from robust_train.evaluation.class_names import class_names
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.evaluator import Evaluator, Suite
from robust_train.evaluation.lessons import learners, share, training_part
from robust_train.evaluation.results import Results
from robust_train.evaluation.sampled import sampled
from robust_train.evaluation.settings import describe
from robust_train.evaluation.suite import check_suite
from robust_train.evaluation.walk import walk
from robust_train.types import Network

if TYPE_CHECKING:
    from pytorch_lightning import LightningDataModule


def evaluate(
    network: Network,
    data: "Dataset[Any] | DataLoader[Any] | LightningDataModule",
    suite: Suite,
    *,
    training: "Dataset[Any] | DataLoader[Any] | LightningDataModule | None" = None,
    limit: int | None = None,
    block: int = 128,
    seed: int = 0,
    device: str | torch.device | None = None,
    mean: Sequence[float] | float | None = None,
    std: Sequence[float] | float | None = None,
    logits: str | int | None = None,
    keys: tuple[str, str] | None = None,
    gallery: int | None = 8,
    draws: int = 1,
    progress: bool = True,
) -> Results:
    """Measure how robust a network is, under every regime of a suite.

    Nothing of the network changes: mode, parameters, buffers, gradients and the global random
    state are afterwards what they were. In a distributed program every process calls it and gets
    the same results.

    Args:
        network: Images to logits; a module is moved to ``device`` and put into evaluation mode.
        data: A data set of ``(image, label)`` with images in [0, 1], a loader (what its
            ``SubsetRandomSampler`` draws from or, without one, its whole data set) or a data module (its
            test set).
        suite: Perturbations by name, or callables ``(network, inputs, labels) -> inputs``.
        training: Images for the regimes that learn, such as universal perturbations; by default the
            training part of a data module or, where there is none, a fifth of the data set, at most
            as many as they ask for, which is then not judged.
        limit: Number of samples, drawn by the seed; all by default.
        block: Samples that are searched together. Part of what defines the figures, to the bit.
        seed: Seed of all random draws.
        device: Where to compute; by default where the network's parameters are.
        mean: Means of the normalisation that the *data* already went through, if it did, one a channel
            or one for all.
        std: Standard deviations of that normalisation, likewise.
        logits: Key or position of the logits, where the network returns a dictionary or a tuple.
        keys: Names of inputs and labels, where batches are dictionaries with unusual ones.
        gallery: How many samples to keep the images of; ``None`` for all.
        draws: Draws of the noise of a stochastic network (see ``Noise``): its mean over so many is
            attacked, and its mean over as many others is judged, and each of those alone. By default its
            first draw is all.
        progress: Show a bar.

    Raises:
        ValueError: There are no samples, or network, data and suite do not fit each other.

    Example:
        >>> from robust_train.perturbations import PGD
        >>> data = [(torch.full((4,), i / 4), i % 2) for i in range(4)]
        >>> results = evaluate(torch.nn.Linear(4, 2), data, {"pgd": PGD(eps=0.1)}, progress=False)
        >>> results.regimes["pgd"].metrics["robust_accuracy"].n
        4
    """
    check_suite(suite)
    if gallery is not None and gallery < 0:
        raise ValueError(f"gallery must be at least 0 images, or None for all, not {gallery}.")
    dataset, collate = _dataset(data)
    deployed = Deployed(network, mean=mean, std=std, logits=logits)
    where = deployed.placed(device)
    learning = learners(suite.values())

    def read(batch: Any) -> tuple[Tensor, Tensor]:
        inputs, labels = unpack(batch, keys)
        return deployed.pixels(inputs.to(where)), labels.to(where)

    # The items of a data set may be drawn at random: that must not leak either.
    with untouched(deployed):
        training = _training(data, training, dataset) if learning else None
        held = share(len(dataset), learning) if training is None else 0
        blocks = Blocks(dataset, block, limit, seed, collate, held)
        kept = blocks.positions()[:gallery]
        evaluator = Evaluator(deployed, suite, seed=seed, gallery=kept, draws=draws)
        walk(evaluator, blocks, training, read, progress)
    names = class_names(data, dataset, getattr(dataset, "dataset", None))
    return evaluator.results(describe(blocks, deployed), names)


def _training(data: Any, given: Any, judged: Any) -> Any | None:
    """What regimes learn from: what the user gave, or the training part of the data."""
    if given is None or hasattr(given, "train_dataloader"):
        return training_part(data if given is None else given, judged)
    return _dataset(given)[0]


def _dataset(data: Any) -> tuple[Any, Any]:
    """The data set behind what the user gave, and what makes batches of its items."""
    if isinstance(data, type):
        raise ValueError(f"The data is the class {data.__name__}: give an instance, {data.__name__}(...).")
    if hasattr(data, "test_dataloader"):  # of pytorch_lightning or of lightning.pytorch
        data.prepare_data()
        data.setup("test")
        data = data.test_dataloader()
    collate = default_collate
    if isinstance(data, DataLoader):
        collate = data.collate_fn
        data = sampled(data) if has_positions(data.dataset) else data.dataset
    if not has_positions(data):
        raise ValueError(
            f"{type(data).__name__} has no length and items: give a data set that has both, or a loader "
            "or data module of one."
        )
    parts = list(data.values()) if isinstance(data, dict) else data if isinstance(data, (list, tuple)) else ()
    if any(isinstance(part, DataLoader) for part in parts):
        raise ValueError(f"There are {len(parts)} test loaders: give one of them.")
    if parts and all(isinstance(part, Tensor) for part in parts):
        raise ValueError("The data is tensors: give TensorDataset(inputs, labels).")
    return data, collate
