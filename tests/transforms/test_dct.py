"""The cosine transform against SciPy's, and the order of its waves."""

import numpy as np
import pytest
import torch
from scipy.fft import dct, dctn

from robust_train.transforms.dct import dct_matrix, dct_vectors


@pytest.mark.parametrize("n", [1, 2, 7, 28])
def test_the_matrix_is_the_orthonormal_transform(n):
    x = np.random.default_rng(0).normal(size=n)
    np.testing.assert_allclose(dct_matrix(n).numpy() @ x, dct(x, norm="ortho"), atol=1e-12)
    torch.testing.assert_close(dct_matrix(n).T @ dct_matrix(n), torch.eye(n, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 4, 6), (5, 3), (7,)])
@pytest.mark.parametrize("high", [False, True])
def test_the_waves_are_an_orthonormal_basis_in_the_order_of_frequency(shape, high):
    count = int(np.prod(shape))
    vectors = dct_vectors(shape, count, high=high)
    flat = vectors.flatten(1)
    torch.testing.assert_close(flat @ flat.T, torch.eye(count, dtype=torch.float64))
    planes = vectors.view(count, -1, *(1, *shape)[-2:]).numpy()
    spectra = np.abs(dctn(planes, axes=(2, 3), norm="ortho")).sum(1)
    height, width = spectra.shape[1:]
    down, across = np.divmod(spectra.reshape(count, -1).argmax(1), width)
    frequency = np.hypot(down / height, across / width)
    np.testing.assert_allclose(spectra.reshape(count, -1).max(1), 1)  # a wave alone in one channel
    assert (np.diff(frequency) * (1 - 2 * high) >= -1e-12).all()


def test_the_lowest_wave_is_flat_and_the_highest_alternates():
    assert dct_vectors((1, 4, 4), 1).std() < 1e-12
    highest = dct_vectors((1, 4, 4), 1, high=True)[0, 0].sign()
    assert torch.equal(highest, torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64).repeat(2, 2))


def test_fewer_waves_are_the_first_of_more():
    few, more = (dct_vectors((3, 5, 4), count) for count in (7, 20))
    assert torch.equal(few, more[:7])
