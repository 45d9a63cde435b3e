"""One example or more of every perturbation: what the contract tests run on 8x8 images."""

from dataclasses import dataclass

import torch

from robust_train import (
    APGD,
    ATN,
    DDN,
    DLR,
    FAB,
    FGSM,
    FMN,
    JSMA,
    LBFGS,
    PGD,
    Brightness,
    Budgeted,
    CarliniWagner,
    Corrupted,
    Corruption,
    DeepFool,
    Eyeglasses,
    FeatureAdversary,
    FoolingImage,
    Foreign,
    GaussianBlur,
    GaussianNoise,
    ManiFool,
    Manitest,
    Margin,
    Masked,
    Occlusion,
    Patch,
    RandomDirection,
    Rotation,
    SaltAndPepper,
    Semirandom,
    SigmaZero,
    Smallest,
    SmallestOcclusion,
    SmallestSeverity,
    Square,
    Stabilised,
    Static,
    Substitute,
    SuperDeepFool,
    Translation,
    UniformNoise,
    Universal,
    UniversalCurvature,
    UniversalGradient,
    UniversalRandom,
    UniversalSingular,
    WorstOf,
    WorstPose,
)
from robust_train.randomness import Streams


@dataclass(frozen=True)
class Darken:
    """An attack of another library, as far as ``Foreign`` knows."""

    share: float

    def __call__(self, network, inputs, labels):
        return (1 - self.share) * inputs


