"""What the paper prints, to stand beside ours."""

PAPER_TABLE_1: dict[str, dict[str, tuple[float, float]]] = {
    # learner → game → mean and spread of the execution performance (Table 1)
    "svnr": {
        "max_of_three_3.0": (9.60, 0.30),
        "max_of_three_2.0": (9.64, 0.17),
        "max_of_three_1.5": (9.71, 0.20),
        "particle_gather": (4.76, 0.20),
    },
    "maddpg": {
        "max_of_three_3.0": (2.08, 4.63),
        "max_of_three_2.0": (-0.66, 0.67),
        "max_of_three_1.5": (-0.64, 0.43),
        "particle_gather": (0.00, 0.00),
    },
    "masql": {
        "max_of_three_3.0": (8.92, 0.37),
        "max_of_three_2.0": (-0.58, 0.24),
        "max_of_three_1.5": (-0.34, 0.12),
        "particle_gather": (-0.54, 0.20),
    },
    "pr2": {
        "max_of_three_3.0": (4.76, 3.64),
        "max_of_three_2.0": (-0.64, 0.45),
        "max_of_three_1.5": (-0.29, 0.10),
        "particle_gather": (0.00, 0.02),
    },
    "rommeo": {
        "max_of_three_3.0": (6.14, 4.82),
        "max_of_three_2.0": (1.59, 5.03),
        "max_of_three_1.5": (-0.59, 0.25),
        "particle_gather": (-0.87, 0.22),
    },
    "lenient": {
        "max_of_three_3.0": (9.54, 0.13),
        "max_of_three_2.0": (1.63, 2.51),
        "max_of_three_1.5": (-0.07, 0.04),
        "particle_gather": (-0.75, 0.00),
    },
}
