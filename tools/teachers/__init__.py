"""Networks of other projects as teachers; they are not part of the package."""
