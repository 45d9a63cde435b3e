from robust_train.report.table import render


def test_every_row_fits_in_80_columns_and_says_what_it_is(results):
    lines = render(results, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for word in ("PGD linf 8/255", "25.0 %", "75.0 %", "12.3 + 10.1", "1.5 s", "unbounded", "not reached"):
        assert word in text


def test_clean_accuracy_comes_first(results):
    lines = render(results).splitlines()
    names = [line.split()[0] for line in lines[2:] if line[:1].isalpha()]
    assert names == ["clean", "pgd", "deepfool"]


def test_failures_are_counted(results):
    assert "1 not found" in render(results)
    assert "4 not found" in render(results)


def test_brackets_are_no_markup_and_escapes_no_commands(results):
    object.__setattr__(results, "warnings", ("[red]plain[/red] \x1b[2Jtext",))
    text = render(results, width=120)
    assert "[red]plain[/red]" in text
    assert "\x1b" not in text


def test_nothing_measured_is_a_dash(no_samples, no_regimes):
    assert "\N{EN DASH}" in render(no_samples)
    assert "nan" not in render(no_samples)
    assert len(render(no_regimes).splitlines()) == 4
