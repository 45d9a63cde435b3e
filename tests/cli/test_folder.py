import pytest

from robust_train.cli.folder import claimed, fresh
from robust_train.errors import UserError


def fail_with(path, *files):
    with claimed(path) as folder:
        for name in files:
            (folder / name).touch()
        raise RuntimeError


def test_names_that_are_taken_get_a_number(place):
    assert str(fresh("a")) == "runs/a"
    (place / "runs" / "a").mkdir(parents=True)
    (place / "runs" / "a-2").mkdir()
    assert str(fresh("a")) == "runs/a-3"


def test_a_failure_leaves_nothing(place):
    with pytest.raises(RuntimeError):
        fail_with(place / "run", "half")
    assert not (place / "run").exists()


def test_a_failure_leaves_the_checkpoint_and_says_so(place):
    with pytest.raises(RuntimeError) as caught:
        fail_with(place / "run", "best.ckpt", "last.ckpt")
    assert caught.value.__notes__ == [f"Go on with --ckpt_path={place}/run/last.ckpt."]


def test_a_folder_of_the_users_is_not_removed(place):
    (place / "run").mkdir()
    with pytest.raises(RuntimeError):
        fail_with(place / "run")
    assert (place / "run").is_dir()


def test_what_is_there_is_not_written_over(place):
    (place / "run").mkdir()
    (place / "run" / "kept").touch()
    with pytest.raises(UserError, match="not empty"), claimed(place / "run"):
        pass
    with claimed(place / "run", resumed=True):
        pass


def test_a_folder_that_cannot_be_written_is_refused(place):
    (place / "file").touch()
    with pytest.raises(UserError, match="name another place by --out"), claimed(place / "file" / "run"):
        pass
