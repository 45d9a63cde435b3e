import pytest

from robust_train.cli.sections import read_training
from robust_train.errors import UserError
from robust_train.recipe.names import RECIPE


def read(text, place):
    (place / "a.yaml").write_text(text)
    return read_training("a.yaml", RECIPE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle: {}", "a.yaml: A recipe has no section modle. Did you mean model?"),
        ("spam: {}", "Its sections are model, trainer, robustness, data"),
        ("model: [1]", "a.yaml: model must be the fields of RobustClassifier"),
        ("data: SmallCNN", "a.yaml: data: SmallCNN is no ImageData."),
        ("seed_everything: soon", "seed_everything must be"),
        ("weights_only: false", "never allowed"),
        ("trainer: {logger: {class_path: WandbLogger, init_args: {token: x}}}", "looks like a secret"),
        ("trainer: {callbacks: [{class_path: ModelCheckpoint, init_arg: {}}]}", "Did you mean init_args?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(place, text, message):
    with pytest.raises(UserError) as caught:
        read(text, place)
    assert message in str(caught.value)
    assert caught.value.status == 2


@pytest.mark.parametrize(
    "text",
    [
        "trainer: {precision: bf16-mixed, devices: auto, strategy: ddp, logger: true}",
        "trainer: {precision: 32, devices: [0, 1], max_time: {minutes: 5}, limit_val_batches: 0.5}",
        "trainer: {callbacks: [{class_path: StochasticWeightAveraging, init_args: {swa_lrs: 1e-3}}]}",
        "trainer: {logger: [CSVLogger, {class_path: TensorBoardLogger, init_args: {name: x}}]}",
        "model: {network: {init_args: {width: 8}}}",
        "model: {network: {class_path: torchvision.models.resnet18, init_args: {num_classes: 10}}}",
        "model: {defenses: [{class_path: AdversarialTraining, init_args: {eps: {start: 0, end: 1/4}}}]}",
        "robustness: {regimes: {x: {class_path: WorstOf, init_args: {members: [FGSM]}}}, on: [validate]}",
        "data: {class_path: ImageFolder, init_args: {root: a, batch_size: 8}}",
    ],
)
def test_what_lightning_takes_is_taken(place, text):
    assert read(text, place)
