"""Models on disk: the manifest, the shipped bundles, and checks of files that may come from a stranger."""
