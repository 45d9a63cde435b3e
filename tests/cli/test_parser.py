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


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (UNION, "trainer.max_epochs must be int or NoneType, not four."),
        ("Option 'widht' is not accepted", "Option 'widht' is not accepted"),
        ("unrecognized arguments: --nothing --more", "There is no option --nothing."),
        ('Key "model.network" is required but not included', "The recipe lacks model.network: add --config"),
        ("the following arguments are required: fit.data", "The recipe lacks data: add --config"),
    ],
)
def test_messages_become_one_sentence(message, words):
    assert sentence(message, []).startswith(words)
    assert "\n" not in sentence(message, [])
