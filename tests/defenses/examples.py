"""One example or more of every defense: what the contract tests train with."""

from dataclasses import fields, is_dataclass, replace

import torch
from torch.nn.functional import cross_entropy

from robust_train import (
    MART,
    NFGSM,
    PGD,
    TRADES,
    VIB,
    AdversarialFineTuning,
    AdversarialTraining,
    AdversarialWeightPerturbation,
    Augmentation,
    AugMix,
    ContractivePenalty,
    CurvatureDetector,
    CurvaturePenalty,
    DeepFool,
    DetectorHead,
    Distillation,
    FreeAdversarialTraining,
    GaussianNoise,
    GradientPenalty,
    InformationPenalty,
    JacobianPenalty,
    Jitter,
    MarginLoss,
    NoiseLayers,
    ParsevalRetraction,
    Ramp,
    Rotation,
    SaturationPenalty,
    SeveralNorms,
    SideInformation,
    SpatialTransformer,
    SpectralNormalisation,
    Step,
    UncertaintyDetector,
    UniversalAdversarialTraining,
)
from robust_train.randomness import Streams
from tests.toy_networks import convolutional

EXAMPLES = {
    AdversarialTraining: [
        AdversarialTraining(PGD(eps=0.1, steps=3)),
        AdversarialTraining(PGD(norm="l2", eps=0.5, steps=3), eps=Ramp(0.1, 0.5), mode="train"),
        AdversarialTraining(GaussianNoise(eps=0.5, bounds=(0.0, 1.0))),
        AdversarialTraining(DeepFool(steps=3)),
    ],
    TRADES: [TRADES(eps=0.1, steps=3), TRADES(eps=Ramp(0.0, 0.5), norm="l2", steps=3, beta=1.0)],
    MART: [MART(PGD(eps=0.1, steps=3))],
    NFGSM: [NFGSM(eps=0.1), NFGSM(eps=Ramp(0.0, 0.2), noise=1.0, mode="train")],
    AdversarialWeightPerturbation: [
        AdversarialWeightPerturbation(),
        AdversarialWeightPerturbation(gamma=Ramp(0.0, 0.1)),
    ],
    FreeAdversarialTraining: [
        FreeAdversarialTraining(eps=0.1),
        FreeAdversarialTraining(eps=Ramp(0.1, 0.2), step_size=0.5),
    ],
    UniversalAdversarialTraining: [UniversalAdversarialTraining(eps=0.1)],
    SeveralNorms: [
        SeveralNorms([PGD(eps=0.1, steps=2), PGD(norm="l2", eps=0.5, steps=2)], mode=mode)
        for mode in ("worst", "random", "average")
    ],
    AdversarialFineTuning: [AdversarialFineTuning(DeepFool(steps=3), alpha=1.5)],
    GradientPenalty: [GradientPenalty()],
    JacobianPenalty: [JacobianPenalty(), JacobianPenalty(projections=2)],
    CurvaturePenalty: [CurvaturePenalty(weight=0.1, h=Ramp(0.1, 0.5))],
    ContractivePenalty: [ContractivePenalty()],
    SaturationPenalty: [SaturationPenalty(), SaturationPenalty(Ramp(0.0, 1e-3))],
    ParsevalRetraction: [ParsevalRetraction(beta=0.01), ParsevalRetraction(beta=0.1, rows=0.5)],
    SpectralNormalisation: [SpectralNormalisation(), SpectralNormalisation(bound=0.5)],
    MarginLoss: [MarginLoss(), MarginLoss(eps=0.1, temperature=2.0)],
    Distillation: [Distillation(temperature=2.0), Distillation(temperature=4.0, teaching=0.3)],
    NoiseLayers: [NoiseLayers(), NoiseLayers(first=0.0, sigma=0.3, seed=3)],
    InformationPenalty: [InformationPenalty()],
    DetectorHead: [
        DetectorHead("2", (1, 8, 8), eps=0.1, steps=2),
        DetectorHead("5", (1, 8, 8), eps=Ramp(0.0, 0.1), dynamic=False),
    ],
    CurvatureDetector: [CurvatureDetector(draws=2, steps=2)],
    SideInformation: [SideInformation(seen=[0], side=[0], in_shape=(1, 8, 8), classes=10, width=4)],
    UncertaintyDetector: [UncertaintyDetector(), UncertaintyDetector(keep=0.9, points=5)],
    Augmentation: [Augmentation(), Augmentation(padding=0), Augmentation(padding=2, flip=False)],
    Jitter: [Jitter(limits=(30.0, 1.0, 1.0)), Jitter(Rotation(), (15.0,), Ramp(0.0, 1.0))],
    SpatialTransformer: [SpatialTransformer()],
    AugMix: [AugMix(), AugMix(weight=1.0, severity=8.0, width=1)],
}
EVERY = [example for examples in EXAMPLES.values() for example in examples]


def name(defense):
    fields = [type(defense).__name__, *(type(v).__name__ for v in vars(defense).values() if is_dataclass(v))]
    return "-".join(fields)


def suited(defense):
    """A small network that the defense can train."""
    if isinstance(defense, InformationPenalty):
        return VIB(in_shape=(1, 8, 8), hidden=[8], code=4)
    return convolutional()


def suited_node(defense):
    """The like of it, with a normalisation and hidden layers, as recipes spell it."""
    if isinstance(defense, InformationPenalty):
        return {"class_path": "VIB", "init_args": {"in_shape": [1, 8, 8], "hidden": [8], "code": 4}}
    return {"class_path": "SmallCNN", "init_args": {"in_shape": [1, 8, 8], "width": 4, "batch_norm": True}}


def node(value):
    """Any value as recipes spell it."""
    if is_dataclass(value):
        given = {one.name: node(getattr(value, one.name)) for one in fields(value) if one.init}
        return {"class_path": type(value).__name__, "init_args": given}
    return [node(one) for one in value] if isinstance(value, list | tuple) else value


def make_step(count, shape=(1, 8, 8), progress=0.5, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(count, *shape, generator=generator).to(dtype)
    labels = torch.randint(10, (count,), generator=generator)
    return Step(inputs, labels, inputs, labels, progress, Streams.of(seed, range(count)))


def judged(network, step):
    """The step with the losses that a classifier without other defenses would have."""
    return replace(
        step, objective=lambda one: cross_entropy(network(one.inputs), one.targets, reduction="none")
    )
