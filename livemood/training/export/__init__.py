"""Writing a trained network: class prior, folded layers, conversion, bundle, provenance."""
