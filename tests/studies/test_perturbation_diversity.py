"""The diversity of perturbations that are known: of a shared vector, of a linear network, of noise."""

import math

import pytest
import torch

from robust_train import ATN, FGSM, DeepFool, GaussianNoise, PerturbationDiversity, UniversalGradient, study
from tests.toy_networks import Constant, Flagging, linear

SHAPE = (1, 6, 6)


def data(count=90, seed=0):
    draws = torch.randn(count, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return [(x, 0) for x in draws]


def asked(network, perturbation, images=None, **options):
    of = {"asked": PerturbationDiversity(perturbation=perturbation)}
    return study(network, images or data(), of, progress=False, **options)["asked"]


def values(found):
    return torch.tensor([[cell.value for cell in row] for row in found.figures[0].values])


def test_a_shared_vector_is_not_diverse_and_judged_on_images_that_it_did_not_learn_from():
    found = asked(linear(SHAPE, 3), UniversalGradient(norm="l2", eps=1.0, images=30))
    assert found.settings["diversity"] == pytest.approx(0, abs=1e-12)
    assert found.settings["changed"] == 60
    torch.testing.assert_close(values(found), torch.ones(3, 3))


def test_two_classes_of_a_linear_network_are_left_in_opposite_directions():
    network = linear(SHAPE, 2)
    found = asked(network, DeepFool(bounds=None, overshoot=0.1))
    torch.testing.assert_close(values(found), torch.tensor([[1.0, -1.0], [-1.0, 1.0]]), rtol=0, atol=1e-6)
    ones = sum(int(network(x[None]).argmax()) for x, _ in data())
    same = (ones * (ones - 1) + (90 - ones) * (89 - ones) - 2 * ones * (90 - ones)) / (90 * 89)
    assert found.settings["diversity"] == pytest.approx(1 - same, abs=1e-6)
    assert found.summary.startswith(f"The perturbations of 90 images have a diversity of {1 - same:.2f}")


def test_the_sums_are_the_means_of_all_cosines():
    network, images = linear(SHAPE, 3), data(40)
    x = torch.stack([x for x, _ in images])
    attack = FGSM(norm="l2", eps=0.5, bounds=None)
    r = (attack(network, x, torch.zeros(40, dtype=torch.int64)).inputs - x).flatten(1)
    unit, given = r / r.norm(dim=1, keepdim=True), network(x).argmax(1)
    cosines = (unit @ unit.mT).fill_diagonal_(math.nan)
    found = asked(network, attack, images, block=7)
    truth = [[cosines[given == j][:, given == k].nanmean() for k in range(3)] for j in range(3)]
    torch.testing.assert_close(values(found), torch.tensor(truth, dtype=torch.float32))
    assert found.settings["diversity"] == pytest.approx(1 - cosines.nanmean().item())


def test_noise_is_diverse():
    assert asked(linear(SHAPE, 3), GaussianNoise(eps=1.0)).settings["diversity"] == pytest.approx(1, abs=0.02)


def test_a_transformation_network_is_asked_what_it_learnt():
    images = [(x.sigmoid().float(), y) for x, y in data(60)]
    found = asked(linear(SHAPE, 3, torch.float32), ATN(eps=0.1, images=20, epochs=2, width=4), images)
    assert found.settings["changed"] == 40
    assert 0 < found.settings["diversity"] < 1


def test_what_is_not_changed_counts_for_none():
    found = asked(Constant([1.0, 0.0]), DeepFool(bounds=None))
    assert found.settings["changed"] == 0
    assert found.summary == "0 of the images are changed, too few to be compared."
    assert values(found).isnan().all()


def test_the_flag_is_no_label():
    images = [(x.sigmoid().float(), y) for x, y in data(20)]
    pair = Flagging(linear(SHAPE, 3, torch.float32), level=0.5).eval()
    assert asked(pair, GaussianNoise(eps=1.0), images).figures[0].rows == ["0", "1", "2"]
