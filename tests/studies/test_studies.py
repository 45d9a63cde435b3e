"""Studies against networks of which the answer is known."""

import math
from dataclasses import dataclass

import pytest
import torch
from scipy.stats import kstest, norm, truncnorm

from robust_train import AccuracyMap, FailureProbability, GaussianNoise, LabelGraph, UniversalGradient, study
from robust_train.perturbations.base import Budgeted, unmeasured
from robust_train.studies.failure_probability import _QUANTILES
from robust_train.studies.shared_vectors import Parted
from robust_train.transforms.base import Transform
from robust_train.types import Perturbed
from tests.toy_networks import Constant, Flagging, Placed, linear


@dataclass(frozen=True)
class Shift(Transform):
    """Add to all pixels, and to those of the first column."""

    names = ("all", "first column")
    identity = (0.0, 0.0)

    def __call__(self, inputs, parameters, rng=None):
        y = inputs + parameters[:, 0].to(inputs)[:, None, None, None]
        y[..., 0] += parameters[:, 1].to(inputs)[:, None, None]
        return y


@dataclass(frozen=True)
class Brightness(Transform):
    names = ("shift",)
    identity = (0.0,)

    def __call__(self, inputs, parameters, rng=None):
        return inputs + parameters[:, 0].to(inputs)[:, None, None, None]


def threshold():
    """Class 0 where the mean of the 4 pixels is above 1/2."""
    network = linear((1, 2, 2), 2, torch.float32)
    network[-1].weight.data = torch.tensor([[0.25] * 4, [0.0] * 4])
    network[-1].bias.data = torch.tensor([-0.5, 0.0])
    return network


def grey(level, count=400):
    return [(torch.full((1, 2, 2), level), 0)] * count


@pytest.mark.parametrize("level", [0.55, 0.7, 0.9])
def test_a_linear_network_fails_under_brightness_with_the_normal_probability(level):
    asked = FailureProbability(transform=Brightness(), scale=[0.2], draws=64, chain=8)
    found = study(threshold(), grey(level), {"light": asked}, progress=False)["light"]
    truth, draws = norm.cdf(-(level - 0.5) / 0.2), 400 * 64
    assert abs(found.settings["probability"] - truth) < 4 * math.sqrt(truth * (1 - truth) / draws)


def test_without_a_chain_the_probability_is_all():
    asked = FailureProbability(transform=Brightness(), scale=[0.2], draws=8, chain=0)
    found = study(threshold(), grey(0.55, 20), {"light": asked}, progress=False)["light"]
    assert found.settings["probability"] > 0
    assert found.figures == []


def test_no_pixel_leaves_the_range_of_images():
    """Of two pixels that are 0 and two that are 1, only the bright ones can be dimmed."""
    network, seen = threshold(), []
    network[-1].weight.data[0] = torch.tensor([0.1, 0.1, 0.4, 0.4])
    data = [(torch.tensor([[[0.0, 0.0], [1.0, 1.0]]]), 0)] * 50

    def recording(x):
        seen.append(x)
        return network(x)

    asked = FailureProbability(transform=Brightness(), scale=[0.4], draws=32, chain=4)
    found = study(recording, data, {"light": asked}, progress=False)["light"]
    assert all(((x >= 0) & (x <= 1)).all() for x in seen)
    # Dimmed by t, the dark pixels stay black: 0.8 (1 - t) < 1/2.
    truth = norm.cdf(-0.375 / 0.4)
    assert abs(found.settings["probability"] - truth) < 4 * math.sqrt(truth * (1 - truth) / 1600)


def test_the_chain_has_the_prior_given_failure():
    """The failing region of a linear network is a half-line; chains of different images are independent."""
    asked = FailureProbability(transform=Brightness(), scale=[0.2], draws=64, chain=60)
    index, inputs = torch.arange(600), torch.full((600, 1, 2, 2), 0.7)
    _, chain = asked._sample(threshold(), index, inputs, torch.zeros(600, dtype=torch.int64), seed=1)
    assert (chain < -0.2).all()
    last = chain[-1, :, 0].numpy()
    assert len(last) == 600
    assert kstest(last, truncnorm(-math.inf, -1.0, scale=0.2).cdf).pvalue > 1e-3
    assert (chain[0] != chain[-1]).float().mean() > 0.9  # it moves


