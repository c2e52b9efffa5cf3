import pytest

from svnr.report.presets import presets


@pytest.fixture
def preset(tmp_path):
    """The preset of a repository in `tmp_path`."""
    path = tmp_path / "notebooks" / "presets" / "quick.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("03_last: {timeout: 60}\n01_broken: {timeout: 60}\n", encoding="utf-8")
    return path


def test_presets_keep_the_order_in_which_notebooks_are_begun(preset, tmp_path):
    assert list(presets(tmp_path, "quick")) == ["03_last", "01_broken"]


def test_an_unknown_scale_is_refused(preset, tmp_path):
    with pytest.raises(ValueError, match="scale must be one of smoke, quick, paper, got 'fast'"):
        presets(tmp_path, "fast")


@pytest.mark.parametrize("text", ["", "- 01_broken", "01_broken: 5", "a: {b: [", "a: b: c"])
def test_a_preset_of_another_form_is_refused_by_its_name(preset, tmp_path, text):
    preset.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"quick\.yaml must "):
        presets(tmp_path, "quick")
