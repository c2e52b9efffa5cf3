from svnr.experiments.catalogue import GAMES, LEARNERS
from svnr.report.paper import LATER_TABLE, PAPER_TABLE_1


def test_the_papers_table_has_six_methods_on_four_games_one_of_which_is_read_twice():
    learners, games = ({key[i] for key in PAPER_TABLE_1} for i in (0, 1))
    assert (len(learners), len(games), len(PAPER_TABLE_1)) == (6, 5, 30)
    for name in learners:
        column = [PAPER_TABLE_1[name, f"particle_gather{start}"] for start in ("", "_turned")]
        assert column[0] == column[1]
    assert learners <= set(LEARNERS) and games <= set(GAMES)


def test_cells_stand_where_the_paper_has_them():
    assert PAPER_TABLE_1["svnr", "max_of_three_1.5"] == (9.71, 0.20)
    assert PAPER_TABLE_1["rommeo", "max_of_three_3.0"] == (6.14, 4.82)
    assert PAPER_TABLE_1["lenient", "particle_gather"] == (-0.75, 0.00)


def test_the_later_table_has_nine_methods_on_four_robots_that_there_are():
    learners, games = ({key[i] for key in LATER_TABLE} for i in (0, 1))
    assert (len(learners), len(games), len(LATER_TABLE)) == (9, 4, 36)
    assert learners <= set(LEARNERS) and games <= set(GAMES)


def test_cells_of_the_later_table_stand_where_it_has_them():
    assert LATER_TABLE["svnr", "walker2d_2x3"] == (1678, 275)
    assert LATER_TABLE["maddpg", "coupledhalfcheetah_1p1"] == (-561, 67)
    assert LATER_TABLE["mmq", "ant_2x4"] == (116, 53)
    assert LATER_TABLE["qmix", "halfcheetah_2x3"] == (8263, 618)
