"""What the paper prints, to stand beside ours, and the studies that its later version names."""

from typing import Any

from svnr.sets import sparse

Kind = tuple[str, str, dict[str, Any]]  # of run: game, learner and changes of its settings

_GAMES = ("max_of_three_3.0", "max_of_three_2.0", "max_of_three_1.5", "particle_gather_turned")
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
PAPER_TABLE_1 |= {  # where its particles start the paper does not say: these are read so, too
    (learner, "particle_gather"): row[-1] for learner, row in _ROWS.items()
}

_BODIES = ("halfcheetah_2x3", "coupledhalfcheetah_1p1", "ant_2x4", "walker2d_2x3")
_LATER_ROWS = {
    "svnr": ((8853, 212), (423, 89), (536, 31), (1678, 275)),
    "pr2": ((8662, 45), (381, 11), (354, 58), (1422, 79)),
    "rommeo": ((8305, 127), (296, 62), (424, 60), (1399, 32)),
    "qmix": ((8263, 618), (3, 27), (212, 209), (495, 243)),
    "facmac": ((8210, 584), (131, 72), (398, 36), (536, 205)),
    "mappo": ((6087, 1177), (15, 138), (87, 135), (672, 59)),
    "maddpg": ((112, 135), (-561, 67), (108, 26), (529, 33)),
    "masql": ((56, 65), (-490, 86), (225, 34), (332, 18)),
    "mmq": ((-134, 16), (-524, 37), (116, 53), (487, 72)),
}
LATER_TABLE = {  # (learner, game) → mean and spread of the returns of the paper's later version
    (learner, game): cell
    for learner, row in _LATER_ROWS.items()
    for game, cell in zip(_BODIES, row, strict=True)
}

LATER_PARTICLES: dict[str, Kind] = {  # M at each of 64 states; on which robot it does not say
    f"M = {m}": ("halfcheetah_2x3", "svnr", {"n_particles": m}) for m in (8, 16, 32, 40, 48)
}
_SIX = "halfcheetah_6x1"  # six agents, a joint each
LATER_SETS: dict[str, Kind] = {
    **{sets: (_SIX, "svnr", {"sets": sets}) for sets in ("strict", "reverse", "chain", "star")},
    "12 drawn links": (_SIX, "svnr", {"sets": sparse(6, seed=0)}),
    "full": (_SIX, "svnr_f", {}),
    "empty": (_SIX, "svnr_m", {}),
}
