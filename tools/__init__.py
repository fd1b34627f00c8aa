"""Scripts for the development of models; they are not part of the package."""
