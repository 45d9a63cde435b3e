"""Data that are normalised before the network: eps stays in pixel units."""

import pytest
import torch

from robust_train.evaluation import evaluate
from robust_train.evaluation.deployed import Deployed


def scores(x):
    return x.flatten(1)[:, :3]


def test_pixels_of_normalised_data_stay_in_the_box():
    deployed = Deployed(scores, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    images = torch.cat([torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2), torch.rand(6, 3, 2, 2)])
    normalised = (images - deployed.mean) / deployed.std
    pixels = deployed.pixels(normalised)
    assert 0 <= pixels.min() <= pixels.max() <= 1
    torch.testing.assert_close(pixels, images, rtol=0, atol=1e-6)
    assert deployed.pixels(normalised + 1).max() > 1  # what is no rounding is told, not hidden


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_black_and_white_stay_in_the_box_whatever_precision_they_come_in(dtype):
    deployed = Deployed(scores, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    images = torch.stack([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)]).double()
    pixels = deployed.pixels(((images - deployed.mean) / deployed.std).to(dtype))
    assert pixels.dtype == torch.promote_types(dtype, torch.float32)
    assert 0 <= pixels.min() <= pixels.max() <= 1
    torch.testing.assert_close(pixels.double(), images, rtol=0, atol=0.01)


def test_a_number_is_a_list_of_one():
    x, settings = torch.rand(2, 3, 2, 2), {"mean": 0.5, "std": 0.25}
    assert torch.equal(Deployed(scores, **settings).pixels(x), x * 0.25 + 0.5)
    assert torch.equal(Deployed(scores, **settings)(x), scores((x - 0.5) / 0.25))


@pytest.mark.parametrize("std", [0.0, [0.5, -0.1]])
def test_a_deviation_that_is_not_positive_is_refused(std):
    with pytest.raises(ValueError, match=r"^Normalisation needs a positive std, not "):
        Deployed(scores, mean=0.5, std=std)


def test_one_value_serves_all_channels_and_another_number_is_refused():
    x = torch.rand(2, 3, 2, 2)
    assert torch.equal(Deployed(scores, mean=[0.5], std=[0.25]).pixels(x), x * 0.25 + 0.5)
    with pytest.raises(ValueError, match=r"^mean has 3 values for inputs of shape \(1, 2, 2\): give one for"):
        Deployed(scores, mean=[0.5] * 3, std=[0.25] * 3).pixels(x[:, :1])
    with pytest.raises(ValueError, match=r"^std has 2 values for inputs of shape \(3, 2, 2\)"):
        Deployed(scores, mean=[0.5] * 3, std=[0.25] * 2).pixels(x)


@pytest.mark.parametrize("shape", [(3,), (3, 5), (3, 5, 4)])
def test_the_second_dimension_is_that_of_the_channels_in_any_shape(shape):
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.25, 0.125]
    pixels = torch.rand(2, *shape)
    columns = zip(pixels.unbind(1), mean, std, strict=True)
    normalised = torch.stack([(column - m) / s for column, m, s in columns], 1)
    deployed = Deployed(scores, mean=mean, std=std)
    torch.testing.assert_close(deployed.pixels(normalised), pixels)
    torch.testing.assert_close(deployed(pixels), scores(normalised))
    one = Deployed(scores, mean=[0.5], std=[0.25])
    torch.testing.assert_close(one(pixels), scores((pixels - 0.5) / 0.25))


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.inference_mode])
def test_normalised_data_give_the_same_figures_when_told(network, data, suite, mode):
    def normalised(x):
        return network(x * 0.25 + 0.5)

    reference = evaluate(network, data, suite, progress=False)
    given = [((image - 0.5) / 0.25, label) for image, label in data]
    with mode():
        told = evaluate(normalised, given, suite, mean=[0.5], std=[0.25], progress=False)
    assert torch.equal(told.examples, reference.examples)
    for name, regime in reference.regimes.items():
        found = told.regimes[name]
        assert found.metrics["fooling_rate"] == regime.metrics["fooling_rate"]
        torch.testing.assert_close(found.outcome.size, regime.outcome.size, rtol=1e-3, atol=1e-6)
