"""Measure a network under a suite of perturbation regimes."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from robust_train.attacking.modes import attack_mode
from robust_train.evaluation.block import Block
from robust_train.evaluation.class_names import about_classes
from robust_train.evaluation.deployed import Deployed
from robust_train.evaluation.gallery import Gallery
from robust_train.evaluation.judging import judge_of
from robust_train.evaluation.lessons import Lessons
from robust_train.evaluation.preflight import preflight, refuse_shards, training_modules
from robust_train.evaluation.processes import gather, merge
from robust_train.evaluation.regime import Regime, estimate
from robust_train.evaluation.results import Results
from robust_train.metrics import Accuracy
from robust_train.metrics.estimate import rate
from robust_train.perturbations.base import Perturbation
from robust_train.perturbations.foreign import Foreign
from robust_train.types import Outcome

Suite = Mapping[str, Perturbation | Callable[..., Tensor]]
"""Regimes by name; a bare callable ``(network, inputs, labels) -> inputs`` is measured in l2."""


class Evaluator:
    """Judges blocks of samples, one regime after the other, and sums up.

    Whatever a perturbation returns is checked: the deployed network is run on it again, and its
    size is measured again, both outside of the perturbation's reach.

    Args:
        network: The network as it is deployed.
        suite: Regimes by name.
        seed: Seed of all random draws; sample i has the same ones in any block and process.
        gallery: The positions whose images are kept; all of them where it is ``None``.
        draws: Draws of the ``Noise`` of a stochastic network: its mean over so many is attacked, and its mean
            over as many others is judged, and each of those alone. With 1, the network is judged at its
            first. What a minimal search found is stretched until four further sets of so many draws agree;
            where the judging ones do not confirm it all the same, it counts as none, of size inf.

    Raises:
        ValueError: The network's parameters are sharded over processes, or several draws are asked of one
            that has no ``Noise``, or, on the first block, whose draws are all the same.

    Example:
        >>> from robust_train.perturbations.fgsm import FGSM
        >>> evaluator = Evaluator(Deployed(torch.nn.Linear(4, 2)), {"fgsm": FGSM(eps=0.1)})
        >>> for first in (0, 8):  # two blocks of eight samples
        ...     index = torch.arange(first, first + 8)
        ...     evaluator.add(index, torch.rand(8, 4), index % 2)
        >>> evaluator.results().clean_accuracy.n
        16
    """

    def __init__(
        self, network: Deployed, suite: Suite, *, seed: int = 0, gallery: Tensor | None = None, draws: int = 1
    ) -> None:
        refuse_shards(network)
        self.network, self.seed, self.gallery = network, seed, Gallery(gallery)
        self.judge = judge_of(network, draws)
        self.regimes = [
            Regime(name, p if isinstance(p, Perturbation) else Foreign(attack=p), Gallery(gallery))
            for name, p in suite.items()
        ]
        self.clean: list[Outcome] = []
        self.warnings: list[str] | None = None

    def learn(self, lessons: Lessons, done: Callable[[str], None] = lambda name: None) -> None:
        """Let the regimes that have to learn do so, before the first block.

        Every process learns from all images in the same order, and so the same.

        Args:
            lessons: The images, none of which may be judged.
            done: Told the name of each regime that has learnt.

        Raises:
            ValueError: There are no images, or the network does not fit them.
        """
        modes = training_modules(self.network.network)
        with attack_mode(self.network):
            for regime in self.regimes:
                if not regime.perturbation.fitted:
                    images = lessons.limited(getattr(regime.perturbation, "images", None))
                    for inputs, labels in islice(images, 1):
                        self._preflight(inputs, labels, modes)
                    regime.learn(self.judge, images, self.seed)
                    done(regime.name)

    def add(
        self, index: Tensor, inputs: Tensor, labels: Tensor, done: Callable[[str], None] = lambda name: None
    ) -> None:
        """Judge one block.

        Args:
            index: ``(N,)`` positions in the data set.
            inputs: ``(N, C, H, W)`` in pixel units.
            labels: ``(N,)``.
            done: Told the name of each regime that is through with the block.

        Raises:
            ValueError: The network or the labels do not fit the inputs.
        """
        modes = training_modules(self.network.network)
        with attack_mode(self.network):
            inputs, labels = inputs.detach().clone(), labels.detach().clone()
            self._preflight(inputs, labels, modes)
            block = Block.judged(self.judge, index, inputs, labels)
            self.clean.append(block.clean)
            self.gallery.add(index, inputs)
            for regime in self.regimes:
                regime.run(self.judge, block, self.seed)
                done(regime.name)

    def results(self, settings: dict[str, Any] | None = None, classes: tuple[str, ...] = ()) -> Results:
        """The figures over all blocks of all processes; every process must call it.

        Raises:
            ValueError: No process judged any sample.
        """
        judged = gather(self.clean)
        if not judged:
            raise ValueError("There are no samples to judge: the data set is empty.")
        # Results outlive the loop that they come from, and the inference mode that it runs under.
        with torch.inference_mode(False):
            clean = merge(judged)
            index, images = self.gallery.gathered()
            regimes = {regime.name: regime.result() for regime in self.regimes}
            about = about_classes(classes, clean.logits.shape[1] - clean.reject)
            learnt = {name: str(r.learning) for name, r in regimes.items() if r.learning}
            return Results(
                clean_accuracy=estimate(Accuracy(), clean),
                regimes=regimes,
                examples=images,
                example_index=index,
                classes=classes,
                settings={
                    "samples": len(clean.index),
                    "seed": self.seed,
                    **self.judge.settings,
                    **({"learnt": learnt} if learnt else {}),
                    **(settings or {}),
                },
                warnings=tuple(dict.fromkeys([*gather(self.warnings or []), *about])),
                false_positives=rate(clean.flagged) if clean.reject else None,
            )

    def _preflight(self, inputs: Tensor, labels: Tensor, modes: list[str]) -> None:
        if self.warnings is None:
            self.warnings = modes + preflight(self.network, inputs, labels)
            self.judge.check(inputs[:1])
