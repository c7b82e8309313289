"""What jobs ask of their machine or cluster, as sections of the configuration.

The figures are of Gemma 3 270M on a CPU, each with room to spare. None of them changes what a job
makes, so another value runs nothing again.
"""

from knowpack.strict import Positive, Strict


class Ask(Strict):
    """Jobs that start vLLM: they ask, or write paraphrases."""

    mem_mb: Positive = 8000
    """Memory in MB; 5.9 GB were measured, with a cache of 2 GiB. Doubled where a job ran out of it."""
    runtime: Positive = 240
    """Longest time in minutes."""
    devices: Positive = 1
    """GPUs that share one model (tensor parallelism), or processes on a CPU. It divides the number of
    the model's attention heads."""


class Train(Strict):
    """Jobs that train an adapter."""

    mem_mb: Positive = 8000
    """Memory in MB; 1.8 GB were measured, with batches of 8. Doubled where a job ran out of it."""
    runtime: Positive = 480
    """Longest time in minutes; a training goes on from its last epoch."""
    devices: Positive = 1
    """GPUs that share one model (FSDP), or processes on a CPU. It divides `training.batch_size`."""


class Prepare(Strict):
    """Jobs that get models and build facts."""

    mem_mb: Positive = 8000
    """Memory in MB; 3.1 GB were measured for a model, 2.9 for a dump of 22.8 million triples."""
    runtime: Positive = 240
    """Longest time in minutes."""


class Score(Strict):
    """Jobs that load or score benchmarks with lm-eval."""

    mem_mb: Positive = 4000
    """Memory in MB."""
    runtime: Positive = 60
    """Longest time in minutes."""


class Tables(Strict):
    """All other jobs: they read and write tables."""

    mem_mb: Positive = 2000
    """Memory in MB."""
    runtime: Positive = 30
    """Longest time in minutes."""


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
