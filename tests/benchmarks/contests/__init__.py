"""All contests, a file for each algorithm or family."""

from . import apgd, autoattack, ddn, deepfool, fmn, pgd, poses, sigma_zero, super_deepfool

_FILES = (pgd, apgd, autoattack, deepfool, super_deepfool, ddn, fmn, sigma_zero, poses)
CONTESTS = [contest for file in _FILES for contest in file.CONTESTS]
