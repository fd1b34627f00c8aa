"""Files that pages are made of, and the policy that keeps a page to itself."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files


def asset(name: str) -> str:
    """Return the text of a file that lies in this package."""
    return files("livemood.reporting").joinpath(name).read_text(encoding="utf-8")


def policy(*scripts: str) -> str:
    """Return a content security policy under which only these scripts run and nothing is loaded."""
    hashes = (b64encode(sha256(script.encode()).digest()).decode("ascii") for script in scripts)
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
