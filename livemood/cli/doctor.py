"""``livemood doctor`` and ``livemood cameras``: what works on this computer, and what to do if something does not."""

from dataclasses import asdict

import typer

from livemood import __version__
from livemood.cli.options import Json, option_name, print_json
from livemood.cli.terminal import plain
from livemood.core.counts import counted


def doctor(json_: Json = False) -> None:
    """Check this computer: packages, windows, cameras, models, and a one-second self-test.

    Exit code 1 if livemood cannot run here.

    Examples:
      livemood doctor
      livemood doctor --json
    """
    from livemood.apps.diagnostics import check_all

    checks = list(check_all(option_name))
    problems = sum(check.state == "problem" for check in checks)
    if json_:
        print_json({"livemood": __version__, "problems": problems, "checks": [asdict(check) for check in checks]})
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        marks = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "problem": "[red]problem[/red]"}
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for _ in range(3):
            table.add_column(overflow="fold")  # a long path goes on in the next line
        for check in checks:
            advice = f"\n[dim]→ {escape(check.advice)}[/dim]" if check.advice else ""
            table.add_row(marks[check.state], check.name, escape(plain(check.found)) + advice)
        console = Console(highlight=False)
        console.print(f"livemood {__version__}")
        console.print(table)
        found = f"{counted(problems, 'problem')} found; see above"
        console.print(f"{found}." if problems else "Everything that livemood needs is here.")
    if problems:
        raise typer.Exit(1)


def cameras(json_: Json = False) -> None:
    """List the cameras that livemood camera --source takes, by index or name.

    Examples:
      livemood cameras
      livemood camera --source "FaceTime"
    """
    from livemood.sources.camera_names import CAMERA_NAMES, list_cameras

    found = list_cameras()
    if json_:
        print_json({"cameras": None if found is None else [asdict(camera) for camera in found]})
    elif found is None:
        print(f"Cameras cannot be listed here; pip install {CAMERA_NAMES}, or try livemood camera --source 0.")
    elif found:
        for camera in found:
            print(plain("  ".join(part for part in (f"{camera.index}", camera.name, camera.path) if part)))
    else:
        print("No camera was found; livemood doctor says more.")
