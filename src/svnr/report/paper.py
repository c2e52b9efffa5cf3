"""What the paper prints, to stand beside ours."""

_GAMES = ("max_of_three_3.0", "max_of_three_2.0", "max_of_three_1.5", "particle_gather")
_ROWS = {
    "svnr": ((9.60, 0.30), (9.64, 0.17), (9.71, 0.20), (4.76, 0.20)),
    "maddpg": ((2.08, 4.63), (-0.66, 0.67), (-0.64, 0.43), (0.00, 0.00)),
    "masql": ((8.92, 0.37), (-0.58, 0.24), (-0.34, 0.12), (-0.54, 0.20)),
    "pr2": ((4.76, 3.64), (-0.64, 0.45), (-0.29, 0.10), (0.00, 0.02)),
    "rommeo": ((6.14, 4.82), (1.59, 5.03), (-0.59, 0.25), (-0.87, 0.22)),
    "lenient": ((9.54, 0.13), (1.63, 2.51), (-0.07, 0.04), (-0.75, 0.00)),
}
PAPER_TABLE_1 = {  # (learner, game) → mean and spread of the execution performance (Table 1)
    (learner, game): cell
    for learner, row in _ROWS.items()
    for game, cell in zip(_GAMES, row, strict=True)
}
