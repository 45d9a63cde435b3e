import pytest

from robust_train.cli.parser import sentence

UNION = """Parser key "trainer.max_epochs":
  Does not validate against any of the Union subtypes
  Subtypes: [<class 'int'>, <class 'NoneType'>]
  Errors:
    - Expected a <class 'int'>
    - Expected a <class 'NoneType'>
  Given value type: <class 'str'>
  Given value: four"""

NUMBER = """Parser key "lr":
  - Expected a path but 1e-2x either not accessible or invalid
  - Does not validate against any of the Union subtypes
  Errors:
    - Expected a <class 'float'>
    - Expected a dot import path string: 1e-2x
  Given value: 1e-2x"""

OPTIMIZER = """Parser key "model.optimizer":
  Errors:
    - lr must be float, not 1e-2x.
    - Expected a <class 'NoneType'>
  Given value: {'class_path': 'torch.optim.AdamW', 'init_args': {'lr': '1e-2x'}}"""

CALLBACK = """Parser key "trainer.callbacks":
  Errors:
    - Option 'decay' is not accepted
    - Expected a <class 'NoneType'>
  Given value: NestedArg(key='decay', val='0.9')"""


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (UNION, "trainer.max_epochs must be int or NoneType, not four."),
        (NUMBER, "lr must be float, not 1e-2x."),
        (OPTIMIZER, "model.optimizer.lr must be float, not 1e-2x."),
        ('Parser key "config": model.optimizer.lr must be float.', "model.optimizer.lr must be float."),
        (CALLBACK, "trainer.callbacks takes no decay here"),
        ("Option 'widht' is not accepted", "Option 'widht' is not accepted"),
        ("unrecognized arguments: --nothing --more", "There is no option --nothing."),
        ('Key "model.network" is required but not included', "The recipe lacks model.network: add --config"),
        ("the following arguments are required: fit.data", "The recipe lacks data: add --config"),
    ],
)
def test_messages_become_one_sentence(message, words):
    assert sentence(message, []).startswith(words)
    assert "\n" not in sentence(message, [])
