import pytest

from robust_train.errors import UserError
from robust_train.recipe.reading import dump, number, parse, read, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8/255", 8 / 255),
        ("-1/4", -0.25),
        ("1e-3", 1e-3),
        ("2.5E4", 2.5e4),
        (".5e1", 5.0),
        ("3", 3),
        ("0.1", 0.1),
        ("1/0", "1/0"),
        ("1/2/3", "1/2/3"),
        ("a/2", "a/2"),
        ("on", "on"),
        ("no", "no"),
        ("true", True),
        ("null", None),
        ("2020-01-01", "2020-01-01"),
    ],
)
def test_values_are_what_they_look_like(text, expected):
    assert parse(f"x: {text}") == {"x": expected}
    assert type(parse(f"x: {text}")["x"]) is type(expected)
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1\nb: *x", "line 2: aliases"),
        ("a: &x [*x]", "aliases"),
        ("a: 1\na: 2", "line 2: the key a is given twice"),
        ("1: 2", "1 is no name"),
        ("? [a]\n: b", "is no name"),
        ("- a", "holds no recipe"),
        ("", "holds no recipe"),
        ("a: [", "line 1"),
        ("a: !!python/object/apply:os.system [x]", "could not determine a constructor"),
        ("[" * 3000, "nested too deeply"),
        ("a: \x00", "no valid YAML"),
    ],
)
def test_what_is_no_recipe_is_refused(text, words):
    with pytest.raises(UserError) as caught:
        parse(text, "a.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("a.yaml")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("recipes/digits/standrad.yaml", "Did you mean standard.yaml?"),
        ("recipes/digit/standard.yaml", "Did you mean digits/standard.yaml?"),
        ("elsewhere/a.yaml", "There is no file or folder elsewhere/a.yaml."),
        ("recipes", "cannot be read"),
        ("recipes/large.yaml", "too large"),
        ("recipes/bytes.yaml", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, monkeypatch, path, words):
    (tmp_path / "recipes" / "digits").mkdir(parents=True)
    (tmp_path / "recipes" / "digits" / "standard.yaml").touch()
    (tmp_path / "recipes" / "large.yaml").write_text(" " * 1_000_001)
    (tmp_path / "recipes" / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        read(path)
    assert words in str(caught.value)
    assert caught.value.status == 2


def test_what_is_written_is_read_back():
    recipe = {
        "on": ["test"],
        "eps": 8 / 255,
        "lr": 1e-10,
        "no": None,
        "text": "1/2",
        "pair": {"x": [1, True]},
    }
    assert parse(dump(recipe)) == recipe


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("--eps=1/4", "--eps=0.25"), ("-3/4", "-0.75"), ("--out=a/4", "--out=a/4"), ("x", "x")],
)
def test_fractions_on_the_command_line(argument, expected):
    assert number(argument) == expected
