"""The harness runs, counts and compares; how fast anybody is depends on the machine and is not tested."""

import pytest
import torch

from robust_train.data import FashionMNIST
from robust_train.networks import SmallCNN

from .__main__ import first
from .contest import claims, measure
from .contests import CONTESTS
from .implementations import INSTALL, OURS, PEERS, WHOLE, missing
from .race import BATCH
from .table import HEAD, rows, setting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"no {', '.join(missing())}: {INSTALL}"),
    pytest.mark.filterwarnings("ignore"),  # the peers' own
]


@pytest.fixture(scope="module")
def measured(data_root):
    x, y = first(FashionMNIST(root=data_root).test_set, 64)
    network = _learned(x, y)
    return [measure(contest, "standard", network, x, y, turns=1) for contest in CONTESTS]


def test_the_cost_of_pgd_is_that_of_its_steps(measured):
    for one in measured[:2]:
        for name, laps in one.laps.items():
            (lap,) = laps.laps
            checks = {OURS: None, WHOLE: 0, "foolbox": 1}.get(name, 0)
            if checks is not None:
                assert (lap.forwards, lap.backwards) == ((40 + checks) * 64, 40 * 64), name
    assert "adv-lib" in measured[0].laps
    assert "adv-lib" not in measured[1].laps


def test_dropping_only_spares(measured):
    for one in measured[:2]:
        assert one.laps[OURS].passes <= one.laps[WHOLE].passes + 2 * 64
        assert one.laps[OURS].standing <= one.laps[WHOLE].standing


def test_all_answer_the_same_question(measured):
    for one in measured:
        for name in {OURS, *PEERS} & one.laps.keys():
            (lap,) = one.laps[name].laps
            assert 0 <= lap.score.standing <= one.images
            assert lap.cpu > 0
        assert one.laps[OURS](lambda lap: lap.score.outside) == 0


def test_ours_finds_every_minimal_perturbation(measured):
    assert measured[2].laps[OURS].standing == 0
    assert measured[2].laps[OURS](lambda lap: lap.score.size) < float("inf")


def test_a_row_for_each_and_a_verdict_for_each_promise(measured):
    for one in measured:
        assert [line.count("|") for line in rows(one).splitlines()] == [HEAD.count("|") // 2] * len(one.laps)
    assert f"{BATCH} at a time" in setting(64, 1)
    verdicts = [str(claim) for one in measured for claim in claims(one)]
    assert len(verdicts) == sum(len(contest.promises["standard"]) for contest in CONTESTS)
    assert all(verdict.startswith(("- PASS: ", "- FALLS SHORT: ")) for verdict in verdicts)


def _learned(x, y):
    """A network that knows these few images."""
    network = SmallCNN(width=8)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    return network.eval()
