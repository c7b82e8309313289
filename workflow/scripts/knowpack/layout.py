"""Tables as the paper prints them: from tidy frame to printed frame, all of whose cells are text.

Rows are models (where there are several) and levels of unknown facts, columns are conditions, and a
cell is the mean over seeds with "(min–max)" where there are several. "–" means not asked.
"""

from collections.abc import Mapping

import pandas as pd

from knowpack.conditions import KINDS, final_epoch, in_words, with_condition
from knowpack.errors import DataError

NOT_ASKED = "–"
EXAMPLES = 3  # printed of each run and direction
_P_CORRECT = {
    "Unknown": "0",
    "WeaklyKnown": "0, right when sampled",
    "MaybeKnown": "between 0 and 1",
    "HighlyKnown": "1",
}
_OTHERWISE = {
    "p_correct": ("P_correct", 2),
    "reliability": ("Asked as taught", 2),
    "base": ("Model itself", 2),
    "facts": ("Facts", 0),
}
_SHIFTS = {
    "positive_shift": "positive",
    "negative_shift": "negative",
    "positive_shift_untrained": "positive, untrained facts",
    "negative_shift_untrained": "negative, untrained facts",
}
_ANSWERS = {
    "refused": ("Refused", 0),
    "unique_answers": ("Unique answers", 0),
    "mean_repeats": ("Mean repeats", 2),
    "std_repeats": ("SD of repeats", 2),
}
_REASONS = {
    "shifts": ("Shifts", 0),
    "non_refusal": ("Non-refusal", 2),
    "explosion": ("Explosion", 2),
    "target_based": ("Target-based", 2),
    "domain_shift": ("Domain shift", 2),
    "explained": ("Explained", 2),
}


def over_seeds(values: pd.Series, digits: int) -> str:
    """Return the mean, with "(min–max)" where there are several values; nulls are left out."""
    values = values.dropna()
    if values.empty:
        return NOT_ASKED
    low, mean, high = (
        f"{value:,.{digits}f}" for value in (values.min(), values.mean(), values.max())
    )
    return mean if len(values) == 1 else f"{mean} ({low}–{high})"


def categories(table: pd.DataFrame) -> pd.DataFrame:
    """Print the categories (Table 1): a row a category, a column a model."""
    cells = [
        f"{facts:,} ({share:.1%})"
        for facts, share in zip(table["facts"], table["share"], strict=True)
    ]
    wide = table.assign(cell=cells).pivot(index="category", columns="model", values="cell")
    wide = wide.reindex([name for name in _P_CORRECT if name in wide.index])
    wide.insert(0, "P_correct", [_P_CORRECT[name] for name in wide.index])
    return _printed(wide.rename_axis("Category").reset_index())


def published_categories(table: pd.DataFrame) -> pd.DataFrame:
    """Print published against measured categories: a row a published one, a column a measured one."""
    order = [name for name in _P_CORRECT if name in set(table["published"])]
    wide = table.pivot(index=["model", "published"], columns="measured", values="facts")
    wide = wide.reindex(order, axis="columns").reindex(order, level="published").astype("Int64")
    return rows_of(wide.rename_axis(["model", "Published"]), table)


