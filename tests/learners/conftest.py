import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `teams`

from teams import TwoStepGame, UnevenGame


@pytest.fixture
def two_step():
    return TwoStepGame()


@pytest.fixture
def uneven():
    return UnevenGame()
