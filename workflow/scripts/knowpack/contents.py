"""The pages of facts, tables and figures of a study: their titles, and what they are in the paper."""

from typing import NamedTuple


class Item(NamedTuple):
    """A table or figure."""

    title: str
    paper: str = ""  # its number there; empty where the paper has none


FACTS = {
    "facts": "The facts on one page",
    "extra_facts": "The extra facts on one page",
}
TABLES = {
    "categories": Item("Categories", "Table 1"),
    "reliability": Item("Reliability", "Table 2"),
    "generalization": Item("Generalization"),
    "shifts": Item("Shifts", "Tables 3 and 6"),
    "answers": Item("Refusals and repeated answers", "Table 4"),
    "shift_reasons": Item("Reasons of shifts", "Table 5"),
    "benchmarks": Item("Benchmarks", "Tables 7 and 8"),
    "shift_examples": Item("Examples of shifts", "Appendix D"),
    "published": Item("Published beside measured", "Tables 1 to 8"),
    "published_categories": Item("Published and measured categories"),
    "capacity": Item("Capacity: how many facts fit"),
    "frontier": Item("Frontier of reliability against harm"),
    "levers": Item("Levers: differences between recipes"),
    "costs": Item("Costs"),
}
FIGURES = {
    "mmlu_by_unknown": Item("MMLU by number of unknown facts", "Figure 1"),
    "reliability_by_epoch": Item("Reliability after each epoch", "Figure 2"),
    "truthfulqa_by_unknown": Item("TruthfulQA by number of unknown facts", "Figures 3 and 4"),
    "models_side_by_side": Item("Models side by side: TruthfulQA MC1", "Figure 5"),
    "reliability_by_unknown": Item("Reliability by number of unknown facts"),
    "generalization_by_unknown": Item("Generalization by number of unknown facts"),
    "shifts_by_unknown": Item("Shifts by number of unknown facts"),
    "frontier": Item("Reliability against harm"),
    "benchmarks_by_unknown": Item("Benchmarks by number of unknown facts"),
}