def reliability(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the reliability after the final epoch (Table 2): unknown facts by conditions."""
    return _by_condition(final_epoch(table), runs, "reliability", [], 2)


def generalization(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the generalization: a row a condition and kind, the model itself first."""
    if table.empty:
        titles = [title for title, _ in _OTHERWISE.values()]
        return pd.DataFrame(columns=["Unknown facts", "Extras", "Asked", *titles])
    asked = pd.Categorical(table["kind"], list(KINDS), ordered=True).rename_categories(KINDS)
    named = with_condition(table.assign(Asked=asked), runs)
    return _by_run(named, _OTHERWISE, ["Asked"])


def shifts(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the shifts (Tables 3 and 6): unknown facts and direction by conditions."""
    long = table.melt(["model", "run"], list(_SHIFTS), var_name="shift")
    shift = pd.Categorical(long["shift"], list(_SHIFTS), ordered=True)
    long["Shift"] = shift.rename_categories(_SHIFTS)
    return _by_condition(long, runs, "value", ["Shift"], 3)


def answers(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print refusals and diversity (Table 4): a row a condition, the model itself first."""
    named = with_condition(table, runs)
    printed = _by_run(named, _ANSWERS, [])
    top = _groups(named, []).apply(
        lambda group: "; ".join(
            f"{answer} ({times:,})"
            for answer, times in zip(group["top_answer"], group["top_answer_count"], strict=True)
        )
    )
    return printed.assign(**{"Most frequent answer (times)": top.to_numpy()})


def shift_reasons(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the reasons of shifts (Table 5): a row a condition and direction."""
    direction = pd.Categorical(
        table["direction"], sorted(set(table["direction"]), reverse=True), ordered=True
    )
    named = with_condition(table.assign(Direction=direction), runs)
    return _by_run(named, _REASONS, ["Direction"])


def shift_examples(table: pd.DataFrame, runs: pd.DataFrame, most: int = EXAMPLES) -> pd.DataFrame:
    """Print shifted facts (Appendix D): of each run and direction those with the most reasons."""
    titles = {name: _REASONS[name][0].lower() for name in list(_REASONS)[1:-1]}
    given = table[list(titles)].astype("boolean").fillna(False).astype(bool)
    reasons = [[titles[name] for name in titles if row[name]] for row in given.to_dict("records")]
    table = table.assign(
        Taught=table["trained"].map({True: "yes", False: "no"}),
        Reasons=[", ".join(words) or "none" for words in reasons],
        fewer=[-len(words) for words in reasons],
    )
    order = ["model", "unknown", "condition", "seed", "run", "direction", "fewer", "fact_id"]
    named = with_condition(table, runs)
    named = named.sort_values(order, ascending=[name != "direction" for name in order])
    shown = named.groupby(order[:-2], observed=True, sort=False).head(most)
    texts = ["seed", "direction", "question", "answer", "before", "after"]
    cells = shown.set_index(["model", "unknown", "condition"])[[*texts, "Taught", "Reasons"]]
    return rows_of(cells.rename(columns=str.capitalize), runs)


def benchmarks(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Print the benchmarks (Tables 7 and 8): a row a condition, a column a task and metric.

    A single run's cell has its standard error: "0.677 ± 0.004".

    Raises:
        DataError: a metric of a task was measured by more than one protocol.
    """
    if table.empty:
        return pd.DataFrame(columns=["Unknown facts", "Extras"])
    protocols = table.groupby(["task", "metric"])["protocol"].nunique()
    if (protocols > 1).any():
        raise DataError(
            f"benchmarks: {protocols.index[protocols > 1].tolist()} were measured by more than "
            "one protocol, which cannot stand in one column; keep one protocol a study"
        )
    named = with_condition(table, runs)
    _check_seeds(named, ["task", "metric"])
    columns = (named["task"] + " " + named["metric"]).rename("column")
    wide = (
        _groups(named, [columns])[["value", "stderr"]]
        .apply(_with_error)
        .unstack("column")[columns.drop_duplicates().tolist()]
    )
    return rows_of(wide, named)


def published(table: pd.DataFrame) -> pd.DataFrame:
    """Print the paper's figures beside the measured ones: a row a model, condition and metric."""
    rows = [
        {
            "Model": cell["model"],
            "Paper's table": cell["table"],
            "Condition": in_words(cell["unknown"], cell["extra"], cell["per_unknown"]),
            "Metric": cell["metric"].replace(".", ": ").replace("_", " "),
            "Published": f"{cell['published']:.3f}",
            "Measured": f"{cell['measured']:.3f}"
            + (f" ({cell['low']:.3f}–{cell['high']:.3f})" if cell["seeds"] > 1 else ""),
            "Difference": f"{cell['difference']:+.3f}",
        }
        for cell in table.to_dict("records")
    ]
    titles = ["Model", "Paper's table", "Condition", "Metric"]
    printed = pd.DataFrame(rows, columns=[*titles, "Published", "Measured", "Difference"])
    return _printed(printed if table["model"].nunique() > 1 else printed.drop(columns="Model"))


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Print a tidy frame as it is (costs): four significant digits, nulls as "–"."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
        return f"{value:,}" if isinstance(value, int) else str(value)

    printed = table.astype(object).map(cell).where(table.notna(), NOT_ASKED)
    return _printed(printed.rename(columns=lambda name: str(name).replace("_", " ").capitalize()))


def _by_condition(
    table: pd.DataFrame, runs: pd.DataFrame, value: str, keys: list[str], digits: int
) -> pd.DataFrame:
    named = with_condition(table, runs)
    _check_seeds(named, keys)
    cells = named.groupby(["model", "unknown", *keys, "condition"], observed=True)[value].apply(
        over_seeds, digits=digits
    )
    return rows_of(cells.unstack("condition"), named)


def _by_run(
    named: pd.DataFrame, columns: Mapping[str, tuple[str, int]], keys: list[str]
) -> pd.DataFrame:
    _check_seeds(named, keys)
    groups = _groups(named, [named[key] for key in keys])
    cells = {
        title: groups[name].apply(over_seeds, digits=digits)
        for name, (title, digits) in columns.items()
    }
    return rows_of(pd.DataFrame(cells), named)


def _groups(named: pd.DataFrame, keys: list[pd.Series]) -> "pd.api.typing.DataFrameGroupBy":
    """Group by model and condition; unknown is null for the model itself, which comes first."""
    order = named["unknown"].fillna(0).astype(int).rename("unknown")
    condition = named["condition"].cat.add_categories("base").fillna("base")
    condition = condition.cat.reorder_categories(["base", *named["condition"].cat.categories])
    return named.groupby(["model", order, condition, *keys], observed=True)


def rows_of(cells: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Make the row keys columns, in words, and leave out the model where there is only one."""
    printed = cells.reset_index()
    if "condition" in printed:
        base = printed["condition"] == "base"
        printed["unknown"] = printed["unknown"].astype(object).mask(base, "base model")
        printed["condition"] = printed["condition"].astype(object).mask(base, NOT_ASKED)
    if named["model"].nunique() == 1:
        printed = printed.drop(columns="model")
    titles = {"model": "Model", "unknown": "Unknown facts", "condition": "Extras"}
    return _printed(printed.rename(columns=titles))


def _printed(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype(object).where(frame.notna(), NOT_ASKED)
    for name in frame:
        frame[name] = [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in frame[name]]
    return frame.rename_axis(columns=None)


def _with_error(runs: pd.DataFrame) -> str:
    if len(runs) == 1 and runs["stderr"].notna().all():
        return f"{over_seeds(runs['value'], 3)} ± {runs['stderr'].iloc[0]:.3f}"
    return over_seeds(runs["value"], 3)


def _check_seeds(named: pd.DataFrame, keys: list[str]) -> None:
    """Refuse to average runs that differ in more than their seed."""
    cell = ["model", "unknown", "condition", "seed", *keys]
    twice = named[named.duplicated(cell)]
    if not twice.empty:
        model, run = twice.iloc[0][["model", "run"]]
        raise DataError(f"run '{run}' of '{model}': another run has its condition and its seed")
