"""One example or more of every perturbation: what the contract tests run on 8x8 images."""

from dataclasses import dataclass

from robust_train import DLR, FGSM, PGD, DeepFool, Foreign, GaussianNoise, Margin, RandomDirection, WorstOf


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
    DeepFool: [DeepFool(), DeepFool(norm="linf"), DeepFool.as_published()],
    RandomDirection: [
        RandomDirection(largest=5.0),
        RandomDirection(norm="linf", largest=5.0, bounds=(0.0, 1.0)),
    ],
    GaussianNoise: [GaussianNoise(eps=2.0), GaussianNoise(norm="linf", eps=0.3, bounds=(0.0, 1.0))],
    WorstOf: [WorstOf(norm="l2", eps=0.4, members=[FGSM(norm="l2", eps=0.3), DeepFool()])],
    Foreign: [Foreign(attack=Darken(0.5))],
}
EVERY = [example for examples in EXAMPLES.values() for example in examples]
MINIMAL = [example for example in EVERY if example.minimal]
BUDGETED = [example for example in EVERY if getattr(example, "eps", None) is not None]


def name(example):
    box = "unbounded" if example.bounds is None else "boxed"
    return f"{type(example).__name__}-{example.norm}-{box}"
