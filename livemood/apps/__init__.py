"""Use cases: each module runs the stages for one task. The Python API is ``reader``."""
