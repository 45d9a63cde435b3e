from robust_train.report.history import curves

ROWS = [
    {"epoch": "1", "step": "9", "train/loss": "1.0", "train/loss_step": "7", "val/loss": ""},
    {"epoch": "0", "step": "3", "train/loss": "4.0", "train/loss_step": "7", "val/loss": ""},
    {"epoch": "0", "step": "5", "train/loss": "2.0", "train/loss_step": "", "val/loss": "nan"},
    {"epoch": "", "step": "6", "train/loss": "9.0", "lr": "0.1"},
    {"epoch": 1, "step": 9, "train/loss": None, "val/loss_epoch": 0.5, "robust/pgd/robust_accuracy": 0.25},
]


def test_cells_are_averaged_by_epoch_and_ordered():
    assert curves(ROWS, "loss") == {
        "train/loss": [(0.0, 3.0), (1.0, 1.0)],
        "val/loss_epoch": [(1.0, 0.5)],
    }


def test_columns_are_chosen_by_their_ending():
    assert curves(ROWS, "accuracy") == {"robust/pgd/robust_accuracy": [(1.0, 0.25)]}
    assert curves([], "loss") == {}
