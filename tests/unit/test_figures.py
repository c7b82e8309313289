import pytest
import study_frames as study

from knowpack import figures


def lines(figure) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].get_lines()}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_reliability_by_epoch():
    runs = study.runs()
    figure = figures.reliability_by_epoch(study.reliability(runs, epochs=(1, 2, 3)), runs)
    assert [axes.get_title() for axes in figure.axes] == ["10 unknown facts", "50 unknown facts"]
    assert lines(figure)["10 HK"] == pytest.approx([0.25, 0.35, 0.45])
    assert figure.axes[0].get_xlabel() == "epoch"
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["no extras", "10 HK", "1 paraphrase"]


def test_final_epochs_only_are_said_to_be_so():
    runs = study.runs()
    figure = figures.reliability_by_epoch(study.reliability(runs), runs)
    assert texts(figure) == ["Reliability before the final epoch:\nnot asked in this study"]


def test_shifts_and_reliability_by_unknown():
    runs = study.runs(("m1", "m2"))
    figure = figures.shifts_by_unknown(study.shifts(runs), runs)
    assert [axes.get_title() for axes in figure.axes] == [
        "m1: positive shift",
        "m1: negative shift",
        "m2: positive shift",
        "m2: negative shift",
    ]
    assert lines(figure)["no extras"] == pytest.approx([0.015, 0.015])
    assert [axes.get_ylabel() for axes in figure.axes[:2]] == [
        "share of all facts that rose",
        "share of all facts that fell",
    ]
    by_level = figures.reliability_by_unknown(study.reliability(runs, epochs=(1, 3)), runs)
    assert [axes.get_title() for axes in by_level.axes] == ["m1", "m2"]
    assert lines(by_level)["no extras"] == pytest.approx([0.45, 0.45])


def test_benchmark_by_unknown():
    runs = study.runs()
    figure = figures.benchmark_by_unknown(study.benchmarks(runs), runs, "mmlu", "acc")
    assert lines(figure)["base model"] == [0.6, 0.6]
    nothing = figures.benchmark_by_unknown(study.benchmarks(runs), runs, "arc_easy", "acc")
    assert texts(nothing) == ["arc_easy acc:\nnot asked in this study"]


def test_conditions_differ_in_grey():
    figure = figures.shifts_by_unknown(study.shifts(study.runs()), study.runs())
    drawn = figure.axes[0].get_lines()
    assert len({(line.get_marker(), line.get_linestyle()) for line in drawn}) == len(drawn) == 3


def test_saving_twice_gives_the_same_bytes(tmp_path):
    runs = study.runs(("$m_1$",))
    for folder in ("a", "b"):
        figure = figures.shifts_by_unknown(study.shifts(runs), runs)
        written = figures.save(figure, tmp_path / folder / "fig.v1")
        assert [path.name for path in written] == ["fig.v1.png", "fig.v1.svg", "fig.v1.pdf"]
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == sorted(
            path.name for path in written
        )
    for path in written:
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    assert b"<dc:date>" not in written[1].read_bytes()
