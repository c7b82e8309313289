"""Facts from a DBpedia dump the plain way: line by line, letter by letter, in three readings.

The baseline of facts.py. It takes the steps of Head-to-Tail's published notebook and reads as that
does, with Python's bz2 and each line's ``<...>`` found by position; a pass takes as long.
"""

import bz2
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

CLASSES = ("head", "torso", "tail")
RESOURCE = "<http://dbpedia.org/resource/"
ONTOLOGY = "<http://dbpedia.org/ontology/"
KEPT_AT_MOST = 10_000  # candidates of a relation and class, about
NOT_ASKED = {f"{ONTOLOGY}category>", f"{ONTOLOGY}isPartOf>"}
Fact = tuple[str, str, str, str]  # subject, relation, question, answer


def terms(line: str) -> list[str]:
    found = []
    depth = start = 0
    for position in range(len(line)):
        if line[position] == "<":
            if depth == 0:
                start = position
            depth += 1
        elif line[position] == ">":
            depth -= 1
            if depth == 0:
                found.append(line[start : position + 1])
    return found


def triples(path: Path) -> Iterator[list[str]]:
    """Read the dump; a line of other than three terms (a comment, or malformed) is skipped."""
    opened = bz2.open if path.suffix == ".bz2" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            found = terms(line)
            if len(found) == 3:
                yield found


def count_entities(path: Path) -> tuple[dict[str, int], int]:
    """First reading: how many triples each entity stands in, and how many relations there are."""
    entities: dict[str, int] = {}
    relations: dict[str, int] = {}
    for subject, relation, target in triples(path):
        entities[subject] = entities.get(subject, 0) + 1
        entities[target] = entities.get(target, 0) + 1
        relations[relation] = relations.get(relation, 0) + 1
    return entities, len(relations)


def thirds(entities: dict[str, int]) -> tuple[int, int]:
    """The counts up to which an entity is tail and torso: each class has a third of the mass."""
    total = sum(entities.values())
    cuts, mass = [], 0
    for count in sorted(entities.values()):
        mass += count
        while len(cuts) < 2 and mass * 3 >= total * (len(cuts) + 1):
            cuts.append(count)
    return cuts[0], cuts[-1]


def class_of(count: int, cuts: tuple[int, int]) -> str:
    if count <= cuts[0]:
        return "tail"
    return "torso" if count <= cuts[1] else "head"


def count_relations(
    path: Path, entities: dict[str, int], cuts: tuple[int, int]
) -> dict[str, dict[str, int]]:
    """Second reading: the triples of each relation in each class of subjects."""
    counts: dict[str, dict[str, int]] = {name: {} for name in CLASSES}
    for subject, relation, _ in triples(path):
        inside = counts[class_of(entities[subject], cuts)]
        inside[relation] = inside.get(relation, 0) + 1
    return counts


def pairs(path: Path) -> Iterator[list[list[str]]]:
    """Third reading: the neighbouring triples of one subject and relation."""
    group: list[list[str]] = []
    for triple in triples(path):
        if group and triple[:2] != group[0][:2]:
            yield group
            group = []
        group.append(triple)
    if group:
        yield group


def make_fact(triple: list[str], templates: dict[str, str]) -> Fact | None:
    subject, relation, target = triple
    name = unquote(subject.removeprefix(RESOURCE)[:-1])
    answer = unquote(target.removeprefix(RESOURCE)[:-1])
    if "__" in name or "__" in answer or answer.startswith("<http"):
        return None
    name, answer = name.replace("_", " "), answer.replace("_", " ")
    if name.startswith("List of ") or answer.startswith("List of ") or relation in NOT_ASKED:
        return None
    question = templates[relation].replace("_", name)
    if answer.lower() in question.lower():
        return None
    return subject, relation, question, answer


def mend(question: str) -> str:
    """Take out a doubled article, and a hint in parentheses that the question has already."""
    question = question.replace(" the the ", " the ").replace(" the The ", " the ")
    if question.endswith(")?") and "(" in question:
        before, hint = question[:-2].rsplit("(", 1)
        if f" {hint.lower()} " in before.lower():
            return f"{before.rstrip()}?"
    return question


def draw(candidates: dict[str, list[Fact]], cap: int) -> dict[str, list[Fact]]:
    """Draw equally often of each relation from all classes."""
    supply: dict[str, dict[str, int]] = {}
    for name in CLASSES:
        for fact in candidates[name]:
            counts = supply.setdefault(fact[1], dict.fromkeys(CLASSES, 0))
            counts[name] += 1
    drawn: dict[str, list[Fact]] = {name: [] for name in CLASSES}
    for name in CLASSES:
        taken: dict[str, int] = {}
        random.shuffle(candidates[name])
        for subject, relation, question, answer in candidates[name]:
            if taken.get(relation, 0) < min(cap, *supply[relation].values()):
                taken[relation] = taken.get(relation, 0) + 1
                drawn[name].append((subject, relation, mend(question), answer))
    return drawn


def build(path: Path, templates: dict[str, str], cap: int) -> dict[str, int]:
    """Draw facts from a dump and return counts of what was found.

    ``templates`` is in the published form, ``<http://dbpedia.org/ontology/capital>`` to ``What is
    the capital of _?``; at most ``cap`` facts are drawn of each relation and class.
    """
    random.seed(42)
    entities, relations = count_entities(path)
    cuts = thirds(entities)
    in_class = count_relations(path, entities, cuts)
    candidates: dict[str, list[Fact]] = {name: [] for name in CLASSES}
    for group in pairs(path):
        subject, relation, _ = group[0]
        if len(group) > 1 or relation not in templates:
            continue
        popularity = class_of(entities[subject], cuts)
        if random.random() < KEPT_AT_MOST / in_class[popularity][relation]:
            fact = make_fact(group[0], templates)
            if fact:
                candidates[popularity].append(fact)
    drawn = draw(candidates, cap)
    return {
        "entities": len(entities),
        "relations": relations,
        "facts": sum(map(len, drawn.values())),
        "asked": len({fact[1] for facts in drawn.values() for fact in facts}),
    }
