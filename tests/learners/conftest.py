import pytest
from teams import TwoStepGame, UnevenGame

from svnr.experiments.catalogue import LEARNERS, learner_class


@pytest.fixture
def two_step():
    return TwoStepGame()


@pytest.fixture
def uneven(request):
    """A game of one step, or of two where a learner of that name is tested that needs them."""
    of_test = getattr(request.node, "callspec", None)
    name = of_test.params.get("name") if of_test else None
    return UnevenGame(2 if name in LEARNERS and learner_class(name).needs_steps else 1)