def test_an_image_that_fails_more_often_weighs_more():
    """The failing parameters of two grey levels follow the mixture of both half-lines."""
    levels, scale = (0.55, 0.85), 0.2
    asked = FailureProbability(transform=Brightness(), scale=[scale], draws=64, chain=30)
    found = study(threshold(), grey(levels[0]) + grey(levels[1]), {"light": asked}, progress=False)["light"]
    ends = [0.5 - level for level in levels]
    total = sum(norm.cdf(end / scale) for end in ends)
    for level, quantile in found.figures[0].series["shift"]:
        below = sum(norm.cdf(min(quantile.value, end) / scale) for end in ends) / total
        assert abs(below - level) < 0.04


def test_what_never_fails_has_no_failing_parameters():
    asked = FailureProbability(transform=Brightness(), scale=[0.2], draws=4, chain=4)
    found = study(Constant([1.0, 0.0]), grey(0.5, 3), {"light": asked}, progress=False)["light"]
    assert found.settings["probability"] == 0
    assert not found.figures


def test_quantiles_are_of_each_parameter():
    asked = FailureProbability(transform=Shift(), scale=[0.2, 0.1], draws=16, chain=16)
    curves = study(threshold(), grey(0.6), {"light": asked}, progress=False)["light"].figures[0]
    assert list(curves.series) == ["all", "first column"]
    assert [level for level, _ in curves.series["all"]] == list(_QUANTILES)
    middle = curves.series["all"][2][1]
    assert middle.value < -0.05
    assert math.isnan(middle.low)


def test_the_map_is_the_accuracy_at_each_pose():
    asked = AccuracyMap(transform=Shift(), rows=[-0.3, 0.0], columns=[0.0, 0.2, 0.8])
    found = study(threshold(), grey(0.6, 5) + grey(0.9, 5), {"map": asked}, progress=False)["map"]
    (grid,) = found.figures
    # The mean rises by the shift and by half of what the first column gains, which stops at 1.
    assert [[cell.value for cell in row] for row in grid.values] == [[0.5, 0.5, 1.0], [1.0, 1.0, 1.0]]
    assert grid.values[0][0].n == 10
    assert found.summary == "Accuracy is between 50.0% at (-0.3, 0) and 100.0% at (0, 0.8)."


def test_the_graph_counts_where_labels_go():
    network = linear((2,), 3)
    network[-1].weight.data = torch.tensor([[10.0, 0.0], [-10.0, 0.0], [0.0, 10.0]], dtype=torch.float64)
    network[-1].bias.data.zero_()
    data = [(torch.tensor([0.5, 0.4], dtype=torch.float64), 0)] * 40
    asked = LabelGraph(perturbation=GaussianNoise(eps=0.3))
    found = study(network, data, {"graph": asked}, progress=False)["graph"]
    (grid,) = found.figures
    assert (grid.rows, grid.columns) == (["fooled", "0", "2"], ["0", "2"])  # in class 1 is nothing
    fooled, zero, two = grid.values
    assert [cell.value for cell in fooled] == [0, 1]
    assert zero[1].n == 40
    assert fooled[1].n == zero[1].value * 40
    assert two[0].n == 0
    assert "end in class 2" in found.summary


def test_the_graph_of_many_classes_has_those_that_occur():
    network, data = linear((2,), 1000), [(x, 0) for x in torch.randn(8, 2, dtype=torch.float64)]
    asked = LabelGraph(perturbation=GaussianNoise(eps=1.0, bounds=None))
    (grid,) = study(network, data, {"graph": asked}, progress=False)["graph"].figures
    images = torch.stack([x for x, _ in data])
    before = {str(k) for k in network(images).argmax(1).tolist()}
    assert before <= set(grid.columns) == set(grid.rows) - {"fooled"}
    assert len(grid.columns) <= 16
    assert sum(row[0].n for row in grid.values[1:]) == 8
    assert sum(cell.value * row[0].n for row in grid.values[1:] for cell in row if cell.n) == pytest.approx(8)


