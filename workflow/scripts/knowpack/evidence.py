"""What a page of `knowpack.explain` is made of: what was recorded, and what lies there now."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from knowpack.plain_text import Line
from knowpack.records import Record

DIGITS = 16  # of a checksum, as a page shows it


@dataclass(frozen=True)
class Evidence:
    """All that is known of a run, or of a table; files are paths in the study.

    ``now`` has the present SHA-256 of every file that was read or made, null where it is gone;
    ``differs`` says of each job, by its first output, in what it would differ if it were made now
    (`knowpack.present.differences`).
    """

    study: str
    subject: str
    records: Sequence[Record]
    run: str = ""
    table: str = ""
    unrecorded: Sequence[str] = ()
    now: Mapping[str, str | None] = field(default_factory=dict)
    differs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # model.json by model
    resized: Sequence[str] = ()  # files of models whose size is no longer that in model.json
    made: Mapping[str, Any] = field(default_factory=dict)  # run.json
    counts: Mapping[str, int] = field(default_factory=dict)  # of facts and extra_facts
    roles: Mapping[str, int] = field(default_factory=dict)  # of the run's rows
    asked: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # footers of responses
    results: Sequence[Line] = ()
    new_runs: Sequence[str] = ()  # of the present configuration, and not in the table

    def of(self, rule: str, run: str = "") -> list[Record]:
        """The records of a rule, or of a run's job of it, by their end."""
        found = [record for record in self.records if record["rule"] == rule]
        return [record for record in found if not run or record["wildcards"].get("run") == run]

    def spec(self, rule: str, run: str = "") -> Any:
        """What the last such job was given of the configuration, or None."""
        found = self.of(rule, run)
        return found[-1]["spec"] if found else None

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Every recorded file's checksum as its last maker left it."""
        return {file: then for record in self.records for file, then in record["outputs"].items()}

    def file(self, path: str) -> str:
        """A file with its checksum as recorded, and whether it is so still."""
        if path not in self.outputs:
            return f"{path}: not recorded"
        then = self.outputs[path][:DIGITS]
        return f"{path}, SHA-256 {then}, {self._change(path) or 'unchanged'}"

    def state(self, records: Sequence[Record]) -> str:
        """How many of some jobs' results are changed or gone, or `unchanged`."""
        found: Counter[str] = Counter()
        for record in records:
            changes = [self._change(file) for file in record["outputs"]]
            found["gone"] += "gone" in changes
            found["changed"] += any(change not in ("", "gone") for change in changes)
        return ", ".join(f"{n} {what}" for what, n in sorted(found.items()) if n) or "unchanged"

    def faults(self) -> Iterator[str]:
        """Yield what is no longer as it was recorded, a sentence each."""
        for file in self.outputs:
            if change := self._change(file):
                yield f"{file}: {change}"
        for file in self.resized:
            yield f"{file}: of another size than recorded"
        for record in self.records:
            for file, then in record["inputs"].items():
                if self.outputs.get(file, self.now.get(file) or then) != then:
                    yield f"{key(record)}: made from an earlier {file}"

    def _change(self, file: str) -> str:
        now = self.now.get(file)
        if now == self.outputs[file]:
            return ""
        return "gone" if now is None else f"changed since (SHA-256 {now[:DIGITS]} now)"


def key(record: Record) -> str:
    """The file that stands for a job: the first that it made."""
    return next(iter(record["outputs"]), str(record["rule"]))
