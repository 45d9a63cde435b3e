import time

import torch
from jsonargparse import ArgumentParser

from robust_train.data import Digits, ImageData


def pixels(images):
    return torch.stack([image for image, _ in images])


def labels(images):
    return torch.tensor([label for _, label in images])


def test_every_digit_is_in_one_part():
    from sklearn.datasets import load_digits

    data = Digits()
    parts = [data.train_set, data.validation_set, data.test_set]
    assert [len(part) for part in parts] == [1212, 135, 450]
    images = torch.cat([pixels(part) for part in parts]).flatten(1)
    source = torch.from_numpy(load_digits().images).flatten(1).float() / 16
    key = 17.0 ** torch.arange(64, dtype=torch.float64) % 1_000_003
    assert torch.equal((16 * images.double() @ key).sort().values, (16 * source.double() @ key).sort().values)


def test_pixels_fill_the_unit_interval():
    images = pixels(Digits().test_set)
    assert (images.dtype, tuple(images.shape[1:])) == (torch.float32, Digits.shape)
    assert (images.min(), images.max()) == (0, 1)
    assert torch.equal(16 * images, (16 * images).round())


def test_classes_are_balanced():
    data = Digits()
    for part, even in ((data.train_set, 121), (data.validation_set, 13), (data.test_set, 45)):
        assert (labels(part).bincount(minlength=10) - even).abs().max() <= 3


def test_two_instances_agree():
    torch.manual_seed(1)
    one = Digits()
    one.setup("fit")
    torch.manual_seed(2)
    two = Digits(batch_size=7)
    assert one.train_set.indices == two.train_set.indices
    for part in ("train_set", "validation_set", "test_set"):
        assert torch.equal(pixels(getattr(one, part)), pixels(getattr(two, part)))


def test_the_seed_never_touches_the_test_part():
    one, two = Digits(seed=0), Digits(seed=1)
    assert torch.equal(pixels(one.test_set), pixels(two.test_set))
    assert one.validation_set.indices != two.validation_set.indices


def test_what_is_known_beforehand_is_known():
    data = Digits()
    assert (data.num_classes, data.shape) == (10, (1, 8, 8))
    assert data.classes == tuple("0123456789")


def test_it_is_ready_within_a_second():
    import sklearn.datasets  # noqa: F401

    start = time.perf_counter()
    Digits().setup("fit")
    assert time.perf_counter() - start < 1


def test_a_recipe_builds_it():
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(ImageData, "data")
    recipe = {"class_path": "Digits", "init_args": {"batch_size": 32, "validation": 0.2}}
    data = parser.instantiate(parser.parse_object({"data": recipe})).data
    assert (type(data), data.batch_size, data.validation) == (Digits, 32, 0.2)
