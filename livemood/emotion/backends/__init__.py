"""What runs a network: LiteRT or Keras."""
