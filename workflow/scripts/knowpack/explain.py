"""How a run or a table was made, as a page of plain text: from the records of its jobs."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from knowpack.contents import TABLES
from knowpack.evidence import Evidence, key
from knowpack.plain_text import Line, columns, counted, duration, items, listed, section, settings
from knowpack.present import STACKS
from knowpack.provenance import ENVIRONMENTS
from knowpack.records import Record
from knowpack.seeds import sub_seed

TRAINED = ("adapter", "training", "order")  # the seeds that training derives from a run's
EXTRAS = {"highly_known": "HighlyKnown fact", "paraphrase": "paraphrase"}
EXTRAS |= {"same_domain": "same-domain HighlyKnown fact", "replay": "own answer"}


def page(evidence: Evidence) -> str:
    """Return the page, at most `knowpack.plain_text.WIDTH` columns wide."""
    sections = [
        ("WHAT IT IS", _what(evidence)),
        ("DATA", _data(evidence)),
        ("MODEL", _models(evidence)),
        ("TRAINING", _training(evidence)),
        ("ASKED", _asked(evidence)),
        ("RESULTS", evidence.results),
        ("MACHINES AND VERSIONS", _versions(evidence.records)),
    ]
    parts = [f"{evidence.subject}, study '{evidence.study}'"]
    parts += [section(title, lines) for title, lines in sections if lines]
    parts += [_jobs(evidence)] if evidence.records else []
    parts.append(items("NOW", _today(evidence)))
    text = "\n\n".join(parts) + "\n"
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _what(evidence: Evidence) -> list[Line]:
    if evidence.table:
        title, paper = TABLES[evidence.table]
        lines = [("table", f"{title} ({paper} in the paper)" if paper else title)]
        lines.append(("", evidence.file(f"tables/{evidence.table}.parquet")))
        trained = evidence.of("train_adapter")
        adapted = [*trained, *evidence.of("scale_adapter")]
        runs = [" ".join(record["wildcards"].values()) for record in adapted]
        seeds = sorted({record["spec"]["seed"] for record in trained})
        if trained:
            lines.append(("runs", f"{len(runs)}: {listed(sorted(runs))}"))
            lines.append(("seeds", listed([str(seed) for seed in seeds])))
        return lines
    if evidence.run == "base":
        return [("condition", "the model itself, taught nothing")]
    spec = evidence.spec("select_rows", evidence.run)
    if not spec:
        return [("condition", "not known: there is no record of its rows")]
    words = counted(spec["unknown"], "Unknown fact")
    if spec["extra"] != "none":
        words += f", each with {counted(spec['per_unknown'], EXTRAS[spec['extra']])}"
    return [("condition", f"{words}; seed {spec['seed']}")]


def _data(evidence: Evidence) -> list[Line]:
    lines = []
    for name in ("facts", "extra_facts"):
        spec = evidence.spec(f"build_{name}") or {}
        if spec or name in evidence.counts:
            number = f"{evidence.counts[name]:,}" if name in evidence.counts else "gone"
            about = settings({"source": "", **spec})
            lines.append((name.replace("_", " "), f"{number}: {about}" if about else number))
            lines.append(("", evidence.file(f"{name}.parquet")))
    if evidence.roles:
        roles = [f"{number:,} {role}" for role, number in evidence.roles.items()]
        lines.append(("rows", ", ".join(roles)))
        for record in evidence.of("select_rows", evidence.run):
            lines.append(("", evidence.file(key(record))))
    shots = evidence.spec("draw_shots")
    return [*lines, ("prompts", settings(shots))] if shots else lines


def _models(evidence: Evidence) -> list[Line]:
    lines = []
    for name, made in evidence.models.items():
        weights = {n: f for n, f in made["files"].items() if n.endswith(".safetensors")}
        size = sum(file["bytes"] for file in weights.values())
        sums = [f"{file} with SHA-256 {about['sha256']}" for file, about in weights.items()]
        lines.append((name, settings(made["source"])))
        lines.append(("", f"{size / 1e6:,.1f} MB: {listed(sums, 4)}"))
        lines.append(("", evidence.file(f"{name}/model/model.json")))
    return lines


def _training(evidence: Evidence) -> list[Line]:
    scaled = evidence.spec("scale_adapter", evidence.run) if evidence.run else None
    trained = scaled["of"] if scaled else evidence.run
    found = evidence.of("train_adapter", trained) if trained else []
    made = evidence.made
    if not found and not made:
        return []
    spec = found[-1]["spec"] if found else made["spec"]
    lines = [("settings", settings(spec)), ("seeds", _seeds(evidence, spec["seed"]))]
    if made.get("loss"):
        (first, high), (last, low) = made["loss"][0], made["loss"][-1]
        lines.append(("loss", f"{high:.4f} at step {first}, {low:.4f} at step {last}"))
    if "best_epoch" in made:
        kept = f"stopped after {made['epochs']}; that of the lowest loss on held-out facts is"
        lines.append(("epochs", f"{kept} number {made['best_epoch']}"))
    if made:
        rate = made["tokens_per_second"]
        pace = f", {rate:,.1f} tokens a second" if rate else ""
        lines.append(("took", f"{duration(made['seconds'])} on {made['device']}{pace}"))
    if scaled:
        lines.append(("strength", f"{scaled['strength']:g}: the adapter of {trained}, scaled"))
    for file in found[-1]["outputs"] if found else []:
        if file.endswith(".safetensors"):
            lines.append(("adapter", evidence.file(file)))
    if not found:
        lines.append(("made with", f"code {made['code']}, {', '.join(made['stack'])}"))
    return lines


def _seeds(evidence: Evidence, seed: int) -> str:
    """The run's seed and those derived from it; and the others that a run depends on."""
    selected, shots = evidence.spec("select_rows", evidence.run), evidence.spec("draw_shots")
    names = [*TRAINED]
    if selected:
        if selected["extra"] in ("highly_known", "same_domain"):
            names += ["highly_known"] + ["extra_facts"] * bool(evidence.of("build_extra_facts"))
        names += ["replay"] * (selected["extra"] == "replay")
        names += ["held_out"] * ("held_out" in selected)
    parts = [f"run {seed}, and from it {', '.join(f'{n} {sub_seed(seed, n)}' for n in names)}"]
    if selected:
        facts = selected["facts_seed"]
        parts.append(f"facts {facts}, and from it unknown {sub_seed(facts, 'unknown')}")
    return "; ".join([*parts, f"prompts {shots['seed']}"] if shots else parts)


