from robust_train.callbacks import *
from robust_train.classifier import *
from robust_train.data import *
from robust_train.defenses import *
from robust_train.evaluation import *
from robust_train.lipschitz import *
from robust_train.metrics import *
from robust_train.networks import *
from robust_train.objectives import *
from robust_train.perturbations import *
from robust_train.studies import *
from robust_train.transforms import *
from robust_train.types import *

__version__: str