@pytest.mark.parametrize("block", [7, 64])
def test_a_universal_perturbation_of_a_linear_network_leads_to_the_class_that_gains_the_most(block):
    """It is learnt from as many images as it says, of which none is in the graph."""
    network = linear((1, 4, 4), 5)
    draws = torch.randn(100, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    universal = UniversalGradient(norm="l2", eps=100.0, images=30)
    asked = {"graph": LabelGraph(perturbation=universal)}
    found = study(network, [(x, 0) for x in draws], asked, block=block, progress=False)["graph"]
    parted = Parted.of([(None, draws, None)], 30, seed=0)
    v = universal.fit(network, [(parted.lessons, torch.zeros(30, dtype=torch.int64))], parted.rng).vector
    dominant = int((network[-1].weight @ v.flatten()).argmax())
    (grid,) = found.figures
    assert [cell.value for cell in grid.values[0]] == [float(k == dominant) for k in range(5)]
    assert found.settings["samples"] == 70
    before = network(parted.judged).argmax(1).bincount(minlength=5)
    assert [row[0].n for row in grid.values[1:]] == before.tolist()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: AccuracyMap(transform=Brightness(), rows=[0], columns=[0]), "two different positions of 1"),
        (lambda: AccuracyMap(transform=Shift(), rows=[0], columns=[0], parameters=(1, 1)), "two different"),
        (lambda: FailureProbability(transform=Shift(), scale=[0.1]), "for each of all, first column"),
        (lambda: FailureProbability(transform=Brightness(), scale=[0.0]), "a positive number"),
        (lambda: FailureProbability(transform=Brightness(), scale=[0.1], draws=0), "draws must be positive"),
        (lambda: FailureProbability(transform=Brightness(), scale=[0.1], draws=-1), "draws must be positive"),
        (lambda: FailureProbability(transform=Brightness(), scale=[0.1], chain=-1), "chain must be at"),
        (lambda: AccuracyMap(transform=Shift(), rows=[], columns=[0]), "a value at least of rows"),
        (lambda: AccuracyMap(transform=Shift(), rows=[0], columns=[]), "a value at least of rows"),
    ],
)
def test_what_has_no_meaning_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(
    "asked",
    [
        FailureProbability(transform=Brightness(), scale=[0.2], draws=8, chain=4),
        AccuracyMap(transform=Shift(), rows=[0.0], columns=[0.0]),
    ],
)
def test_images_in_other_units_are_refused_where_they_would_be_cut(asked):
    study(threshold(), grey(1 + 1e-6, 1), {"asked": asked}, progress=False)
    with pytest.raises(ValueError, match=r"^\w+: images lie in \[254, 254\], but are cut to \[0, 1\]: "):
        study(threshold(), grey(254.0, 1), {"asked": asked}, progress=False)


def test_any_block_gives_the_same():
    asked = {"light": FailureProbability(transform=Brightness(), scale=[0.2], draws=8, chain=4)}
    one, other = (study(threshold(), grey(0.6, 20), asked, block=b, progress=False) for b in (3, 64))
    assert one == other


def test_what_is_flagged_is_no_failure_and_has_fooled_nobody():
    """Class 0 above a mean of 1/2, class 1 below, of which what is above 0.4 passes: the rest is flagged."""

    class Dark(Flagging):
        def forward(self, x):
            return super().forward(1 - x)

    pair, data = Dark(threshold(), level=0.6).eval(), grey(0.55, 100)
    pair.network[-1].weight.data *= -1  # of 1 - x, so that the class is that of x
    pair.network[-1].bias.data = torch.tensor([0.5, 0.0])
    for level, expected in ((0.55, 0), (0.45, 1), (0.3, 2)):
        assert pair(torch.full((1, 1, 2, 2), level)).argmax(1) == expected
    asked = FailureProbability(transform=Brightness(), scale=[0.2], draws=64, chain=8)
    found = study(pair, data, {"light": asked}, progress=False)["light"]
    truth = norm.cdf(-0.05 / 0.2) - norm.cdf(-0.15 / 0.2)
    assert abs(found.settings["probability"] - truth) < 4 * math.sqrt(truth * (1 - truth) / 6400)

    @dataclass(frozen=True, kw_only=True)
    class Darker(Budgeted):
        def search(self, network, inputs, goal, rng):
            return Perturbed(inputs - self.eps, unmeasured(inputs))

    for eps, labels in ((0.1, ["0", "1"]), (0.25, ["0"])):
        graph = study(pair, data, {"graph": LabelGraph(perturbation=Darker(eps=eps))}, progress=False)[
            "graph"
        ]
        grid = graph.figures[0]
        assert grid.columns == labels
        if labels == ["0"]:
            assert graph.summary == "No image is fooled."
        else:
            assert grid.values[0][1].value == 1.0


def test_a_network_is_moved_only_where_a_device_is_given():
    def run(**settings):
        study(Placed(threshold()), grey(0.6, 1), {}, progress=False, **settings)

    run()
    with pytest.raises(AssertionError, match="was moved"):
        run(device="cpu")
