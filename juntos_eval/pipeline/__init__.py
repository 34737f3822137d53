"""The pipeline: which steps a run has, what each reads and writes, and what is stale."""
