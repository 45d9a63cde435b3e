import torch

from .scoring import score


def test_what_stands_what_is_outside_and_how_far_the_rest_went():
    x = torch.tensor([[0.5], [0.5], [0.5], [1.0]])
    found = torch.tensor([[0.5], [0.75], [0.5 + 2**-20], [1.5]])
    network = torch.nn.Identity()
    judged = score(
        lambda x: torch.cat([network(x), 0.7 - 0 * x], 1), x, torch.tensor([1, 1, 1, 0]), found, "l2", 0.25
    )
    # The first and third keep label 1, the last keeps label 0 and leaves the ball and the box.
    assert (judged.standing, judged.outside) == (3, 1)
    assert judged.size == float("inf")


def test_rounding_outside_of_the_ball_is_seen():
    x = torch.full((1, 4), 0.3)
    found = torch.nextafter(x + 0.1, torch.ones(()))
    assert score(torch.nn.Identity(), x, torch.tensor([0]), found, "linf", 0.1).outside == 1
