"""The network and the layers it is built from."""
