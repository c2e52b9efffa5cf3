from pathlib import Path

from svnr.report.scales import SCALES


def test_every_scale_has_its_numbers():
    presets = Path(__file__).parents[2] / "notebooks" / "presets"
    assert {path.stem for path in presets.glob("*.yaml")} == set(SCALES)
