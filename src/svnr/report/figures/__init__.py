"""Figures: a kit of what they share, then one file a subject."""

from svnr.report.figures import amortised as amortised
from svnr.report.figures import borders as borders
from svnr.report.figures import gather as gather
from svnr.report.figures import particles as particles
from svnr.report.figures import play as play
from svnr.report.figures import policies as policies
from svnr.report.figures import robots as robots
from svnr.report.figures import studies as studies
from svnr.report.figures import teams as teams
from svnr.report.figures import theory as theory
from svnr.report.figures import training as training
