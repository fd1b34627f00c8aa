"""Use cases: each module here wires or drives the stages for one task. The Python API is ``reader``."""
