import pytest
from torch import nn
from torch.nn import functional

from robust_train.evaluation import evaluate
from robust_train.perturbations import FGSM


def judge(network, data):
    return evaluate(network, data, {"fgsm": FGSM(bounds=None)}, progress=False)


def rounded(x):
    return (x * 255).round() / 255


def some(value):
    """A network whose logits are ``value`` for bright images."""
    return lambda x: x.flatten(1)[:, :3].masked_fill(x.flatten(1)[:, :1] > 0.5, value)


@pytest.mark.parametrize(
    ("broken", "sentences"),
    [
        (lambda net: net, []),
        (lambda net: lambda x: net(x).softmax(1), ["The network returns probabilities"]),
        (lambda net: lambda x: net(functional.dropout(x, 0.1, training=True)), ["The network is random"]),
        (
            lambda net: lambda x: net(rounded(x)),
            ["The gradient of CrossEntropy is zero", "The gradient of Margin is zero"],
        ),
        (
            lambda net: lambda x: net(x.sqrt() + (x - x).sqrt()),
            ["CrossEntropy is zero or not finite", "of Margin"],
        ),
        (lambda net: lambda x: 1000 * net(x), ["The gradient of CrossEntropy is zero"]),
        (lambda net: some(float("nan")), ["Logits are not finite for ", "CrossEntropy", "Margin"]),
        (lambda net: some(float("inf")), ["Logits are not finite for ", "CrossEntropy", "Margin"]),
    ],
)
def test_what_makes_figures_meaningless_is_told_in_a_line_each(network, data, broken, sentences):
    warnings = judge(broken(network), data).warnings
    assert len(warnings) == len(sentences)
    for warning, sentence in zip(warnings, sentences, strict=True):
        assert sentence in warning
        assert "\n" not in warning


def test_inputs_out_of_range_are_told(network, data):
    warnings = judge(network, [((image - 0.5) / 0.25, label) for image, label in data]).warnings
    assert warnings == (
        "Inputs lie in [-2, 2], not in [0, 1]: tell mean and std if they are normalised, or no eps means "
        "what it says.",
    )


def test_a_module_in_training_mode_is_told_and_judged_in_evaluation_mode(data):
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 3))
    results = judge(network, data)
    assert results.warnings == (
        "Modules in training mode: 4, such as Sequential; all are judged in eval mode.",
    )
    assert judge(network.eval(), data).clean_accuracy == results.clean_accuracy


def test_nan_never_counts_as_correct(data):
    results = judge(some(float("nan")), [(image, 0) for image, _ in data])  # NaN rows have argmax 0
    assert results.clean_accuracy.value < 0.7
