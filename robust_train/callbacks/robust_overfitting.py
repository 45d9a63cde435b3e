"""An alarm for robustness that is learnt by heart."""

from robust_train.callbacks.alarm import Alarm, figure, keeping, where


class RobustOverfitting(Alarm):
    r"""Warn where the robust accuracy of the validation images falls while the training goes on to improve.

    It warns when the last few measurements all lie more than ``drop`` below the best one, and the training
    accuracy is higher than it was then. Adversarial training comes to it late, after its learning rate has
    dropped, and loses some points of robust accuracy by it.

    Args:
        regime: Name of the regime whose robust accuracy ``Robustness`` logs.
        drop: Fall below the best robust accuracy that counts, as a share. Differences between few images
            are noise: of 1,000, one of 3 %.
        patience: Number of measurements in a row that have to be so far below.
        train: Name under which the training accuracy is logged.

    Raises:
        ValueError: The drop is not between 0 and 1, or the patience less than 1.

    References:
        Overfitting in adversarially robust deep learning (Rice et al., 2020)

    Example:
        >>> from robust_train import PGD, Robustness
        >>> callbacks = [Robustness({"pgd": PGD(eps=0.1, steps=10)}), RobustOverfitting()]
    """

    def __init__(
        self, regime: str = "pgd", drop: float = 0.05, patience: int = 3, train: str = "train/accuracy"
    ) -> None:
        if not 0 < drop < 1 or patience < 1:
            raise ValueError(
                f"RobustOverfitting: drop must be between 0 and 1 and patience at least 1, not {drop} and "
                f"{patience}."
            )
        self.robust, self.train = figure(regime), train
        self.drop, self.patience = drop, patience
        super().__init__(self.robust, self.train)

    def sentence(self) -> str | None:
        now, best = self.history[-1], self.best(self.robust)
        fallen = all(e[self.robust] < best[self.robust] - self.drop for e in self.history[-self.patience :])
        if not fallen or now[self.train] <= best[self.train]:
            return None
        return (
            f"{self.robust} fell from {best[self.robust]:.1%} in {where(best)} to {now[self.robust]:.1%} in "
            f"{where(now)} while {self.train} rose, robust overfitting: use the weights of {where(best)}, "
            f"which {keeping(self.robust)} keeps, and train shorter or with averaged weights."
        )
