"""Somebody's network, seen as ours: images in pixel units to logits."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from robust_train.types import Network


class Deployed(nn.Module):
    """The network that is judged, exactly as it is deployed.

    Args:
        network: The network; a Lightning module serves as well.
        mean: Means of the normalisation that happens before the network, one a channel (a feature,
            where they are flat), or one for all.
        std: Standard deviations of that normalisation, likewise.
        logits: Key or position of the logits where the network returns a dictionary or a tuple.
        precision: Makes the context in which the network runs, such as a trainer's autocast.

    Raises:
        ValueError: Of mean and std only one is given, or a deviation is not positive; when called, the
            network returns no ``(N, K)`` logits.

    Example:
        >>> network = Deployed(lambda x: {"scores": x.flatten(1)}, logits="scores")
        >>> network(torch.rand(2, 1, 3, 1)).shape
        torch.Size([2, 3])
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: Network,
        *,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        logits: str | int | None = None,
        precision: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        super().__init__()
        check_normalisation(mean, std)
        self.network, self.key, self.precision = network, logits, precision
        # The loops of Lightning run under inference mode, whose tensors no gradient can pass through.
        with torch.inference_mode(False):
            self.register_buffer("mean", None if mean is None else torch.tensor(mean).view(-1, 1, 1))
            self.register_buffer("std", None if std is None else torch.tensor(std).view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if self.mean is not None:
            x = (x - _each_channel(self.mean, x)) / _each_channel(self.std, x)
        with self.precision():
            logits = self._logits(self.network(x.to(self._dtype(x))))
        if logits.ndim != 2 or len(logits) != len(x):
            raise ValueError(
                f"The network returned shape {tuple(logits.shape)} for {len(x)} inputs, not (N, classes) "
                "logits: flatten its output, or name the logits by logits=..."
            )
        return logits if logits.dtype == torch.float64 else logits.float()

    def pixels(self, x: Tensor) -> Tensor:
        """Undo the normalisation of a batch as the network's own data loader gives it.

        Raises:
            ValueError: The data have another number of channels than mean and std.
        """
        if self.mean is None:
            return x
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, *x.shape[1:2]):
                raise ValueError(
                    f"{name} has {len(values)} values for inputs of shape {tuple(x.shape[1:])}: give one for "
                    "each of their channels."
                )
        rounding = max(1e-4, torch.finfo(x.dtype).eps) if x.is_floating_point() else 0.0
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        x = x * _each_channel(self.std, x) + _each_channel(self.mean, x)
        # Rounding must not push black and white out of the box.
        inside = x.clamp(0, 1)
        return torch.where((x - inside).abs() < rounding, inside, x)

    def placed(self, device: str | torch.device | None) -> torch.device:
        """Move to a device, if one is given; where the parameters are."""
        if device is not None:
            self.to(device)
            return torch.device(device)
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def _dtype(self, x: Tensor) -> torch.dtype:
        """Of the weights: a search keeps its precision, only the call is cast."""
        return next((p.dtype for p in self.parameters() if p.is_floating_point()), x.dtype)

    def _logits(self, output: Any) -> Tensor:
        logits = output if self.key is None else _entry(output, self.key)
        if not isinstance(logits, Tensor):
            has = f" with {', '.join(map(str, output))}" if isinstance(output, dict) else ""
            where = "" if self.key is None else f" at {self.key!r}"
            cure = "leave logits out" if isinstance(output, Tensor) else "name them by logits=..."
            raise ValueError(
                f"The network returned a {type(output).__name__}{has}, not logits{where}: {cure}"
            )
        return logits


def check_normalisation(mean: Sequence[float] | float | None, std: Sequence[float] | float | None) -> None:
    """Refuse one of the two without the other, and deviations that cannot be divided by.

    Example:
        >>> check_normalisation(0.13, 0.0)
        Traceback (most recent call last):
        ValueError: Normalisation needs a positive std, not 0.0.
    """
    if (mean is None) != (std is None):
        raise ValueError("Normalisation needs both mean and std: give the other one too.")
    if std is not None and not bool((torch.tensor(std) > 0).all()):
        raise ValueError(f"Normalisation needs a positive std, not {std}.")


def _each_channel(values: Tensor, x: Tensor) -> Tensor:
    """One value for each channel of ``(N, C, H, W)`` images, or for each of ``(N, D)`` features."""
    return values.to(x).view(-1, *(1,) * (x.ndim - 2))


def _entry(output: Any, key: str | int) -> Any:
    if isinstance(output, Tensor):  # whose entries are rows
        return None
    try:
        return output[key]
    except (KeyError, IndexError, TypeError):
        return None
