import warnings

import pandas as pd
import pytest
import study_frames as study

from knowpack import figures, plots

RUNS = study.runs()
CAPTION = "A <caption> & “more”."


def test_conditions_differ_without_their_colours():
    drawn = figures.shifts_by_unknown(study.shifts(RUNS), RUNS).axes[0].get_lines()
    named = [line for line in drawn if line.get_marker() != "None"]
    assert len({(line.get_marker(), line.get_linestyle()) for line in named}) == len(named) == 3


def test_the_edges_of_a_band_have_their_lines_dashes():
    axes = figures.shifts_by_unknown(study.shifts(RUNS), RUNS).axes[0]
    band = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert [line.get_linewidth() for line in band] == [1.5, 0.6, 0.6]
    low, high = band[1].get_ydata(), band[2].get_ydata()
    assert list(low) == pytest.approx([0.01, 0.01])
    assert list(high) == pytest.approx([0.02, 0.02])
    assert len(axes.collections) == 3


def test_one_seed_has_no_band():
    runs = study.runs(seeds=(1,))
    axes = figures.shifts_by_unknown(study.shifts(runs), runs).axes[0]
    assert not axes.collections


def test_conditions_stand_apart_around_their_level():
    axes = figures.shifts_by_unknown(study.shifts(RUNS), RUNS).axes[0]
    at = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() != "None"]
    assert at[0] < at[1] < at[2]
    assert at[1] == pytest.approx(10)
    assert at[1] / at[0] == pytest.approx(at[2] / at[1])


def test_many_conditions_at_one_level_have_room(tmp_path):
    levers = [
        study.runs(levels=(40,), rank=rank, alpha=alpha, method=method).assign(
            run=lambda f, n=number: f["run"] + f"-{n}"
        )
        for number, (rank, alpha, method) in enumerate(
            [
                (1, 2.0, "lora"),
                (1, 2.0, "dora"),
                (8, 2.0, "lora"),
                (1, 8.0, "lora"),
                (2, 2.0, "lora"),
            ]
        )
    ]
    runs = pd.concat(levers, ignore_index=True)
    few, many = (figures.shifts_by_unknown(study.shifts(part), part) for part in (levers[0], runs))
    assert many.get_figheight() > few.get_figheight() == 3.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a legend that takes all room is one
        plots.save(many, tmp_path / "many", CAPTION)
    axes = many.axes[0]
    at = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() != "None"]
    assert len(at) == 15
    assert 1.5 < at[-1] / at[0] < 2.25
    assert len([part for part in axes.collections if part.get_paths()]) == 15  # from seed to seed


def test_saving_twice_gives_the_same_bytes(tmp_path):
    runs = study.runs(("$m_1$",))
    for folder in ("a", "b"):
        figure = figures.shifts_by_unknown(study.shifts(runs), runs)
        written = plots.save(figure, tmp_path / folder / "fig.v1", CAPTION)
        assert [path.name for path in written] == ["fig.v1.png", "fig.v1.svg", "fig.v1.pdf"]
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == sorted(
            path.name for path in written
        )
    for path in written:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    svg = written[1].read_text(encoding="utf-8")
    assert "<dc:date>" not in svg
    # On one line, as the caption of Snakemake's report is cut out of it.
    assert "<dc:description>A &lt;caption&gt; &amp; “more”.</dc:description>" in svg


def test_an_svg_for_a_page_is_the_one_that_is_saved(tmp_path):
    written = plots.save(plots.note("Nothing"), tmp_path / "note", CAPTION)
    assert plots.to_svg(plots.note("Nothing"), CAPTION) == written[1].read_bytes()
