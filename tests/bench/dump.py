"""A synthetic dump of the form and skew of DBpedia's mapping-based objects, of any size.

    python tests/bench/dump.py PATH TRIPLES [stream|streams|plain]

The dump of December 2022 has 22.8 million triples over 8 million entities, is sorted by its lines'
bytes and holds no line twice. Popularity follows Zipf's law: a country stands in hundred thousands
of triples, most entities in one to three. Names are made up; of the relations the frequent ones are
real. Equal arguments give equal bytes.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bz2_stream import FORMS

RESOURCE = "<http://dbpedia.org/resource/"
ONTOLOGY = "<http://dbpedia.org/ontology/"
# The most frequent relations in about the order of the real dump.
FREQUENT = Path(__file__).with_name("relations.txt").read_text().split()
RELATIONS = 600
EXTERNAL = 0.001  # the share of objects that are Wikidata's
KINDS = ("film", "album", "song", "footballer", "band", "novel", "politician", "TV_series", "ship")
SYLLABLES = [a + b for a in (*"bdfghklmnprstvz", "st", "tr", "ch") for b in "aeiou"]
RARE = ("é", "ö", "ł", "ś", "–", "%22", "%3F", "'", ".", ",")
CHUNK = 400_000


@dataclass(frozen=True)
class World:
    """Entities, sorted as the dump's lines are, and what decides their triples."""

    names: pa.StringArray  # of a title and the ``>`` that ends it, on which the order depends
    by_rank: np.ndarray  # the entity of each popularity rank
    degree: np.ndarray  # how many triples an entity is the subject of
    node: np.ndarray  # whether an entity is a generated node
    stations: np.ndarray  # the generated nodes ...
    owners: np.ndarray  # ... and whose they are, ascending
    relations: pa.StringArray  # sorted, with the ``>``
    share: np.ndarray  # of the triples, cumulated over ``by_share``
    by_share: np.ndarray


def write_dump(
    path: Path,
    triples: int,
    asked: Sequence[str] = (),
    *,
    seed: int = 42,
    malformed: float = 1e-5,
    form: str = "stream",
) -> int:
    """Write a dump of about ``triples`` triples and return its exact number of lines.

    ``asked`` are names of relations, such as those with a template, that come after the frequent
    ones; ``malformed`` is the share of lines cut off in the middle. ``form`` is ``stream`` (one bz2
    stream, as lbzip2 writes the real one), ``streams`` (as pbzip2 does) or ``plain``.
    """
    rng = np.random.default_rng(seed)
    world = _world(triples, asked, rng)
    temporary = path.with_name(f".{path.name}.tmp")
    lines = 2
    with FORMS[form](temporary) as write:
        write(b"# started 2022-12-01T00:00:00Z\n")
        for part in _chunks(world):
            text = _lines(world, _triples(world, part, rng), malformed, rng)
            start, end = np.frombuffer(text.buffers()[1], np.int32)[[0, len(text)]]
            write(memoryview(text.buffers()[2])[start:end])
            lines += len(text)
        write(b"# completed 2022-12-01T01:00:00Z\n")
    temporary.replace(path)
    return lines


