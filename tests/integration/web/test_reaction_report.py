"""The result of a reaction, made by the page's own code without a browser."""

import subprocess

from livemood.apps.web import page_files
from tests.support.builders import ROOT

_GATHER = """
import { build } from "esbuild";
const { outputFiles } = await build({ entryPoints: ["src/page/report.ts"], bundle: true, format: "esm", write: false });
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const { figures, gathered } = await import(`data:text/javascript;base64,${code}`);
const settings = JSON.parse(await new Response(process.stdin).text());
const scores = Object.fromEntries(settings.emotion.heads[0].labels.map((label) => [label, 0.125]));
const rows = Array.from({ length: 300000 }, (_, i) => ({ time_s: i / 30, track: 1, label: "happy", scores }));
const media = { name: "film", durationS: 10000, grab: async (times) => times.map(() => null) };
console.log(figures(await gathered(rows, media, settings, new AbortController().signal), settings));
"""


def test_reaction_when_it_took_hours_then_its_result_is_made():
    made = subprocess.run(
        ["node", "--input-type=module", "--eval", _GATHER],
        cwd=ROOT / "livemood" / "web",
        input=page_files()["settings.json"],
        capture_output=True,
        timeout=60,
    )
    assert made.stderr == b""
    assert made.stdout.count(b'<svg class="chart"') == 1
