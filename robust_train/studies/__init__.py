"""Studies: what is no perturbation of one image by one network, built from the same parts."""

from robust_train.studies.transfer import Transfer, transfer

__all__ = ["Transfer", "transfer"]
