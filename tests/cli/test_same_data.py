import pytest

from robust_train.cli.same_data import check_same_data
from robust_train.errors import UsageError
from robust_train.recipe.names import CHECKPOINT


def recipes(*data):
    return {f"net{k}": {"data": node} if node else {} for k, node in enumerate(data)}


def folder(**fields):
    return {"class_path": "ImageFolder", "init_args": fields}


@pytest.mark.parametrize(
    "data",
    [
        ["Digits", {"class_path": "robust_train.data.Digits", "init_args": {"batch_size": 8, "seed": 3}}],
        ["MNIST", {"class_path": "MNIST", "init_args": {"download": True, "validation": 0.2}}],
        [folder(root="a", workers=2), None, folder(root="a", replays=3)],
        [None, None],
    ],
)
def test_what_only_says_how_to_load_and_train_makes_no_difference(data):
    check_same_data(recipes(*data), CHECKPOINT)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (["Digits", "MNIST"], "net0 and net1 .* data.class_path is robust_train.data.Digits in .*MNIST in"),
        ([folder(root="a"), None, folder(root="b")], "net0 and net2 .* data.root is a in the .* and b in"),
        ([folder(), folder(), folder(size=32)], "net1 and net2 .* data.size is not set in .* and 32 in"),
    ],
)
def test_other_images_are_refused(data, words):
    with pytest.raises(UsageError, match=words):
        check_same_data(recipes(*data), CHECKPOINT)
