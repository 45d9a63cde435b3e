import pytest

from robust_train.cli.overrides import Overrides, merge
from robust_train.cli.sections import read_training
from robust_train.errors import UserError
from robust_train.recipe.names import RECIPE


@pytest.fixture
def check(recipe):
    return lambda *words: Overrides(words, [read_training(recipe, RECIPE)], RECIPE).check()


@pytest.mark.parametrize(
    "words",
    [
        ["--model.network.width=8"],
        ["--model.network.width", "8", "--trainer.fast_dev_run"],
        ["--model.network.init_args.width=8"],
        ["--model.network=SmallCNN", "--model.network.batch_norm=true"],
        ["--model.network=torchvision.models.resnet18", "--model.network.num_classes=10"],
        ["--data=CIFAR10", "--data.download=true"],
        ["--data.batch_size=8"],
        ["--robustness.regimes.pgd.steps=8"],
        ["--robustness.regimes={fgsm: FGSM}"],
        ["--robustness.regimes.new=FGSM"],
        ["--model.defenses+=Augmentation"],
        ["--model.scheduler=null"],
        ["--trainer.callbacks=null"],
        ["--trainer.devices=[0, 1]"],
        ["--out=x", "--unknown"],
    ],
)
def test_right_options_pass(check, words):
    check(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--model.network.widht=8"],
            "model.network.widht: SmallCNN has no field widht. Did you mean",
        ),
        (["--model.network=LeNet", "--model.network.width=8"], "LeNet has no field width"),
        (["--data=CIFAR10", "--data.downlod=true"], "Did you mean download?"),
        (["--robustness.regimes.pdg.steps=8"], "robustness.regimes has no pdg. Did you mean pgd?"),
        (["--robustness.regimes.pgd=SmallCNN"], "SmallCNN is no Perturbation"),
        (["--trainer.max_epochs=many"], "trainer.max_epochs must be a whole number or null, not 'many'."),
        (["--model.network=os.system"], "--allow-code os"),
    ],
)
def test_wrong_options_are_told(check, words, message):
    with pytest.raises(UserError) as caught:
        check(*words)
    assert message in str(caught.value)


def test_merging_replaces_classes_and_suites():
    a = {"n": {"class_path": "A", "init_args": {"x": 1}}, "r": {"regimes": {"p": 1}, "seed": 1}}
    b = {"n": {"class_path": "B"}, "r": {"regimes": {"q": 2}}}
    assert merge(a, b) == {"n": {"class_path": "B"}, "r": {"regimes": {"q": 2}, "seed": 1}}
    assert merge(a, {"n": {"init_args": {"x": 2}}})["n"] == {"class_path": "A", "init_args": {"x": 2}}