def _asked(evidence: Evidence) -> list[Line]:
    lines, engines = [], []
    for record in evidence.of("ask") if evidence.run else []:
        spec = {name: value for name, value in record["spec"].items() if name != "engine"}
        engines.append(settings(record["spec"]["engine"]))
        if "suite" in spec:
            spec = {"tasks": [task["task"] for task in spec.pop("suite")], **spec}
        cost, took = evidence.asked.get(key(record)), ""
        if cost:
            seconds = duration(float(cost["seconds"]))
            took = f"{int(cost['prompts']):,} prompts in {seconds} on {cost['device']}; "
        place = record["wildcards"]
        own = place["run"] == evidence.run
        lines.append((f"{'' if own else 'base '}{place['suite']}", took + settings(spec)))
    return lines + [("engine", text) for text in dict.fromkeys(engines)]


def _versions(records: Iterable[Record]) -> list[Line]:
    """Machines and installed versions; those that differ between jobs, or from the pinned, with both."""
    found: dict[str, dict[str, None]] = {}
    machines: dict[Line, None] = {}
    files: set[str] = set()
    for record in records:
        place = record["platform"]
        machine = "{processor}, {cores} cores, {system}, device {device}".format(**place)
        machine += f" x {place['devices']}" if place["devices"] > 1 else ""
        machines[("machine", machine)] = None
        pinned = dict(pin.split("==") for pin in record["stack"])
        files |= _environment(record)
        for name, installed in record["versions"].items():
            wanted = pinned.get(name)
            as_pinned = wanted is None or (installed or "").split("+")[0] == wanted
            text = (installed or "absent") + ("" if as_pinned else f" (pinned: {wanted})")
            found.setdefault(name, {})[text] = None
    names = sorted(found, key=lambda name: (name != "python", name))
    versions = ", ".join(f"{name} {' and '.join(found[name])}" for name in names)
    pinned_in = [("pinned in", ", ".join(sorted(files)))] if files else []
    return [*machines, ("versions", versions), *pinned_in] if found else []


def _environment(record: Record) -> set[str]:
    """The file that pins the versions of a job, where it carries them."""
    if not record["stack"] or record["rule"] not in STACKS:
        return set()
    kind = STACKS[record["rule"]]
    device = "cpu" if record["platform"]["device"] == "cpu" else "cuda"
    common = (ENVIRONMENTS / f"{kind}.yaml").is_file()
    return {f"envs/{kind}.yaml" if common else f"envs/{kind}.{device}.yaml"}


def _jobs(evidence: Evidence) -> str:
    """A table of the jobs by rule: how many, when the last ended, how long, code, and their state."""
    rows = [("rule", "jobs", "ended (UTC)", "took", "code", "files", "if made now")]
    for rule in dict.fromkeys(record["rule"] for record in evidence.records):
        found = evidence.of(rule)
        seconds = sum((_time(r["ended"]) - _time(r["begun"])).total_seconds() for r in found)
        codes = {record["code"] for record in found}
        other = sum(bool(evidence.differs.get(key(record))) for record in found)
        rows.append(
            (
                rule,
                str(len(found)),
                found[-1]["ended"][:16].replace("T", " "),
                duration(seconds),
                str(min(codes))[:12] if len(codes) == 1 else f"{len(codes)} codes",
                evidence.state(found),
                f"{other} otherwise" if other else "the same",
            )
        )
    return columns("HOW IT WAS MADE", rows)


def _today(evidence: Evidence) -> Iterator[str]:
    """What is no longer as it was recorded, what would be made otherwise, and what is not known."""
    faults = [*evidence.faults()]
    yield from faults
    reasons = Counter(
        (record["rule"], line)
        for record in evidence.records
        for line in evidence.differs.get(key(record), ())
    )
    for (rule, line), number in reasons.items():
        yield f"{rule}{f' ({number} jobs)' if number > 1 else ''}: {line}"
    if evidence.new_runs:
        yield f"not in it, but in the present configuration: {listed(evidence.new_runs)}"
    if evidence.records and not faults:
        yield "Every recorded file is as it was."
    if evidence.records and not reasons and not evidence.new_runs:
        yield "The present configuration and code would make it in the same way."
    if evidence.unrecorded:
        yield (
            "Not known, for want of a record (made before there were any, or moved without them), "
            f"is how these were made: {listed(evidence.unrecorded)}"
        )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
