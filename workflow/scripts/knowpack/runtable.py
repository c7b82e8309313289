"""The columns of runs.parquet: what a run is, and every setting that may differ between runs."""

import pyarrow as pa

# What a run is; every table of runs opens with these.
CONDITION = [
    pa.field("model", pa.string(), nullable=False),
    pa.field("run", pa.string(), nullable=False),
    pa.field("unknown", pa.int64(), nullable=False),
    pa.field("extra", pa.string(), nullable=False),
    pa.field("per_unknown", pa.int64(), nullable=False),
    pa.field("seed", pa.int64(), nullable=False),
]
RUNS = pa.schema(
    [
        *CONDITION,
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("loss", pa.string(), nullable=False),
        pa.field("epochs", pa.int64(), nullable=False),
        pa.field("learning_rate", pa.float64(), nullable=False),
        pa.field("batch_size", pa.int64(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("alpha", pa.float64(), nullable=False),
        pa.field("dropout", pa.float64(), nullable=False),
        pa.field("rslora", pa.bool_(), nullable=False),
        pa.field("target_modules", pa.list_(pa.string()), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("patience", pa.int64(), nullable=False),
        pa.field("held_out", pa.int64(), nullable=False),
        pa.field("extras_from", pa.int64(), nullable=False),
        pa.field("strength", pa.float64(), nullable=False),
    ]
)
