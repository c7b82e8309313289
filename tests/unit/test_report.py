import pytest
import study_frames as study

from knowpack.errors import DataError
from knowpack.report import headline


def test_headline():
    runs = study.runs()
    table = study.reliability(runs, epochs=(1, 3))
    table.loc[table["extra"] == "paraphrase", "reliability"] = 0.9
    found = headline(study.categories(), table, study.shifts(runs), runs)
    assert found == (
        "m1 did not know 1,200 of 2,000 facts (60%). Taught 50 unknown facts (1 paraphrase), "
        "m1 gives 90% right answers about them, while of all facts 1.5% rose in category and "
        "50.0% fell."
    )


def test_headline_of_two_models_and_of_nothing():
    models = ("m1", "m2")
    runs = study.runs(models, levels=(1,))
    tables = study.categories(models), study.reliability(runs), study.shifts(runs)
    found = headline(*tables, runs)
    assert "facts (60%); m2 did not know 1,200 of 2,000 facts (60%). Taught one unknown" in found
    assert "fell; taught one unknown fact (no extras), m2 gives 45% right" in found
    with pytest.raises(DataError, match="headline: the tables of categories, reliability and"):
        headline(tables[0], tables[1].head(0), tables[2], runs)
