import json

import pytest

from robust_train.data.label_map import Label, read_label_map


def test_entries_with_names_and_bare_indices(tmp_path):
    file = tmp_path / "classes.json"
    file.write_text(json.dumps({"n01": {"index": 3, "name": "tench"}, "n02": {"index": 1}, "owl": 0}))
    expected = {"n01": Label(3, "tench"), "n02": Label(1, "n02"), "owl": Label(0, "owl")}
    assert read_label_map(file) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "[1, 2]", "{}", "3", "\x00", '{"a": "b"}', '{"a": -1}', '{"a": null}', '{"a": true}'),
        *('{"a": {"name": "b"}}', '{"a": {"index": 0, "name": 5}}', '{"a": {"index": 0, "name": null}}'),
    ],
)
def test_other_contents_are_refused(text, tmp_path):
    file = tmp_path / "classes.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"classes.json is not a label map: write a JSON object such as"):
        read_label_map(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"^There is no label map {tmp_path}/none.json: name"):
        read_label_map(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError, match=f"^There is no label map {tmp_path}: name"):
        read_label_map(tmp_path)
