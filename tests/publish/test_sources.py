import pytest

from svnr.publish.sources import presets, sources


def test_notebooks_come_in_reading_order(repository):
    assert list(sources(repository)) == ["01_broken", "02_whole", "03_last"]


def test_some_are_asked_for_by_number_or_by_name(repository):
    assert list(sources(repository, ["03", "01_broken"])) == ["01_broken", "03_last"]
    with pytest.raises(ValueError, match="notebook must be one of 01, 02, 03, got '1'"):
        sources(repository, ["1"])


def test_presets_keep_the_order_in_which_notebooks_are_begun(repository):
    assert list(presets(repository, "quick")) == ["03_last", "01_broken", "02_whole"]


def test_an_unknown_scale_is_refused(repository):
    with pytest.raises(ValueError, match="scale must be one of smoke, quick, paper, got 'fast'"):
        presets(repository, "fast")


@pytest.mark.parametrize("text", ["", "- 01_broken", "01_broken: 5", "a: {b: [", "a: b: c"])
def test_a_preset_of_another_form_is_refused_by_its_name(repository, text):
    (repository / "notebooks" / "presets" / "quick.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"quick\.yaml must "):
        presets(repository, "quick")
