import numpy as np
import pandas as pd

from svnr.experiments.evaluate import play
from svnr.games.gather import best_team, particle_gather, solo_runner, stay_away
from svnr.report.figures.gather import ends, strips, training_curves, ways


def test_how_episodes_end_is_told_by_what_they_pay():
    game = particle_gather()
    teams = {"joint": best_team(game.settings), "solo": solo_runner, "none": stay_away}
    for expected, team in teams.items():
        assert set(ends(play(game, team, 4, seed=0).returns)) == {expected}


def test_ways_begin_at_the_starts_in_the_worlds_own_units():
    game = particle_gather(start=(0.5, 0.5))
    figure = ways({"one runs": play(game, solo_runner, 1, seed=0)}, radius=0.3, title="title")
    starts = [line.get_xydata()[0] for line in figure.axes[0].lines if len(line.get_xydata()) == 1]
    assert np.allclose(np.linalg.norm(starts, axis=1), 0.5, atol=1e-6)


def test_a_short_film_shows_every_frame_once():
    film = [np.zeros((4, 4, 3), dtype=np.uint8)] * 3
    figure = strips({"short": film, "long": film * 4}, "title", n=6)
    titles = [axis.get_title() for axis in figure.axes if axis.get_visible()]
    assert titles == ["step 0", "step 1", "step 2"] + [f"step {s}" for s in (0, 2, 4, 7, 9, 11)]


def test_a_strip_shows_all_that_is_painted_and_little_else():
    frame = np.full((100, 100, 3), 255, dtype=np.uint8)
    moved = frame.copy()
    moved[70, 45] = 0  # 20 off the middle
    figure = strips({"team": [frame, moved]}, "title")
    shown = figure.axes[1].images[0].get_array()
    assert shown.shape[:2] == (46, 46)  # 1.1 · 20 + 1 to each side
    assert (shown == 0).all(-1).sum() == 1


def test_curves_lie_between_the_optimum_and_going_alone():
    row = {"game": "particle_gather", "learner": "svnr", "seed": 0, "episode": [0, 1]}
    curves = pd.DataFrame(row | {"reward": [0.0, 5.0]})
    figure = training_curves(curves, {"particle_gather": "Particle Gather"}, "title")
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "1 of 1",
        "stay away",
        "optimum",
    ]
