"""What cannot be measured is refused in one sentence that names the cure."""

import pytest
import torch
from torch import nn

from robust_train.evaluation import evaluate
from robust_train.perturbations import FGSM, PGD


def refusing(x):
    raise RuntimeError


class Headless(nn.Module):
    pass


@pytest.mark.parametrize(
    ("network", "label", "sentence"),
    [
        (
            lambda x: x.flatten(1)[:, :3] * float("nan"),
            0,
            r"NaN or infinity for all of \d+ inputs: look at its weights",
        ),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(16, 3)),
            3,
            r"Label 3 is none of the network's 3 classes \(0 to 2\)",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), -1, "Label -1 is none of the network's 3 classes"),
        (
            nn.Conv2d(3, 8, 3),
            0,
            r"refuses inputs of shape \(1, 4, 4\) \(.*\): give it the channels and the size",
        ),
        (refusing, 0, r"refuses inputs of shape \(1, 4, 4\) \(RuntimeError\): give it the"),
        (lambda x: x.flatten(1)[:, :1], 0, "^The network has logits for 1 class only: give it two or more"),
        (nn.Linear(4, 3), 0, r"returned shape \(1, 1, 4, 3\) for 1 inputs, not \(N, classes\) logits"),
        (
            Headless(),
            0,
            r"^The module cannot be called on images: define its forward, from images to logits\.$",
        ),
        (lambda x: (x, x), 0, "returned a tuple, not logits"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(network, label, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        evaluate(network, [(torch.rand(1, 4, 4), label)], {"fgsm": FGSM()}, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("suite", "sentence"),
    [
        (PGD(), r'^The suite is a PGD: give a dictionary of regimes by name, such as {"pgd": PGD\(\)}\.$'),
        ([PGD()], "^The suite is a list: give a dictionary"),
        ({"p": PGD}, r"^Regime p is the class PGD: give an instance, PGD\(\.\.\.\)\.$"),
        ({"p": "PGD"}, r"^Regime p is 'PGD': give a perturbation, such as PGD\(\), or a callable"),
    ],
)
def test_a_suite_of_no_regimes_by_name_is_refused_in_a_sentence(network, data, suite, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(network, data, suite, progress=False)


def test_a_late_label_is_checked_too(network, data):
    with pytest.raises(ValueError, match="Label 7 is none of"):
        evaluate(network, [*data, (data[0][0], 7)], {}, block=8, progress=False)


class Caching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.mask = nn.Linear(16, 3), None

    def forward(self, x):
        self.mask = torch.full((16,), 0.5) if self.mask is None else self.mask
        return self.layer(x.flatten(1) * self.mask)


def test_a_cache_made_under_inference_mode_is_explained(data):
    network = Caching().eval()
    with torch.inference_mode():
        network(data[0][0])
    with pytest.raises(ValueError, match=r"set Trainer\(inference_mode=False\)"):
        evaluate(network, data, {"fgsm": FGSM()}, progress=False)


def test_a_gallery_of_less_than_nothing_is_refused():
    data = [(torch.rand(1, 4, 4), 0)]
    with pytest.raises(ValueError, match=r"^gallery must be at least 0 images, or None for all, not -1\.$"):
        evaluate(nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), data, {}, gallery=-1, progress=False)
