"""An alarm for training that learns to withstand single steps alone."""

from robust_train.callbacks.alarm import Alarm, figure, keeping, where


class CatastrophicOverfitting(Alarm):
    r"""Warn where single steps find far less than several: the sign of catastrophic overfitting.

    .. math:: A_{\text{single}} - A_{\text{multi}} > \text{gap}

    with A the robust accuracies that ``Robustness`` logs on the same validation images. It befalls
    single-step training within a few epochs: the loss is bent so that one step of the gradient goes
    astray, and attacks of several steps find nearly all images.

    Args:
        single: Name of the regime of one step, such as ``FGSM``.
        multi: Name of the regime of several, with the same norm and eps.
        gap: Difference of the accuracies from which it is called so. Sound networks differ by some points.

    Raises:
        ValueError: The gap is not between 0 and 1.

    References:
        Fast is better than free: revisiting adversarial training (Wong et al., 2020)

    Example:
        >>> from robust_train import FGSM, PGD, Robustness
        >>> regimes = {"fgsm": FGSM(eps=0.1), "pgd": PGD(eps=0.1, steps=10)}
        >>> callbacks = [Robustness(regimes), CatastrophicOverfitting()]
    """

    def __init__(self, single: str = "fgsm", multi: str = "pgd", gap: float = 0.25) -> None:
        if not 0 < gap < 1:
            raise ValueError(f"CatastrophicOverfitting: gap must be between 0 and 1, not {gap}.")
        self.single, self.multi, self.gap = figure(single), figure(multi), gap
        super().__init__(self.multi, self.single)

    def sentence(self) -> str | None:
        now, best = self.history[-1], self.best(self.multi)
        if not now[self.single] - now[self.multi] > self.gap:
            return None
        return (
            f"{self.single} is {now[self.single]:.1%} in {where(now)} but {self.multi} only "
            f"{now[self.multi]:.1%}, catastrophic overfitting: train with NFGSM or more steps, and use the "
            f"weights of {where(best)}, with {best[self.multi]:.1%}, which {keeping(self.multi)} keeps."
        )
