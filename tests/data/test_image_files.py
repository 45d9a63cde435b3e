import numpy as np
import pytest
import torch
from PIL import Image

from robust_train.data.image_files import ImageFiles


def files_of(folder, *images):
    files = [folder / f"{i}.png" for i in range(len(images))]
    for file, image in zip(files, images, strict=True):
        image.save(file)
    return files


def load(files, resize=8, size=8):
    return ImageFiles(files, torch.arange(len(files)), resize, size)


def test_pixels_are_shares_of_white(tmp_path):
    image = Image.new("RGB", (8, 8), (255, 0, 51))
    pixels, label = load(files_of(tmp_path, image))[0]
    assert (pixels.dtype, label) == (torch.float32, 0)
    assert torch.equal(pixels, torch.tensor([1.0, 0.0, 0.2]).view(3, 1, 1).expand(3, 8, 8))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_every_mode_becomes_three_channels(mode, tmp_path):
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new("RGB", (9, 7), "white").convert(mode).save(tmp_path / f"white.{suffix}")
    assert torch.equal(load([tmp_path / f"white.{suffix}"])[0][0], torch.ones(3, 8, 8))


@pytest.mark.parametrize("name", ["ramp.png", "ramp.tif", "ramp.pgm"])
def test_16_bits_of_grey_become_8(name, tmp_path):
    ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / name)
    pixels, _ = load([tmp_path / name], resize=16, size=16)[0]
    expected = torch.arange(256).view(1, 16, 16).expand(3, 16, 16) / 255
    assert torch.equal(pixels, expected)


def test_16_bits_of_grey_are_rounded(tmp_path):
    greys = np.array([[128, 129], [256, 65406]], np.uint16)  # 1/2 is 128.5
    Image.fromarray(greys).save(tmp_path / "greys.png")
    pixels, _ = load([tmp_path / "greys.png"], resize=2, size=2)[0]
    assert (pixels[0] * 255).tolist() == [[0, 1], [1, 254]]


def test_the_middle_of_the_longer_side_is_kept(tmp_path):
    image = Image.new("RGB", (24, 8))
    image.paste("white", (8, 0, 16, 8))
    for oriented in (image, image.transpose(Image.Transpose.ROTATE_90)):
        assert torch.equal(load(files_of(tmp_path, oriented))[0][0], torch.ones(3, 8, 8))


def test_the_shorter_side_is_resized_before(tmp_path):
    image = Image.new("RGB", (40, 20))
    image.paste("white", (15, 5, 25, 15))
    files = files_of(tmp_path, image)
    assert load(files, resize=20, size=10)[0][0].min() == 1
    assert load(files, resize=10, size=10)[0][0].mean() < 0.5


@pytest.mark.parametrize("kept", [0, 30, 200])
def test_an_undecodable_file_is_named(kept, tmp_path):
    (file,) = files_of(tmp_path, Image.effect_noise((32, 32), 50))
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=f"^{file} cannot be read as an image: mend or remove it.$"):
        load([file])[0]


def test_floating_point_pixels_are_refused(tmp_path):
    """Those in [0, 1] would be black."""
    file = tmp_path / "grey.tif"
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(file)
    with pytest.raises(ValueError, match=f"^{file} cannot be read as an image: mend or remove it.$"):
        load([file])[0]
