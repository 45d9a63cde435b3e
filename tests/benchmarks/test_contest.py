"""How a contest is set up for its kind of question."""

import torch

from .contest import Contest, lessons, measure
from .implementations import OURS
from .table import rows


def _network():
    """Two classes, parted where the only pixel is 1/2."""
    network = torch.nn.Linear(1, 2)
    network.weight.data, network.bias.data = torch.tensor([[-1.0], [1.0]]), torch.tensor([0.5, -0.5])
    return network


def test_what_learns_is_judged_on_the_other_images_by_their_predicted_labels():
    seen = []

    def attack(network, x, y, rng):
        seen.append((len(x), lessons(len(x)), y.tolist()))
        found = x.clone()
        found[: lessons(len(x))] = 1 - x[: lessons(len(x))]  # not judged
        found[-2:] = 1 - x[-2:]
        network(x[: lessons(len(x))])
        return found

    x = torch.tensor([0.1, 0.9]).repeat(10)[:, None]
    wrong = (x[:, 0] < 0.5).long()
    contest = Contest("title", "linf", lambda: {OURS: attack}, {}, eps=1.0, learns=True)
    measured = measure(contest, "standard", _network(), x, wrong, turns=2)
    assert seen[1:] == [(20, 2, (1 - wrong).tolist())] * 2  # in one batch
    assert (measured.images, measured.learnt, measured.paid) == (18, 2, 2)
    assert measured.laps[OURS].standing == 16
    assert measured.laps[OURS].passes == 2
    assert "| 88.9% |  | 0.0% | 1.0 | 0.0 |" in rows(measured)


def test_a_minimal_contest_asks_for_what_the_network_gets_right():
    x = torch.tensor([[0.1], [0.9], [0.2]])
    contest = Contest("title", "l2", lambda: {OURS: lambda f, x, y, rng: 1 - x}, {})
    measured = measure(contest, "standard", _network(), x, torch.tensor([0, 0, 0]), turns=1)
    assert (measured.images, measured.learnt, measured.paid) == (2, 0, 2)
    assert measured.laps[OURS].standing == 0
