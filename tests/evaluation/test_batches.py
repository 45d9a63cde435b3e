import pytest
import torch
from PIL import Image

from robust_train.evaluation.batches import unpack

X, Y = torch.rand(2, 1, 4, 4), torch.tensor([1, 0])


@pytest.mark.parametrize(
    "batch",
    [
        (X, Y),
        [X, Y],
        (X, Y, {"path": ["a", "b"]}, torch.tensor([3, 4])),
        {"image": X, "label": Y},
        {"pixel_values": X, "labels": Y, "id": torch.tensor([5, 6])},
        {"x": X, "y": Y.to(torch.int32)},
        (X, Y.double()),
        (X, Y.bool()),
    ],
)
def test_the_usual_batches_are_understood(batch):
    inputs, labels = unpack(batch)
    assert torch.equal(inputs, X)
    assert torch.equal(labels, Y)
    assert labels.dtype == torch.int64


def test_unusual_names_are_given():
    inputs, labels = unpack({"views": X, "species": Y, "label": -Y}, keys=("views", "species"))
    assert torch.equal(inputs, X)
    assert torch.equal(labels, Y)


def test_the_batch_itself_is_not_handed_on():
    inputs, labels = unpack((X, Y))
    inputs.zero_(), labels.zero_()
    assert X.any()
    assert Y.any()


@pytest.mark.parametrize(
    ("batch", "keys", "sentence"),
    [
        ({"views": X, "species": Y}, None, "batch that is a dictionary of views, species: make it"),
        (
            {"image": X, "label": Y},
            ("image", "lable"),
            "a dictionary of image, label: .* name the two by keys",
        ),
        ({"image": X, "label": ["cat", "dog"]}, None, "a dictionary of image, label"),
        ((X,), None, "a batch that is a tuple of Tensor: make it"),
        (X, None, "a batch that is one Tensor: make it"),
        ((X, Y + 0.9), None, r"^Labels are torch.float32 of shape \(2,\) for 2 inputs: give each the number"),
        ((X, Y[:, None]), None, r"of shape \(2, 1\) for 2 inputs"),
        ((X, Y / 0), None, "^Labels are torch.float32"),
        (([Image.new("L", (4, 4))], Y), None, r"tuple of list, Tensor: .* by the transform ToTensor\("),
    ],
)
def test_other_batches_are_refused_in_a_sentence(batch, keys, sentence):
    with pytest.raises(ValueError, match=sentence):
        unpack(batch, keys)
