"""A suite of benchmarks asked of one run. lm-eval is imported only where it is needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from knowpack.engine import Engine


def ask_benchmarks(
    engine: Engine, files: Mapping[str, str], spec: Mapping[str, Any], output: Path, bar: Any
) -> dict[str, str]:
    """Ask every request of a suite; write the responses to ``output`` and return the cost.

    ``files`` has the path of an adapter's sums, unless the model itself is asked.
    """
    from knowpack.harness import BENCHMARK_RESPONSES, ask_suite
    from knowpack.tables import write_table
    from knowpack.tasks import load

    benchmarks = load(spec["suite"])
    engine.use(Path(files["adapter"]).parent if "adapter" in files else None)
    responses, cost = ask_suite(engine, benchmarks, spec["engine"]["max_model_len"], bar)
    write_table(responses, output, BENCHMARK_RESPONSES, cost)
    return cost
