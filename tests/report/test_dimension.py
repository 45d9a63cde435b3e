"""The curve of sizes against dimensions."""

import math

from robust_train.report.dimension import _sweeps, dimension_curve, swept
from robust_train.report.figures import accuracy_curve

from .conftest import collect, outcome, regime
from .test_figures import panels, words

FOUND = outcome([0] * 9, [0] * 9, [1] * 9, [0.5] * 9)


def semirandom(m, size, basis="random"):
    found = outcome([0] * 9, [0] * 9, [1] * 9, [size] * 9)
    name = f"{basis}_{m}"
    return regime(name, found, minimal=True, norm="l2", kind="Semirandom", dimension=m, basis=basis)


def test_a_line_for_each_kind_of_subspace():
    sweep = [semirandom(16, 0.5), semirandom(4, 1.0), semirandom(4, 0.9, "low_frequency")]
    drawn = dimension_curve(collect(*sweep, semirandom(8, 0.7, "low_frequency")))
    assert len(panels(drawn)) == 1
    assert {"random", "low frequency", "as 1/\u221am"} <= set(words(drawn))
    points = _sweeps(collect(*sweep).regimes)
    assert [(m, e.value) for m, e in points["random"].values()] == [(4, 1.0), (16, 0.5)]
    assert list(points) == ["random"]  # one point makes no sweep


def test_a_sweep_does_not_crowd_the_other_figures():
    lone = semirandom(8, 0.7, "low_frequency")
    drawn = collect(semirandom(16, 0.5), semirandom(4, 1.0), lone)
    assert swept(drawn) == {"random_16", "random_4"}
    assert "random_16" not in accuracy_curve(drawn)
    assert "low_frequency_8" in accuracy_curve(drawn)


def test_what_no_sweep_draws_stays_in_the_other_figures():
    lost = [semirandom(m, math.inf) for m in (1, 4)]
    drawn = collect(*lost, semirandom(8, 1.0), semirandom(16, 0.5))
    assert swept(drawn) == {"random_8", "random_16"}
    assert {"random_1", "random_4"} <= set(words(accuracy_curve(drawn)))
    found = outcome([0] * 9, [0] * 9, [1] * 9, [0.1] * 9)
    universal = [
        regime(f"universal_{m}", found, eps=0.1, kind="UniversalSingular", dimension=m) for m in (1, 9)
    ]
    assert swept(collect(*universal)) == set()
    assert {"universal_1", "universal_9"} <= set(words(accuracy_curve(collect(*universal))))


def test_sizes_within_a_decade_are_labelled_in_plain_numbers():
    drawn = words(dimension_curve(collect(semirandom(16, 0.5), semirandom(4, 1.0))))
    assert {"0.5", "1"} <= set(drawn)
    assert not any("10" in word for word in drawn if word != "10")  # no power of ten


def test_given_subspaces_are_named_so():
    given = {"kind": "Subspace", "vectors": "tensor([[1., 0.]])"}
    drawn = dimension_curve(
        collect(*(regime(f"of_{m}", FOUND, minimal=True, basis=given, dimension=m) for m in (1, 4)))
    )
    assert "Subspace" in words(drawn)
    assert not any("tensor" in word for word in words(drawn))


def test_without_a_sweep_there_is_no_figure(results):
    assert dimension_curve(results) == ""
    lost = [semirandom(1, math.inf), semirandom(4, 1.0)]
    assert dimension_curve(collect(*lost)) == ""
