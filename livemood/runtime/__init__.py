"""Plumbing: queues between threads, atomic file writes, native output, optional dependencies, processes."""
