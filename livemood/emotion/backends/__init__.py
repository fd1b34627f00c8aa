"""Backends that run a network: LiteRT or Keras."""
