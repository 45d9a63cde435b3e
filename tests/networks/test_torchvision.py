import pytest
import torch
from torch import nn
from torchvision import models

from robust_train.networks import Normalize, Torchvision
from robust_train.networks.torchvision import normalisation


def test_it_is_the_network_of_torchvision_behind_a_normalisation():
    ours, theirs = Torchvision("resnet18", classes=5).eval(), models.resnet18(num_classes=5).eval()
    ours.network.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, 32, 32)
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    torch.testing.assert_close(ours(images), theirs((images - mean) / std))


def test_what_turns_its_input_with_weights_gets_it_turned_without():
    network = models.googlenet(num_classes=5, aux_logits=False, init_weights=False).eval()
    seen, images = [], torch.rand(2, 3, 32, 32)
    network.conv1.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    for turns in (False, True):  # the latter is what torchvision builds with weights
        network.transform_input = turns
        network(Normalize(*normalisation(network, "googlenet"))(images))
    torch.testing.assert_close(seen[0], seen[1])
    torch.testing.assert_close(seen[0], 2 * images - 1)


def test_the_normalisation_is_that_of_the_weights():
    assert normalisation(nn.Identity(), "efficientnet_v2_l") == ((0.5,) * 3, (0.5,) * 3)
    imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert normalisation(nn.Identity(), "ResNet") == normalisation(nn.Identity(), "resnet50") == imagenet
    given = Torchvision("squeezenet1_1", mean=[0.25], std=[0.5]).normalize
    assert (given.mean.tolist(), given.std.tolist()) == ([0.25] * 3, [0.5] * 3)


def test_auxiliary_logits_are_left_out():
    class Auxiliary(nn.Module):
        def forward(self, images):
            return models.GoogLeNetOutputs(images.mean((2, 3)), None, None)

    network = Torchvision("squeezenet1_1", classes=5)
    network.network = Auxiliary()
    assert network(torch.rand(2, 3, 8, 8)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "cure"), [("resnet81", r"did you mean resnet18\?"), ("?", r"list_models\(\) names")]
)
def test_unknown_names_are_refused_with_a_cure(name, cure):
    with pytest.raises(ValueError, match=rf"^torchvision has no classifier called .*: .*{cure}"):
        Torchvision(name)


def test_detectors_are_not_classifiers():
    with pytest.raises(ValueError, match="no classifier called fcos_resnet50_fpn"):
        Torchvision("fcos_resnet50_fpn")
