"""All contests, a file for each algorithm or family."""

from . import (
    apgd,
    autoattack,
    carlini_wagner,
    ddn,
    deepfool,
    fab,
    fmn,
    hundred_passes,
    pgd,
    poses,
    sigma_zero,
    super_deepfool,
    universal,
)

_FILES = (
    pgd,
    apgd,
    autoattack,
    deepfool,
    super_deepfool,
    ddn,
    hundred_passes,
    carlini_wagner,
    fab,
    fmn,
    sigma_zero,
    poses,
    universal,
)
CONTESTS = [contest for file in _FILES for contest in file.CONTESTS]
