"""Hyper-parameters that change in the course of the training."""

from dataclasses import dataclass

from robust_train.checks import check_positive


@dataclass(frozen=True)
class Ramp:
    """Linear from ``start`` to ``end`` while the progress goes from ``begin`` to ``until``.

    Args:
        start: Value up to ``begin``.
        end: Value from ``until`` on.
        begin: Progress in [0, 1] at which the value begins to move.
        until: Progress in [0, 1], not before ``begin``.

    Raises:
        ValueError: The progress marks are out of order or outside of [0, 1].

    Example:
        >>> ramp = Ramp(0.0, 0.3, until=0.5)
        >>> ramp(0.25), ramp(0.9)
        (0.15, 0.3)
    """

    start: float
    end: float
    begin: float = 0.0
    until: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.begin <= self.until <= 1:
            raise ValueError(f"Ramp: begin {self.begin} and until {self.until} must rise within [0, 1].")

    def __call__(self, progress: float) -> float:
        if progress >= self.until:
            return self.end
        if progress <= self.begin:
            return self.start
        return self.start + (self.end - self.start) * (progress - self.begin) / (self.until - self.begin)


def at(value: float | Ramp, progress: float) -> float:
    """A hyper-parameter at this share of the training, whether it changes or not.

    Example:
        >>> at(0.3, 0.5), at(Ramp(0.0, 0.3), 0.5)
        (0.3, 0.15)
    """
    return value(progress) if isinstance(value, Ramp) else value


def check_schedule(defense: object, *names: str, zero: bool = False) -> None:
    """Refuse a hyper-parameter that is negative at some time or, without ``zero``, is 0 at all times.

    Raises:
        ValueError: The number, or an end of its ramp, has no meaning.

    Example:
        >>> from robust_train.defenses.gradient_penalty import GradientPenalty
        >>> GradientPenalty(weight=-1.0)
        Traceback (most recent call last):
        ValueError: GradientPenalty: weight must be at least 0, not -1.0.
    """
    for name in names:
        value = getattr(defense, name)
        if not isinstance(value, Ramp):
            check_positive(defense, name, zero=zero)
        elif not (value.start >= 0 and value.end >= 0 and (zero or value.start + value.end > 0)):
            bound = "at least 0" if zero else "positive"
            raise ValueError(f"{type(defense).__name__}: {name} must be {bound}, not {value}.")


def check_budget(defense: object, eps: float | Ramp, norm: str = "linf") -> None:
    """Refuse a budget in linf that is more than the whole range of pixels: it is not in pixel units.

    Raises:
        ValueError: The number, or an end of its ramp, is.

    Example:
        >>> from robust_train.defenses.n_fgsm import NFGSM
        >>> NFGSM(eps=8)
        Traceback (most recent call last):
        ValueError: NFGSM: eps 8 is more than the whole range of pixels [0, 1]: give eps in pixel units...
    """
    most = max(ends(eps))
    if norm == "linf" and most > 1:
        raise ValueError(
            f"{type(defense).__name__}: eps {most:g} is more than the whole range of pixels [0, 1]: give eps "
            f"in pixel units, such as {most:g}/255."
        )


def ends(value: float | Ramp) -> tuple[float, ...]:
    """What a hyper-parameter starts and ends with, or its only value: between them lie all that it takes.

    Example:
        >>> ends(0.3), ends(Ramp(0.0, 0.5))
        ((0.3,), (0.0, 0.5))
    """
    return (value.start, value.end) if isinstance(value, Ramp) else (value,)
