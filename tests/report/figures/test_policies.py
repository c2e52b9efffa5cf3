import numpy as np
import pandas as pd

from svnr.report.figures import policies


def test_visited_actions_have_a_panel_a_learner_and_a_row_before_and_after_the_turn():
    rng = np.random.default_rng(0)
    columns = {f"u_{d}": rng.uniform(-10, 10, 20) for d in (1, 2, 3)}
    table = pd.DataFrame({"learner": ["svnr", "svnr_m"] * 10, **columns, "reward": 1.0})
    table["episode"] = range(20)
    figure = policies.visited_actions(table, "title", {"right hill": (7, 6, -4)}, 15)
    assert [axis.get_title(loc="left") for axis in figure.axes[:2]] == ["SVNR", "SVNR-M"]
    svnr = table[table["learner"] == "svnr"][["u_1", "u_2"]]
    for axis, rows in (
        (figure.axes[0], svnr[:8]),
        (figure.axes[2], svnr[8:]),
    ):  # 0, 2 … 14; 16, 18
        assert np.allclose(axis.collections[0].get_offsets(), rows)
        assert axis.lines[0].get_xydata().tolist() == [[7, 6]]  # where the hill is


def test_what_is_executed_stands_below_what_is_perceived():
    above, below = (np.full((50, 3), value) for value in (1.0, 2.0))
    figure = policies.perceived_policies(
        {"SVNR": above, "other": above}, np.ones((9, 9)), "title", {"SVNR": below, "other": below}
    )
    assert [axis.get_ylabel() for axis in figure.axes] == [
        "perceived\nu₃",
        "",
        "each by itself\nu₃",
        "",
    ]
    assert (figure.axes[2].collections[-1].get_offsets() == 2.0).all()


def test_perceived_policies_have_a_panel_each_and_no_empty_ones():
    samples = np.random.default_rng(0).uniform(-10, 10, (50, 3))
    panels = {f"method {i}": samples for i in range(7)}
    figure = policies.perceived_policies(panels, np.ones((9, 9)), "title")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title(loc="left") for axis in shown] == list(panels)
    # Points are drawn in u₁ and u₃.
    assert np.allclose(shown[0].collections[-1].get_offsets(), samples[:, [0, 2]])


def test_a_teams_samples_lie_over_their_target():
    u = np.array([[0.5, -0.5], [0.0, 1.0]])
    density = np.add.outer(np.arange(5.0), np.zeros(5))
    figure = policies.sampled_teams({"strict": u, "empty": u}, density, "title", "caption")
    assert np.allclose(figure.axes[0].collections[-1].get_offsets(), u)
    assert [axis.get_ylabel() for axis in figure.axes] == ["u₂", ""]


def test_dots_stand_on_the_belief_where_the_actors_ended():
    worths = pd.DataFrame({"exact": [0.0, 2.0, 4.0], "team": [0.0, -2.0, -6.0]}, [-1.0, 0.0, 1.0])
    figure = policies.own_actions(worths, {"team": [0.5, -1.0]}, "title", {"team": 0.2})
    exact, team, dots, start = figure.axes[0].lines[:4]
    assert exact.get_ydata().tolist() == [0.0, 2.0, 4.0]
    assert dots.get_ydata().tolist() == [-4.0, 0.0]  # half-way from −2 to −6, and at the end
    assert team.get_color() != exact.get_color() and start.get_xdata() == [0.2, 0.2]
