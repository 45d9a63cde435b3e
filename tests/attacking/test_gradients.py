"""Input gradients and their count."""

import torch
from torch import nn

from robust_train.attacking.gradients import Counted, backward, input_gradient
from tests.toy_networks import Constant, convolutional, linear


def first(logits):
    return logits[:, 0]


def test_logits_scores_and_gradients_come_from_one_pass():
    network, x = Counted(linear((2, 3), 4)), torch.rand(5, 2, 3, dtype=torch.float64)
    logits, values, gradient = input_gradient(network, x, first)
    assert torch.equal(logits, network.network(x))
    assert torch.equal(values, logits[:, 0])
    weight = network.network[-1].weight[0]
    torch.testing.assert_close(gradient, weight.detach().view(2, 3).expand(5, 2, 3))
    assert (network.forwards, network.backwards) == (5, 5)
    assert not any(t.requires_grad for t in (logits, values, gradient, x))


def test_a_sample_s_gradient_does_not_depend_on_its_batch():
    network, x = convolutional(dtype=torch.float64), torch.rand(6, 1, 8, 8, dtype=torch.float64)
    together = input_gradient(network, x, first).gradient
    for row in range(6):
        alone = input_gradient(network, x[row : row + 1], first).gradient
        torch.testing.assert_close(alone, together[row : row + 1])


def test_parameters_get_no_gradient():
    network = linear((3,), 2)
    input_gradient(network, torch.rand(2, 3, dtype=torch.float64), first)
    assert all(p.grad is None for p in network.parameters())


def test_a_gradient_that_is_the_same_number_everywhere_is_one_too():
    """Of a plain sum, all components lie in one place of the memory."""
    x = torch.rand(2, 3)
    found = input_gradient(lambda x: 2 * x.sum(1, keepdim=True), x, first)
    assert torch.equal(found.gradient, torch.full((2, 3), 2.0))


def test_where_there_is_no_gradient_it_is_zero():
    x = torch.rand(2, 3)
    assert torch.equal(input_gradient(Constant([0.0, 1.0]), x, first).gradient, torch.zeros(2, 3))
    assert torch.equal(input_gradient(lambda x: x.round().detach(), x, first).gradient, torch.zeros(2, 3))
    other = torch.ones(2, requires_grad=True)
    assert torch.equal(backward(other, x.requires_grad_()), torch.zeros(2, 3))


def test_what_is_not_finite_is_zero():
    x = torch.tensor([[0.0, 4.0], [1.0, 1.0]])
    gradient = input_gradient(torch.sqrt, x, lambda z: z.sum(1)).gradient
    assert gradient.tolist() == [[0.0, 0.25], [0.5, 0.5]]


def test_samples_are_counted_forwards_and_backwards():
    network = Counted(linear((3,), 4))
    x = torch.rand(7, 3, dtype=torch.float64)
    network(x)
    assert (network.forwards, network.backwards) == (7, 0)
    with torch.no_grad():
        network(x.requires_grad_())
    assert (network.forwards, network.backwards) == (14, 0)
    logits = network(x)
    backward(logits[:, 0], x, retain_graph=True)
    backward(logits[:, 1], x)
    assert (network.forwards, network.backwards) == (21, 14)
    assert list(network.parameters()) == list(network.network.parameters())


def test_any_callable_can_be_counted():
    counted = Counted(nn.functional.relu)
    input_gradient(counted, torch.ones(3, 2), first)
    assert (counted.forwards, counted.backwards) == (3, 3)
