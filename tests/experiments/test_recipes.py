from svnr.experiments.recipes import Range


def test_values_come_onto_the_grid_of_a_range():
    assert Range(16, 64, step=2).onto(53) == 52
    assert Range(1e-4, 1e-1, log=True).onto(0.00658123) == 0.00658
