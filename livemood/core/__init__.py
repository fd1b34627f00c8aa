"""Values, labels, errors, settings and geometry that every stage shares; standard library and numpy only."""