EXAMPLES = {
    FGSM: [FGSM(eps=0.05), FGSM(norm="l2", eps=0.4, objective=Margin()), FGSM(norm="l1", eps=2.0)],
    PGD: [
        PGD(eps=0.03, steps=8, restarts=2),
        PGD(norm="l2", eps=0.3, steps=8, objective=DLR()),
        PGD(norm="l1", eps=2.0, steps=8, drop=False, bounds=None),
    ],
    APGD: [
        APGD(eps=0.03, steps=8, restarts=2),
        APGD(norm="l2", eps=0.3, steps=6, objective=DLR(), targets=3),
        APGD(norm="l1", eps=2.0, steps=8, drop=False, bounds=None),
    ],
    Occlusion: [Occlusion(side=0.4, stride=2)],
    SmallestOcclusion: [SmallestOcclusion(side=0.6, stride=2)],
    SmallestSeverity: [
        SmallestSeverity(transform=Brightness(), largest=0.8, points=4, bisections=6),
        SmallestSeverity(transform=GaussianBlur(largest=2), largest=2, two_sided=False, points=4),
    ],
    Corrupted: [
        Corrupted(transform=Corruption(kind="shot_noise"), severity=3.0, draws=3),
        Corrupted(transform=Brightness(), severity=-0.2),
    ],
    Stabilised: [
        Stabilised(attack=PGD(eps=0.03, steps=5)),
        Stabilised(attack=FGSM(eps=0.05), slope=0.0, bounds=None),
    ],
    Square: [Square(eps=0.1, queries=20), Square(norm="l2", eps=0.5, queries=20)],
    DeepFool: [DeepFool(), DeepFool(norm="linf"), DeepFool(norm="l1"), DeepFool.as_published()],
    FAB: [
        FAB(steps=4, candidates=3),
        FAB(norm="linf", steps=3, targets=2),
        FAB(norm="l1", steps=3, restarts=2, bounds=None),
    ],
    SuperDeepFool: [SuperDeepFool(steps=3, walk=5, candidates=3, bisections=4)],
    RandomDirection: [
        RandomDirection(largest=5.0),
        RandomDirection(norm="linf", largest=5.0, bounds=(0.0, 1.0)),
    ],
    Semirandom: [
        Semirandom(steps=5, candidates=4, refinements=1),
        Semirandom(
            dimension=6, basis="low_frequency", steps=5, candidates=3, refinements=1, bounds=(0.0, 1.0)
        ),
    ],
    JSMA: [JSMA(candidates=16), JSMA(theta=-0.5, bounds=None)],
    SigmaZero: [SigmaZero(steps=10)],
    SaltAndPepper: [SaltAndPepper(restarts=2)],
    UniformNoise: [UniformNoise(eps=0.3), UniformNoise(norm="l2", eps=2.0, bounds=(0.0, 1.0))],
    GaussianNoise: [GaussianNoise(eps=2.0), GaussianNoise(norm="linf", eps=0.3, bounds=(0.0, 1.0))],
    WorstOf: [WorstOf(norm="l2", eps=0.4, members=[FGSM(norm="l2", eps=0.3), DeepFool()])],
    Smallest: [
        Smallest(budgeted=FGSM(norm="linf"), bisections=3),
        Smallest(budgeted=PGD(norm="l2", eps=0.5, steps=4), bisections=2),
    ],
    LBFGS: [LBFGS(binary_search_steps=3, steps=3, candidates=2)],
    Universal: [
        Universal(eps=0.2, passes=2, batch_size=5),
        Universal(norm="l2", eps=1.0, passes=1, sequential=True, candidates=3, bounds=(0.0, 1.0)),
    ],
    UniversalCurvature: [
        UniversalCurvature(eps=1.0, steps=4),
        UniversalCurvature(norm="linf", eps=0.2, steps=3, draws=1),
    ],
    UniversalGradient: [
        UniversalGradient(eps=0.2, steps=3, batch_size=5),
        UniversalGradient(norm="l2", eps=1.0, steps=2, bounds=(0.0, 1.0)),
    ],
    FeatureAdversary: [FeatureAdversary(eps=0.1, steps=5)],
    UniversalSingular: [UniversalSingular(eps=1.0), UniversalSingular(norm="linf", eps=0.2, draws=0)],
    UniversalRandom: [
        UniversalRandom(eps=0.2),
        UniversalRandom(norm="l2", eps=1.0, bounds=(0.0, 1.0)),
        UniversalRandom(norm="l1", eps=4.0),
    ],
    Masked: [Masked(minimal_search=DeepFool(norm="linf", candidates=2, refinements=1, steps=10))],
    Eyeglasses: [Eyeglasses(steps=5), Eyeglasses(norm="l2", eps=1.0, steps=5)],
    WorstPose: [
        WorstPose(grid=(3, 3, 3), draws=2),
        WorstPose(transform=Rotation(padding="border"), limits=(40.0,), grid=(), draws=6, drop=False),
    ],
    FoolingImage: [FoolingImage(steps=5, step_size=0.5)],
    Static: [Static(perturbation=PGD(eps=0.03, steps=4)), Static(perturbation=DeepFool())],
    Substitute: [Substitute(eps=0.1, budgeted=PGD(steps=3), rounds=1, epochs=1, width=2)],
    ATN: [ATN(eps=0.1, epochs=1, width=2), ATN(norm="l2", eps=0.5, epochs=1, width=2, form="autoencoding")],
    ManiFool: [
        ManiFool(transform=Translation(), steps=4, restarts=1, refinements=1, bisections=3, segments=2),
        ManiFool(transform=Rotation(), steps=4, restarts=0, refinements=0, bisections=3, segments=2),
    ],
    Manitest: [
        Manitest(transform=Translation(), limits=(2.0, 2.0), grid=(5, 5), bisections=4),
        Manitest(transform=Rotation(padding="border"), limits=(90.0,), grid=(7,), radius=1),
    ],
    DDN: [DDN(steps=10), DDN(steps=5, start=DeepFool(candidates=2, refinements=1, steps=5))],
    Patch: [Patch(area=0.2, epochs=1)],
    FMN: [
        FMN(steps=8),
        FMN(norm="l0", steps=8),
        FMN(norm="linf", steps=8),
        FMN(norm="l1", steps=5, bounds=None),
    ],
    CarliniWagner: [
        CarliniWagner(steps=5, learning_rate=0.1, initial_const=1.0, binary_search_steps=2),
        CarliniWagner(steps=5, learning_rate=0.1, initial_const=1.0, binary_search_steps=2, bounds=None),
    ],
    Foreign: [Foreign(attack=Darken(0.5))],
}
EVERY = [example for examples in EXAMPLES.values() for example in examples]
MINIMAL = [example for example in EVERY if example.minimal]
BUDGETED = [example for example in EVERY if isinstance(example, Budgeted)]


def ready(example, network, inputs):
    """The example, and where it learns, what it learns of the network from images of that shape."""
    if example.fitted:
        return example
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(12, *inputs.shape[1:], generator=generator, dtype=inputs.dtype)
    return example.fit(network, [(images, torch.zeros(12, dtype=torch.int64))], Streams.of(0, [0]))


def name(example):
    box = "unbounded" if example.bounds is None else "boxed"
    return f"{type(example).__name__}-{example.norm}-{box}"
