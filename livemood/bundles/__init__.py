"""Models on disk: the manifest, the shipped bundles, and checks of untrusted files."""
