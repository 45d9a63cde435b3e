from robust_train.report.card import write_card


def test_card_says_what_was_measured_and_how_to_repeat_it(results, tmp_path):
    write_card(results, tmp_path / "README.md", "digits_x", "seed: 0\n# ``` \n", "robust-train fit")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| pgd | PGD linf 8/255 | robust accuracy | 25.0 % | 4.6 \u2013 69.9 | 4 | 12.3 + 10.1 |" in text
    assert f"    robust-train evaluate {tmp_path}\n" in text
    assert "````yaml\nseed: 0" in text
    assert "median size (4 not found) | not reached" in text


def test_commands_are_whole_words_of_a_shell(results, tmp_path):
    folder = tmp_path / "my  run"
    folder.mkdir()
    write_card(
        results, folder / "README.md", "run", "", "robust-train fit --config='my  file.yaml' '--a={\nb}'"
    )
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert f"    robust-train evaluate '{folder}'\n" in text
    assert "    robust-train fit --config='my  file.yaml' '--a={ b}'\n" in text


def test_names_are_no_markup(results, tmp_path):
    write_card(results, tmp_path / "README.md", "a|b", "", "")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "<script>" not in text.replace("\\<script\\>", "")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}
