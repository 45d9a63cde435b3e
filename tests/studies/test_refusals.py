"""What no study can be asked about is refused in one sentence that names the cure."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from robust_train import FGSM, AccuracyMap, LabelGraph, UniversalGradient, study, transfer
from robust_train.transforms import Translation
from tests.toy_networks import linear

ASKED = [
    LabelGraph(perturbation=FGSM()),
    AccuracyMap(transform=Translation(), rows=[0.0], columns=[0.0]),
]
PAIRS = [(torch.rand(1, 4, 4), 0), (torch.rand(1, 4, 4), 1)]


@pytest.mark.parametrize(
    ("network", "data", "sentence"),
    [
        (linear((1, 4, 4), 2), [], r"^There are no samples to judge: the data set is empty\.$"),
        (linear((1, 4, 4), 2), DataLoader(PAIRS), "^DataLoader has no length and items: give a data set"),
        (linear((1, 4, 4), 2), [*PAIRS, (PAIRS[0][0], 7)], r"^Label 7 is none of the network's 2 classes"),
        (linear((1, 4, 4), 2), [(torch.zeros(1, 4, 4).byte(), 0)] * 2, "^Inputs are torch.uint8: give"),
        (nn.Linear(9, 2), PAIRS, r"^The network refuses inputs of shape \(1, 4, 4\)"),
    ],
)
@pytest.mark.parametrize("block", [1, 128])
def test_what_does_not_fit_is_refused_in_a_sentence(network, data, sentence, block):
    for asked in ASKED:
        with pytest.raises(ValueError, match=sentence):
            study(network, data, {"asked": asked}, block=block, progress=False)
    for perturbation in (FGSM(), UniversalGradient()):
        with pytest.raises(ValueError, match=sentence):
            transfer({"a": network}, data, perturbation, block=block, progress=False)


def test_transfer_between_no_networks_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"^transfer: networks is empty: give one at least\.$"):
        transfer({}, PAIRS, FGSM(), progress=False)
