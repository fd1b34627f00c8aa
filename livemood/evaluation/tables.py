"""The figures of ``examine`` as tables, for terminal, HTML page and model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from livemood.reporting.tables import Table, interval, measured


def tables(report: Mapping[str, Any]) -> list[Table]:
    """Return all tables of a report, in the order of interest."""
    found = [_accuracy(report), _classes("Classes", report["classes"], "Top vote, as they come.")]
    for head, data in report["heads"].items():
        note = (
            f"{measured(data['accuracy'])} of {data['pictures']} pictures right ({interval(data['interval'])}), "
            f"macro-F1 {data['macro_f1']:.3f}, ECE {data['ece']:.3f}; as they come."
        )
        found.append(_classes(f"Head {head}", data["classes"], note))
    if report["robustness"]:
        found.append(_robustness(report))
    found.append(_coverage("Accuracy by coverage", report["coverage"], "Top vote, as they come."))
    found.append(_facts(report))
    found += [_group(attribute, data) for attribute, data in report["groups"].items()]
    if "against" in report:
        found.append(_against(report["against"]))
    if report.get("smiles"):
        found += smile_tables(report["smiles"])
    if report.get("people"):
        found += people_tables(report["people"])
    if "stress" in report:
        found += _stress(report["stress"])
    return found


def _accuracy(report: Mapping[str, Any]) -> Table:
    rows, raw = [], report["raw"]
    votes = (("majority", "majority"), ("top_vote", "top vote"))
    for protocol, name in votes if raw["majority"] != raw["top_vote"] else (("top_vote", "all"),):
        for framing, title in (("raw", "as they come"), ("aligned", "aligned")):
            data = report[framing][protocol]
            if not data["pictures"]:
                continue
            rows.append(
                (
                    f"{name}, {title}",
                    str(data["pictures"]),
                    measured(data["accuracy"]),
                    interval(data["interval"]),
                    f"{data['macro_f1']:.3f}",
                    f"{data['ece']:.3f}",
                    f"{data['nll']:.3f}",
                )
            )
    note = (
        "Majority: pictures on which over half of the votes agree once single votes are dropped. Top vote: all "
        "pictures whose most frequent vote is a class. Intervals: 95 %, Wilson."
    )
    if report["prior"] != "training":
        note += f" Class prior: {report['prior']}."
    return Table("Accuracy", ("pictures", "n", "accuracy", "95 %", "macro-F1", "ECE", "NLL"), tuple(rows), note)


def _classes(title: str, classes: Mapping[str, Any], note: str) -> Table:
    rows = [
        (
            name,
            str(data["pictures"]),
            measured(data["recall"]),
            interval(data["interval"]),
            measured(data["precision"]),
            "–" if data["f1"] is None else f"{data['f1']:.3f}",
        )
        for name, data in classes.items()
    ]
    return Table(title, ("class", "n", "recall", "95 %", "precision", "F1"), tuple(rows), note)


def _coverage(title: str, rows: Sequence[Mapping[str, float]], note: str) -> Table:
    cells = [(f"{100 * row['coverage']:.0f} %", measured(row["accuracy"]), f"{row['confidence']:.2f}") for row in rows]
    return Table(title, ("most confident share", "accuracy", "least confidence"), tuple(cells), note)


def _robustness(report: Mapping[str, Any]) -> Table:
    rows = [
        (name, measured(data["accuracy"]), f"{data['points_lost']:.1f}") for name, data in report["robustness"].items()
    ]
    return Table("Robustness", ("corruption", "accuracy", "points lost"), tuple(rows), "Majority.")


def _stress(data: Mapping[str, Any]) -> list[Table]:
    header = ("corruption", "amount", "accuracy", "unsure", "accuracy when sure", "ECE when sure")
    flips = data["flips"]
    note = (
        "Majority, as they come; unsure: as a single picture would be labelled, for any reason. "
        f"A shift by one pixel changes the leading class in {measured(flips['shifts'])} of the cases; "
        f"{measured(flips['pictures'])} of the pictures have such a shift among the four."
    )
    found = [Table("Under stress", header, tuple(_stress_row(row) for row in data["crops"]), note)]
    if "photos" in data:
        rows = tuple((*_stress_row(row), measured(row["found"])) for row in data["photos"])
        note = (
            "Whole photos, scaled to faces of 96 px, corrupted, then read from the start. A photo without a detected "
            "face counts as wrong, and as neither sure nor unsure. Noise is in grey levels of the photo's pixels; blur "
            "and face sizes are in pixels of the 48-px crop."
        )
        found.append(Table("Smiles under stress, end to end", (*header, "faces found"), rows, note))
    return found


def _stress_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["kind"],
        row["amount"],
        measured(row["accuracy"]),
        measured(row["unsure"]),
        measured(row["accuracy_when_sure"]),
        "–" if row["ece_when_sure"] is None else f"{row['ece_when_sure']:.3f}",
    )


def _facts(report: Mapping[str, Any]) -> Table:
    raw, speed = report["raw"], report["speed"]
    rows = [("KL to the votes", f"{raw['kl_to_votes']:.3f} nats")]
    if "happy_versus_sad" in raw:
        rows.append(("happy versus sad", measured(raw["happy_versus_sad"])))
    if "fer2013_seven_classes" in raw:
        rows.append(
            ("FER2013's own labels, seven classes, no head of their own", measured(raw["fer2013_seven_classes"]))
        )
    rows += [
        ("faces per second, one thread", f"{speed['faces_per_s']:.0f}"),
        ("time of a face / of a near-range detection at VGA", f"{speed['ratio']:.2f}"),
    ]
    if copies := report.get("copies"):
        rows += [
            ("pictures that are also in train, pixel for pixel", str(copies["exact"])),
            ("majority accuracy without them", measured(copies["accuracy_majority_without_exact"])),
            ("pictures with a near-copy in another split", str(copies["near"])),
        ]
        if copies["near"]:
            rows.append(("majority accuracy without near-copies", measured(copies["accuracy_majority_without_near"])))
    return Table("Further figures", ("figure", "value"), tuple(rows))


def _group(attribute: str, data: Mapping[str, Any]) -> Table:
    rows = [
        (name, str(row["pictures"]), measured(row["accuracy"]), interval(row["interval"]))
        for name, row in data["values"].items()
    ]
    worst, best = data["between"]
    note = f"Largest gap: {100 * data['largest_gap']:.1f} points, between {worst} and {best}." if len(rows) > 1 else ""
    return Table(f"By {attribute}", (attribute, "n", "accuracy", "95 %"), tuple(rows), note)


def _against(data: Mapping[str, Any]) -> Table:
    rows = (
        ("its accuracy, top vote", measured(data["accuracy_top_vote"])),
        ("difference", f"{100 * data['difference']:+.1f} points"),
        ("right here only / there only", f"{data['only_ours_right']} / {data['only_theirs_right']}"),
        ("p-value (McNemar, exact)", "< 0.001" if data["p_value"] < 0.001 else f"{data['p_value']:.3g}"),
    )
    return Table(f"Against {data['bundle']}", ("figure", "value"), rows)


def smile_tables(data: Mapping[str, Any]) -> list[Table]:
    """Return the tables of ``examine_smiles``."""
    rows = (
        ("photos", str(data["photos"])),
        ("right, misses counted wrong", f"{measured(data['accuracy'])} ({interval(data['interval'])})"),
        ("faces found", measured(data["found"])),
        ("ROC AUC of the happy score", "–" if data["auc"] is None else f"{data['auc']:.4f}"),
    )
    whole = Table("Smiles in whole photos", ("figure", "value"), rows)
    note = "Photos with a face found; confidence: of happy, or of anything else."
    coverage = _coverage("Smiles by coverage", data["coverage"], note)
    return [whole, coverage, *(_group(attribute, group) for attribute, group in data["groups"].items())]


def people_tables(data: Mapping[str, Any]) -> list[Table]:
    """Return the tables of ``examine_people``, one for each attribute."""
    found = []
    for attribute, measures in data["groups"].items():
        first = next(iter(measures.values()))["values"]
        header = (attribute, "people", *(f"{name}, 95 %" for name in measures))
        rows = tuple(
            (value, str(row["pictures"]), *(_share(measure["values"][value]) for measure in measures.values()))
            for value, row in first.items()
        )
        gaps = [
            f"{name} {100 * measure['largest_gap']:.1f} points, {' and '.join(measure['between'])}"
            for name, measure in measures.items()
            if measure["largest_gap"]
        ]
        note = f"Largest gaps between groups of {data['least']} people or more: {'; '.join(gaps)}." if gaps else ""
        found.append(Table(f"People by {attribute}" if len(first) > 1 else "People", header, rows, note))
    return found


def _share(row: Mapping[str, Any]) -> str:
    return f"{measured(row['accuracy'])} ({interval(row['interval'])})"
