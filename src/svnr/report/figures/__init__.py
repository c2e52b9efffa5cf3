"""Figures: a kit of what they share, then one file a subject."""

from svnr.report.figures import (
    amortised,
    borders,
    gather,
    particles,
    play,
    policies,
    robots,
    studies,
    teams,
    theory,
    training,
)

__all__ = [
    "amortised",
    "borders",
    "gather",
    "particles",
    "play",
    "policies",
    "robots",
    "studies",
    "teams",
    "theory",
    "training",
]
