from types import SimpleNamespace

from knowpack.summary import print_summary


def test_the_answer_comes_first_and_the_headline_below_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    study = SimpleNamespace(study="mine")
    print_summary(study)
    assert capsys.readouterr().out == ""
    folder = tmp_path / "results/mine"
    folder.mkdir(parents=True)
    (folder / "headline.txt").write_text("m takes 80 facts.\nm did not know 9 of 10 facts.\n")
    print_summary(study)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["Study 'mine': m takes 80 facts.", "m did not know 9 of 10 facts."]
    assert lines[-1] == "  report   results/mine/report.html"
