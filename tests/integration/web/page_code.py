"""Modules of the page run in Node, without a browser."""

import subprocess

from tests.support.builders import ROOT

_LOAD = """
import { build } from "esbuild";
const options = { bundle: true, format: "esm", write: false };
const { outputFiles } = await build({ entryPoints: ["src/page/%s.ts"], ...options });
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const page = await import(`data:text/javascript;base64,${code}`);
"""


def output_of(module: str, script: str, stdin: bytes = b"") -> str:
    """Return what a script prints that uses a module of the page, such as ``report``, as ``page``."""
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", _LOAD % module + script],
        cwd=ROOT / "livemood" / "web",
        input=stdin,
        capture_output=True,
        timeout=60,
    )
    assert done.stderr == b""
    return done.stdout.decode()
