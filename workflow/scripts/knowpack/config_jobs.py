"""What jobs ask of their machine or cluster, as sections of the configuration.

The figures are of Gemma 3 270M on a CPU, each with room to spare (docs/cluster.md, docs/costs.md). Times
of an 8B model are those that docs/costs.md models for an H100; slower GPUs take several times as long.
None of them changes what a job makes, so another value runs nothing again.
"""

from knowpack.strict import Positive, Strict


class Ask(Strict):
    """Jobs that start vLLM: they ask, or write paraphrases."""

    mem_mb: Positive = 12000
    """Memory in MB; with a cache of 2 GiB 6.7 GB were measured, and 8.5 in float32. Doubled where a job ran
    out of it."""
    runtime: Positive = 240
    """Longest time in minutes; 2 were measured in a small study, and 7 are modelled for the 210,360 prompts
    that the paper asks an adapter."""
    devices: Positive = 1
    """GPUs that share one model (tensor parallelism), or processes on a CPU. It divides the number of
    the model's attention heads."""


class Train(Strict):
    """Jobs that train an adapter."""

    mem_mb: Positive = 8000
    """Memory in MB; 1.8 GB were measured, with batches of 8. Doubled where a job ran out of it."""
    runtime: Positive = 480
    """Longest time in minutes; 1 was measured for 8 facts, and 40 are modelled for the paper's largest
    adapter. A training that is cut off goes on from its last epoch."""
    devices: Positive = 1
    """GPUs that share one model (FSDP), or processes on a CPU. It divides `training.batch_size`."""


class Prepare(Strict):
    """Jobs that get models and build facts."""

    mem_mb: Positive = 8000
    """Memory in MB; 3.4 GB were measured for a model, 2.9 for a dump of 22.8 million triples."""
    runtime: Positive = 240
    """Longest time in minutes; 2 were measured for a model from a package, and 141 GB (Llama 3.1 70B) take
    235 at 10 MB a second."""


class Score(Strict):
    """Jobs that load or score benchmarks with lm-eval."""

    mem_mb: Positive = 4000
    """Memory in MB; 271 MB were measured for six labels and scores side by side. The rest is for
    benchmarks of many questions, which are in memory as a whole."""
    runtime: Positive = 60
    """Longest time in minutes; those six took 45 seconds."""


class Tables(Strict):
    """All other jobs: they read and write tables."""

    mem_mb: Positive = 2000
    """Memory in MB; 279 MB were measured for all tables, figures and the page in one job. The rest is for
    studies of many runs, whose answers are in memory as a whole."""
    runtime: Positive = 30
    """Longest time in minutes; all of those took one and a half."""


class Jobs(Strict):
    """What jobs ask for where a scheduler shares out a machine or a cluster."""

    ask: Ask = Ask()
    """Jobs that start vLLM."""
    train: Train = Train()
    """Jobs that train an adapter."""
    prepare: Prepare = Prepare()
    """Jobs that get models and build facts."""
    score: Score = Score()
    """Jobs that load or score benchmarks."""
    tables: Tables = Tables()
    """All other jobs."""