def _world(triples: int, asked: Sequence[str], rng: np.random.Generator) -> World:
    entities = int(0.41 * triples) + 50
    titles = _titles(int(0.83 * entities), rng)
    people = rng.choice(len(titles), len(titles) // 20, replace=False)
    careers = np.repeat(people, rng.integers(1, 8, len(people)))
    order, names = _sorted_names(titles, careers)
    place = np.argsort(order)  # where each unsorted name went
    stations = place[len(titles) :]
    owners = place[careers]
    by_owner = np.lexsort([stations, owners])
    by_rank = rng.permutation(place[: len(titles)])
    node = np.zeros(len(names), bool)
    node[stations] = True
    return World(
        names,
        by_rank,
        _degrees(triples - 2 * len(stations), by_rank, node, rng),
        node,
        stations[by_owner],
        owners[by_owner],
        *_relations(asked),
    )


def _titles(count: int, rng: np.random.Generator) -> pa.StringArray:
    """Return about ``count`` distinct titles of one to four words, some with what tells them apart."""
    lengths = rng.integers(2, 5, 30_000)
    picks = rng.integers(0, len(SYLLABLES), (len(lengths), 4))
    rare = rng.random(len(lengths)) < 0.03
    words = [
        "".join(SYLLABLES[pick] for pick in row[:length]).capitalize() + (RARE[row[0] % 10] * odd)
        for row, length, odd in zip(picks.tolist(), lengths.tolist(), rare.tolist(), strict=True)
    ]
    vocabulary = pa.array([*words, *(f"({kind})" for kind in KINDS), None])
    drawn = int(1.02 * count) + 50
    used = (len(words) * rng.random((drawn, 4)) ** 1.7).astype(np.int32)
    used[np.arange(4) >= rng.choice(4, drawn, p=[0.05, 0.6, 0.27, 0.08])[:, None] + 1] = -1
    marked = rng.random(drawn) < 0.12
    used[marked, 3] = rng.integers(len(words), len(words) + len(KINDS), int(marked.sum()))
    columns = [
        vocabulary.take(pa.array(np.where(column < 0, len(vocabulary) - 1, column)))
        for column in used.T
    ]
    titles = pc.binary_join_element_wise(*columns, "_", null_handling="skip")
    return titles.unique()[:count]


def _sorted_names(titles: pa.StringArray, careers: np.ndarray) -> tuple[np.ndarray, pa.StringArray]:
    """Return titles and their generated nodes in the order of the bytes, and that order."""
    starts = np.flatnonzero(np.diff(careers, prepend=-1))
    numbers = np.arange(len(careers)) - np.repeat(starts, np.diff([*starts, len(careers)])) + 1
    nodes = pc.binary_join_element_wise(
        titles.take(pa.array(careers)), "CareerStation", pa.array(numbers).cast("string"), "__"
    )
    names = pc.binary_join_element_wise(pa.concat_arrays([titles, nodes]), ">", "")
    order = pc.sort_indices(names)
    return order.to_numpy(), names.take(order)


def _degrees(
    triples: int, by_rank: np.ndarray, node: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw how often each entity is a subject, in all ``triples`` times; popular ones more often."""
    degree = np.zeros(len(node), np.int64)
    popular = 25 / (1 + np.arange(len(by_rank)) / (len(by_rank) / 4000))
    degree[by_rank] = rng.geometric(0.24, len(by_rank)) + popular.astype(np.int64)
    order = rng.permutation(by_rank)
    degree[order[np.cumsum(degree[order]) > triples]] = 0
    degree[node] = 1
    return degree


def _relations(asked: Sequence[str]) -> tuple[pa.StringArray, np.ndarray, np.ndarray]:
    made_up = (f"{a}{b.capitalize()}{c}" for c in "ABCD" for a in SYLLABLES[::5] for b in SYLLABLES)
    names = list(dict.fromkeys([*FREQUENT[1:], *asked, *made_up]))[:RELATIONS]
    weight = 1 / (4 + np.arange(len(names)))
    names = [*names, FREQUENT[0]]  # drawn for its generated nodes only
    ranked = np.array([name + ">" for name in names])
    order = np.argsort(ranked)
    return pa.array(ranked[order]), np.cumsum(weight / weight.sum()), np.argsort(order)


def _chunks(world: World) -> Iterator[tuple[int, int]]:
    """Cut the subjects so that each part has about CHUNK triples."""
    done = np.cumsum(world.degree)
    cuts = np.searchsorted(done, np.arange(CHUNK, done[-1], CHUNK))
    bounds = np.unique([0, *cuts, len(done)])
    yield from zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)


def _triples(world: World, part: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw the triples of the subjects from ``part[0]`` to ``part[1]``: three rows of indices."""
    subject = np.repeat(np.arange(*part), world.degree[slice(*part)])
    relation = np.searchsorted(world.share, rng.random(len(subject))).clip(max=RELATIONS - 1)
    again = (np.diff(subject, prepend=-1) == 0) & (rng.random(len(subject)) < 0.3)
    last = np.maximum.accumulate(np.where(again, 0, np.arange(len(subject))))
    relation = world.by_share[relation[last]]
    names = world.relations.to_pylist()
    relation[world.node[subject]] = names.index("team>")
    # Zipf's law with an offset: the first entity is the object of 2% of a large dump's triples.
    top, offset = len(world.by_rank), 3.0
    rank = offset * ((top + offset) / offset) ** rng.random(len(subject)) - offset
    target = world.by_rank[rank.astype(np.int64).clip(max=top - 1)]
    own = slice(*np.searchsorted(world.owners, part))
    subject = np.concatenate([subject, world.owners[own]])
    relation = np.concatenate(
        [relation, np.full(own.stop - own.start, names.index("careerStation>"))]
    )
    target = np.concatenate([target, world.stations[own]])
    order = np.lexsort([target, relation, subject])
    rows = np.stack([subject, relation, target])[:, order]
    return rows[:, np.any(np.diff(rows, prepend=-1), axis=0)]


def _lines(
    world: World, rows: np.ndarray, malformed: float, rng: np.random.Generator
) -> pa.StringArray:
    subject, relation, target = rows
    ending = pc.binary_join_element_wise(RESOURCE, world.names.take(pa.array(target)), "")
    foreign = rng.random(len(target)) < EXTERNAL
    items = [f"<http://www.wikidata.org/entity/Q{number}>" for number in target[foreign].tolist()]
    ending = pc.replace_with_mask(ending, pa.array(foreign), pa.array(items, pa.string()))
    lines = pc.binary_join_element_wise(
        RESOURCE,
        world.names.take(pa.array(subject)),
        " " + ONTOLOGY,
        world.relations.take(pa.array(relation)),
        " ",
        ending,
        " .\n",
        "",
    )
    broken = rng.random(len(target)) < malformed
    halves = [line[: len(line) // 2] + "\n" for line in lines.filter(pa.array(broken)).to_pylist()]
    return pc.replace_with_mask(lines, pa.array(broken), pa.array(halves, pa.string()))


if __name__ == "__main__":
    path, triples, form = Path(sys.argv[1]), int(sys.argv[2]), (sys.argv[3:] or ["stream"])[0]
    print(f"{path}: {write_dump(path, triples, form=form):,} lines")
