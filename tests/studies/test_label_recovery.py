"""Labels found back across spheres, where the side of the boundary is known."""

import pytest
import torch

from robust_train import PGD, CurvatureDetector, LabelRecovery, UniversalGradient, study
from tests.toy_networks import Ellipsoid, linear

DETECTOR = CurvatureDetector(h=0.01, perturbation=PGD(norm="l2", eps=0.5, steps=10))
ATTACK = PGD(norm="l2", eps=0.2, steps=10, drop=False)


def at(radius, count=20, d=5):
    """Points around the origin, at this distance from it."""
    v = torch.randn(count, d, dtype=torch.float64).abs()
    return radius * v / v.norm(dim=1, keepdim=True)


def ball():
    """Class 0 inside of a ball of radius 0.5, and a detector that takes inside for clean."""
    pair = DETECTOR.wrap(Ellipsoid([0.5] * 5)).eval()
    with torch.no_grad():
        DETECTOR.calibrate(pair, [], [(at(0.4), torch.zeros(20, dtype=torch.int64))])
    return pair


def asked(pair, data, **fields):
    return study(pair, data, {"asked": LabelRecovery(**fields)}, block=8, progress=False)["asked"]


def test_what_is_taken_out_of_the_ball_is_flagged_and_gets_its_label_back():
    data = [(x, 0) for x in at(0.4)] + [(x, 1) for x in at(0.4, count=3)]  # the last are wrong from the start
    found = asked(ball(), data, perturbations={"pgd": ATTACK, "nothing": PGD(eps=0.0)})
    pgd, nothing = found.figures[0].values
    assert [(one.value, one.n) for one in pgd] == [(1.0, 20), (1.0, 20)]
    assert [one.n for one in nothing] == [0, 0]
    assert found.settings == {"turned by pgd": 20, "turned by nothing": 0}
    assert found.summary == (
        "Of 20 images that pgd turns, 100.0% are flagged, and of these 100.0% have their own label across "
        "the boundary; nothing turns no image."
    )


def test_what_is_taken_into_the_ball_looks_clean():
    (row,) = asked(ball(), [(x, 1) for x in at(0.6)], perturbations={"pgd": ATTACK}).figures[0].values
    assert row[0].n == 20
    assert row[0].value <= 0.1


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match=r"^LabelRecovery: perturbations is empty"):
        LabelRecovery(perturbations={})
    with pytest.raises(ValueError, match=r"^LabelRecovery: UniversalGradient has to learn"):
        LabelRecovery(perturbations={"universal": UniversalGradient()})
    with pytest.raises(ValueError, match=r"^LabelRecovery: there are no images\.$"):
        LabelRecovery()(ball(), [], 0)
    for network in (DETECTOR.wrap(Ellipsoid([0.5] * 5)), linear((5,), 2)):
        with pytest.raises(ValueError, match=r"^LabelRecovery asks about a calibrated CurvatureDetector"):
            asked(network, [(x, 0) for x in at(0.4)])
