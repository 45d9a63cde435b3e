"""The scattering transform: wavelets, moduli and averages, two layers deep."""

from collections.abc import Callable
from math import pi

import torch
from torch import Tensor, nn

_SIGMA, _XI = 0.8, 3 * pi / 4  # width of the envelope in pixels and frequency, at the finest scale
_FOLDS = 3  # periods of the frequency plane that are summed to each side


class Scattering(nn.Module):
    r"""Averages of an image and of the moduli of its wavelet transforms, which do not expand.

    .. math:: S_0 x = x * \phi_J, \qquad S_1 x = |x * \psi_{\lambda_1}| * \phi_J, \qquad
        S_2 x = ||x * \psi_{\lambda_1}| * \psi_{\lambda_2}| * \phi_J \quad (j_2 > j_1)

    With Morlet wavelets :math:`\psi_{j, \theta}` at J scales and L angles, made on the frequency plane of
    the image, which goes on beyond its border as itself. One factor makes them small enough that

    .. math:: |\hat\phi(\omega)|^2 + \tfrac12 \sum_{j, \theta}
        \big(|\hat\psi_{j, \theta}(\omega)|^2 + |\hat\psi_{j, \theta}(-\omega)|^2\big) \le 1,
        \qquad \text{so that} \qquad \|S x - S y\|_2 \le \|x - y\|_2

    Every ``stride``-th value along both axes is kept: fewer are no farther apart.

    Args:
        size: ``(H, W)`` of the images.
        scales: J; what moves by less than ``2 ** J`` pixels changes little.
        angles: L, over half a turn.
        stride: By default ``2 ** J``.

    Raises:
        ValueError: The average is wider than the images, or a number is not positive.

    References:
        Invariant scattering convolution networks (Bruna and Mallat, 2013)

    Example:
        >>> Scattering((8, 8), scales=2, angles=4)(torch.ones(1, 1, 8, 8)).shape  # 1 + 2 * 4 + 4 * 4
        torch.Size([1, 25, 2, 2])
    """

    phi: Tensor
    psi: Tensor

    def __init__(
        self, size: tuple[int, int], scales: int = 2, angles: int = 8, stride: int | None = None
    ) -> None:
        super().__init__()
        self.stride = 2**scales if stride is None else stride
        if not (scales > 0 and angles > 0 and self.stride > 0):
            raise ValueError("Scattering: scales, angles and stride must be positive.")
        if 2**scales > min(size):
            raise ValueError(
                f"Scattering: {scales} scales average over {2**scales} pixels, and the images have "
                f"{size[0]}x{size[1]}: give fewer scales."
            )
        phi, psi = _bank(size, scales, angles)
        self.register_buffer("phi", phi.float(), persistent=False)
        self.register_buffer("psi", psi.float(), persistent=False)

    @property
    def paths(self) -> int:
        """Averages of each channel."""
        scales, angles = self.psi.shape[:2]
        return 1 + scales * angles + scales * (scales - 1) // 2 * angles**2

    def lipschitz(self, bound: Callable[[nn.Module], float]) -> float:
        """By construction, in exact arithmetic."""
        return 1.0

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C * paths, H / stride, W / stride)``, channel by channel."""
        with torch.autocast(x.device.type, enabled=False):  # there are no waves in half precision
            x = x.to(torch.promote_types(x.dtype, torch.float32))[:, :, None]  # (N, C, 1, H, W)
            waves = torch.fft.fft2(x)
            found = [self._average(waves)]
            for j1, psi1 in enumerate(self.psi):
                u1 = torch.fft.fft2(_modulus(waves, psi1))  # (N, C, L, H, W)
                found.append(self._average(u1))
                for psi2 in self.psi[j1 + 1 :]:
                    u2 = _modulus(u1[:, :, :, None], psi2).flatten(2, 3)  # (N, C, L * L, H, W)
                    found.append(self._average(torch.fft.fft2(u2)))
            return torch.cat(found, 2).flatten(1, 2).to(self.phi)

    def _average(self, waves: Tensor) -> Tensor:
        average: Tensor = torch.fft.ifft2(waves * self.phi).real
        return average[..., :: self.stride, :: self.stride]


def _modulus(waves: Tensor, psi: Tensor) -> Tensor:
    filtered: Tensor = torch.fft.ifft2(waves * psi)
    return filtered.abs()


def _bank(size: tuple[int, int], scales: int, angles: int) -> tuple[Tensor, Tensor]:
    """``(H, W)`` average and ``(J, L, H, W)`` wavelets, real, at the frequencies of ``fft2``."""
    phi = _gabor(size, _SIGMA * 2 ** (scales - 1), 0.0, 0.0, 1.0)
    phi = phi / phi[0, 0]
    psi = torch.stack(
        [
            torch.stack([_morlet(size, 2.0**j, pi * k / angles, 4 / angles) for k in range(angles)])
            for j in range(scales)
        ]
    )
    energy = (psi.square() + _mirrored(psi).square()).sum((0, 1)) / 2
    # Where both are next to nothing, at the lowest frequency, their ratio is rounding.
    room = torch.where(energy > 1e-12, (1 - phi.square()).clamp_min(0) / energy, torch.inf)
    return phi, psi * room.min().sqrt()


def _morlet(size: tuple[int, int], scale: float, angle: float, slant: float) -> Tensor:
    """A wave under an envelope, less as much of the envelope as makes its mean zero."""
    gabor = _gabor(size, _SIGMA * scale, _XI / scale, angle, slant)
    envelope = _gabor(size, _SIGMA * scale, 0.0, angle, slant)
    psi = gabor - gabor[0, 0] / envelope[0, 0] * envelope
    psi[0, 0] = 0.0
    return psi


def _gabor(size: tuple[int, int], sigma: float, xi: float, angle: float, slant: float) -> Tensor:
    """The transform of a Gaussian, ``sigma / slant`` wide across the angle, times a wave along it."""
    folds = 2 * pi * torch.arange(-_FOLDS, _FOLDS + 1, dtype=torch.float64)
    down, right = (2 * pi * torch.fft.fftfreq(n, dtype=torch.float64) for n in size)
    v, u = (down[:, None] + folds)[:, :, None, None], (right[:, None] + folds)
    turn = torch.tensor(angle, dtype=torch.float64)
    along, across = turn.cos() * u + turn.sin() * v - xi, turn.cos() * v - turn.sin() * u
    return torch.exp(-(sigma**2) / 2 * (along.square() + (across / slant).square())).sum((1, 3))


def _mirrored(psi: Tensor) -> Tensor:
    """At the opposite frequencies."""
    return psi.flip(-2, -1).roll((1, 1), (-2, -1))
