"""Sentences on a table, from figures that are known."""

from robust_train.report.conclusions import conclude

from .test_tabulation import budgeted, run


def test_it_names_what_most_is_left_of_what_is_broken_and_what_does_not_help():
    found = conclude(
        {
            "standard": [run(strongest=0.04), run(strongest=0.06)],  # 5 %, give or take 1.4
            "minmax": [run(strongest=0.8, published=0.82)],
            "distillation": [run(strongest=0.03, published=0.95)],
            "detector": [run(strongest=0.2, published=0.46), run(strongest=0.22, published=0.48)],
            "near": [run(strongest=0.064)],
            "above": [run(strongest=0.065)],
        }
    )
    assert found == [
        "Under strongest, most is left of minmax (80.0 %), then detector (21.0 %) and above (6.5 %).",
        "From published to strongest fall most: distillation (95.0 % to 3.0 %), detector (47.0 % to 21.0 %).",
        "Not above standard by more than the spread of the seeds: distillation, near.",
    ]


def test_attacks_that_ask_two_questions_break_nothing():
    published = budgeted(0.95, eps=0.2)
    (best,) = conclude({"other": [run(strongest=0.1, published=published)]})
    assert best == "Under strongest, most is left of other (10.0 %)."


def test_without_the_first_recipe_nothing_is_held_against_it():
    found = conclude(
        {"standard": [{**run(), "regimes": {}}], "a": [run(strongest=0.5)], "b": [run(strongest=0.4)]}
    )
    assert found == ["Under strongest, most is left of a (50.0 %), then b (40.0 %)."]


def test_nothing_is_said_of_what_no_strongest_attack_judged():
    searched = {**run(), "regimes": {"strongest": run()["regimes"]["l2"]}}
    assert conclude({"none": [{**run(), "regimes": {}}], "minimal": [searched]}) == []
    assert conclude({"unknown": [run(strongest=None)]}) == []
    assert conclude({}) == []
