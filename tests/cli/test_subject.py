import pytest

from robust_train.cli.options import parse_options
from robust_train.cli.subject import find_subject
from robust_train.recipe.names import CHECKPOINT

GOOGLENET = ["--network", "googlenet", "--network.init_weights=false", "--network.aux_logits=false"]


@pytest.mark.parametrize(
    ("words", "mean", "std"),
    [
        ([], [0.5] * 3, [0.5] * 3),
        (["--network.transform_input=true"], [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        (["--mean=0,0,0", "--std=1,1,1"], [0.0] * 3, [1.0] * 3),
    ],
)
def test_a_network_of_torchvision_is_normalised_as_its_weights_expect(words, mean, std, capsys):
    argv = [*GOOGLENET, "--random-weights", "--data", "ImageFolder", *words]
    subject = find_subject(*parse_options(argv), CHECKPOINT)
    assert subject.network[0].mean.tolist() == pytest.approx(mean)
    assert subject.network[0].std.tolist() == pytest.approx(std)
    assert (subject.recipe["mean"], subject.recipe["std"]) == (mean, std)
    spelt = ",".join(f"{value:g}" for value in mean)
    assert capsys.readouterr().out.startswith(f"Pixels are normalised by mean {spelt}, std ")
