import pytest
import torch
from torch.utils.data import Dataset

from robust_train.evaluation import evaluate
from robust_train.perturbations import PGD, DeepFool, RandomDirection


def judge(network, data, suite, **settings):
    return evaluate(network, data, suite, progress=False, **settings).regimes


def test_the_suite_is_worth_measuring(network, data, suite):
    results = evaluate(network, data, suite, progress=False)
    assert results.clean_accuracy.value == 56 / 65
    assert 0.1 < results.regimes["pgd"].metrics["robust_accuracy"].value < 0.75
    assert 0 < results.regimes["deepfool"].metrics["median_size"].value < 1
    assert set(results.regimes["noise"].metrics) == {"fooling_rate", "robust_accuracy"}
    assert set(results.regimes["direction"].metrics) == {"fooling_rate", "median_size", "relative_size"}


@pytest.mark.parametrize("block", [1, 7])
def test_no_sample_depends_on_its_batch_mates(network, data, suite, block):
    data = [(image.double(), label) for image, label in data]
    alone, together = (judge(network.double(), data, suite, block=size) for size in (block, 64))
    for name in suite:
        one, other = alone[name].outcome, together[name].outcome
        assert len(one.index) == 65
        assert torch.equal(one.perturbed_predictions, other.perturbed_predictions)
        torch.testing.assert_close(one.size, other.size, rtol=1e-4, atol=0)


def test_in_single_precision_999_of_1000_have_the_same_outcome(network, suite):
    data = [(image, 0) for image in torch.rand(1000, 1, 4, 4)]
    suite = {name: suite[name] for name in ("pgd", "deepfool", "noise")}
    one, other = (judge(network, data, suite, block=size) for size in (50, 333))
    for name in suite:
        same = one[name].outcome.perturbed_predictions == other[name].outcome.perturbed_predictions
        assert same.sum() >= 999


class Reordered(Dataset):
    def __init__(self, data, order):
        self.data, self.order = data, order

    def __len__(self):
        return len(self.order)

    def __getitem__(self, index):
        return self.data[self.order[index]]


def test_results_follow_the_samples_of_a_shuffled_data_set(network, data):
    suite = {"pgd": PGD(eps=0.1, steps=5, random_start=False), "deepfool": DeepFool()}  # nothing is drawn
    order = torch.randperm(65)
    plain = judge(network, data, suite, block=7)
    shuffled = judge(network, Reordered(data, order.tolist()), suite, block=7)
    for name in suite:
        expected, found = plain[name].outcome.take(order), shuffled[name].outcome
        assert torch.equal(expected.perturbed_predictions, found.perturbed_predictions)
        torch.testing.assert_close(expected.size, found.size, rtol=1e-4, atol=1e-6)


def test_a_limit_draws_a_share_by_the_seed(network, data, suite):
    everything = judge(network, data, suite)
    share, again, other = (
        evaluate(network, data, suite, limit=20, seed=s, progress=False) for s in (0, 0, 1)
    )
    index = share.regimes["pgd"].outcome.index
    assert len(index.unique()) == 20 == share.clean_accuracy.n
    assert index.max() > 32  # a data set sorted by class would be judged by its first classes alone
    assert share.settings["subset"] == "20 of 65, drawn with seed 0"
    assert torch.equal(index, again.regimes["pgd"].outcome.index)
    assert not torch.equal(index, other.regimes["pgd"].outcome.index)
    for name in suite:  # a sample has the same random draws in a share as in the whole
        expected = everything[name].outcome.take(index).perturbed_predictions
        assert torch.equal(share.regimes[name].outcome.perturbed_predictions, expected)


@pytest.mark.parametrize(("gallery", "kept"), [(3, 3), (0, 0), (None, 65)])
def test_the_gallery_is_the_first_samples(network, data, suite, gallery, kept):
    results = evaluate(network, data, suite, gallery=gallery, block=16, progress=False)
    assert results.example_index.tolist() == list(range(kept))
    assert results.examples.tolist() == [image.tolist() for image, _ in data[:kept]]
    for regime in results.regimes.values():
        sizes = (regime.examples - results.examples).flatten(1).norm(dim=1)
        expected = regime.outcome.size[:kept] if regime.norm == "l2" else sizes.double()
        found = expected.isfinite()
        torch.testing.assert_close(sizes[found].double(), expected[found], rtol=1e-4, atol=1e-6)


def test_a_plain_function_is_a_network(data):
    regimes = judge(lambda x: x.flatten(1)[:, :3], data, {"direction": RandomDirection()})
    assert regimes["direction"].metrics["fooling_rate"].value == 1
