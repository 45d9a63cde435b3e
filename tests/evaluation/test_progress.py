from robust_train.evaluation.progress import progress


def test_a_bar_counts_every_regime_of_every_block(capsys):
    with progress(regimes=2, blocks=3, shown=True) as tick:
        for _ in range(3):
            tick("pgd"), tick("deepfool")
    assert "0/6" in capsys.readouterr().err


def test_nothing_is_printed_where_no_bar_is_wanted(capsys):
    with progress(regimes=1, blocks=1, shown=False) as tick:
        tick("pgd")
    assert capsys.readouterr() == ("", "")
