"""Knowpack's library: pure functions from frame to frame; nothing here imports Snakemake."""
