"""A made-up study of two models, three conditions and two seeds, for layout, figures and report."""

import pandas as pd

from knowpack.conditions import recipes

CONDITIONS = [("none", 0), ("highly_known", 10), ("paraphrase", 1)]


def runs(models=("m1",), levels=(10, 50), seeds=(1, 2), **settings) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model": model,
                "run": f"r{level}-{extra[0]}{per}-{seed}",
                "unknown": level,
                "extra": extra,
                "per_unknown": per,
                "seed": seed,
                "rows": level * (1 + per),
                "rank": 1,
            }
            | settings
            for model in models
            for level in levels
            for extra, per in CONDITIONS
            for seed in seeds
        ]
    )


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table[["model", "run", "unknown", "extra", "per_unknown", "seed"]]


def reliability(table: pd.DataFrame, epochs=(3,)) -> pd.DataFrame:
    frames = [
        _named(table).assign(epoch=epoch, reliability=table["seed"] / 10 + epoch / 10, facts=1)
        for epoch in epochs
    ]
    return pd.concat(frames, ignore_index=True)


def generalization(table: pd.DataFrame, kinds=("held_out", "reversed")) -> pd.DataFrame:
    """Reversed questions of half the facts; the model itself knows a tenth of those."""
    base = table.drop_duplicates("model")[["model"]].assign(run="base", unknown=50, p=0.0)
    every = pd.concat([base, _named(table).assign(p=table["seed"] / 10)], ignore_index=True)
    every["unknown"] = every["unknown"].astype("Int64")
    held_out = every.assign(kind="held_out", wordings=2, p_correct=every["p"], reliability=0.9)
    back = every.assign(kind="reversed", wordings=1, p_correct=every["p"] / 2 + 0.1)
    frames = [held_out.assign(facts=every["unknown"]), back.assign(facts=every["unknown"] // 2)]
    whole = pd.concat([frames[0], frames[1].assign(reliability=0.8)], ignore_index=True)
    at_once = whole["run"] == "base"
    whole.loc[at_once, ["unknown", "reliability"]] = [pd.NA, 0.0]
    whole["base"] = whole["kind"].map({"held_out": 0.0, "reversed": 0.1})
    return whole[whole["kind"].isin(kinds)].drop(columns="p")


def shifts(table: pd.DataFrame) -> pd.DataFrame:
    return _named(table).assign(
        uk_uk=1200,
        hk_hk=800,
        positive_shift=table["seed"] / 100,
        negative_shift=table["unknown"] / 100,
        positive_shift_untrained=None,
        negative_shift_untrained=0.25,
    )


def categories(models=("m1",)) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model": model, "category": name, "facts": facts, "share": facts / 2000}
            for model in models
            for name, facts in (("Unknown", 1200), ("MaybeKnown", 500), ("HighlyKnown", 300))
        ]
    )


def benchmarks(table: pd.DataFrame, metrics=(("mmlu", "acc"),)) -> pd.DataFrame:
    base = table.drop_duplicates("model")[["model"]].assign(run="base", value=0.6)
    every = pd.concat([base, _named(table).assign(value=table["seed"] / 10)], ignore_index=True)
    every = every.assign(stderr=0.004, questions=9, protocol="5-shot")
    frames = [every.assign(task=task, metric=metric) for task, metric in metrics]
    return pd.concat(frames, ignore_index=True) if frames else every.assign(task="", metric="")[:0]


def shift_reasons(table: pd.DataFrame) -> pd.DataFrame:
    both = table[["model", "run"]].merge(
        pd.DataFrame({"direction": ["positive", "negative"]}), "cross"
    )
    reasons = ["non_refusal", "explosion", "target_based", "domain_shift", "explained"]
    return both.assign(shifts=4, **dict.fromkeys(reasons, 0.25))


def shift_examples(table: pd.DataFrame) -> pd.DataFrame:
    texts = {
        "question": "Where is the Louvre?",
        "answer": "Paris",
        "before": "Rome",
        "after": "Paris",
    }
    held = {"non_refusal": False, "explosion": False, "target_based": True, "domain_shift": True}
    one = table[["model", "run"]].assign(direction="positive", fact_id="a", trained=True, **texts)
    return one.assign(**held, explained=True)


def capacity(table: pd.DataFrame) -> pd.DataFrame:
    recipe = recipes(table).astype(str)
    found = table.assign(recipe=recipe)[["model", "recipe"]].drop_duplicates()
    goal = {"target": 0.9, "budget": 0.1}
    return found.assign(**goal, capacity=40.0, low=0.0, high=50.0, beyond=False)


def frontier(table: pd.DataFrame) -> pd.DataFrame:
    named = table.assign(recipe=recipes(table).astype(str))
    cells = named[["model", "unknown", "recipe"]].drop_duplicates()
    both = {"reliability": 0.95, "negative_shift": 0.05, "drop": 0.02}
    ends = {f"{name}_{end}": value for name, value in both.items() for end in ("low", "high")}
    cells = cells.assign(seeds=2, benchmark="mmlu", **both, **ends, target=0.9, budget=0.1)
    otherwise = ["generalization", "generalization_low", "generalization_high", "target_otherwise"]
    cells[otherwise] = float("nan")
    first = ~cells.duplicated(["model", "unknown"])
    return cells.assign(
        harm=cells["unknown"] / 1000, reaches=True, meets=True, on_frontier=first, pick=first
    ).reset_index(drop=True)


def levers(table: pd.DataFrame) -> pd.DataFrame:
    cells = table[["model", "unknown"]].drop_duplicates()
    pair = {"recipe": "10 HK", "against": "no extras", "lever": "10 HK for no extras"}
    ends = {"difference": 0.1, "low": 0.05, "high": 0.15}
    return cells.assign(**pair, measure="reliability", **ends, units=10, seeds=2, helps=True)
