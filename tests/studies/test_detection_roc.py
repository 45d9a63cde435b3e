"""True and false positives against counts by hand, and the whole study on a detector that is known."""

import pytest
import torch

from robust_train import FGSM, PGD, DetectionROC, Static, UniversalGradient, study
from tests.attacking.test_rejection import grey
from tests.toy_networks import Flagging, linear


def brightness():
    """Brighter than 0.5 is class 1, and brighter than 0.6 flagged."""
    network = linear((1, 2, 2), 2)
    network[1].weight.data = torch.tensor([[-1.0] * 4, [1.0] * 4], dtype=torch.float64)
    network[1].bias.data = torch.tensor([2.0, -2.0], dtype=torch.float64)
    return Flagging(network, level=0.6).eval()


def test_the_attack_that_knows_of_the_detector_passes_it():
    data = [(image, 0) for image in grey(0.45, 0.44, 0.43, 0.42, 0.1)]
    attack = PGD(eps=0.18, drop=False)
    asked = DetectionROC(perturbations={"static": Static(perturbation=attack), "adaptive": PGD(eps=0.18)})
    found = study(brightness(), data, {"roc": asked}, progress=False)["roc"]
    curves, table = found.figures
    static, adaptive = table.values
    assert (static[0].value, static[1].value, static[1].n) == (1.0, 0.75, 4)  # the last is never wrong
    assert (adaptive[1].value, adaptive[2].value) == (0.0, 0.8)
    assert list(curves.series) == ["static, AUC 1.00", "adaptive", "chance"]
    assert curves.series["adaptive"][-1][1] == adaptive[1]  # which ends at the detector's own threshold
    assert curves.series["chance"][0][0] == 0.0
    assert found.settings["right beneath the flag"] == 5
    assert "flags 0.0% (0.0% to 43.4%, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}5) of the clean" in found.summary
    assert "static 75.0%" in found.summary


def test_an_attack_that_deceives_on_nothing_has_no_curve():
    data = [(image, 0) for image in grey(0.45, 0.44)]
    asked = DetectionROC(perturbations={"none": FGSM(eps=0.0)})
    found = study(brightness(), data, {"roc": asked}, progress=False)["roc"]
    assert list(found.figures[0].series) == ["chance"]
    assert found.summary.endswith("that deceive the classifier: none 0, as it deceives on no image.")


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match=r"^DetectionROC: give at least one perturbation, and none that has"):
        DetectionROC(perturbations={})
    with pytest.raises(ValueError, match=r"^DetectionROC: give at least one perturbation, and none that has"):
        DetectionROC(perturbations={"universal": UniversalGradient()})
    asked = {"roc": DetectionROC(perturbations={"pgd": PGD()})}
    with pytest.raises(ValueError, match=r"^DetectionROC asks about a network that flags inputs: this one"):
        study(brightness().network, [(grey(0.1)[0], 0)], asked, progress=False)
    with pytest.raises(ValueError, match=r"^DetectionROC: there are no images"):
        asked["roc"](brightness(), [], 0)
