import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from livemood.core.errors import SinkError
from livemood.core.geometry import Box
from livemood.core.types import Detection, Mood, Track
from livemood.runtime.exif import turned_upright
from livemood.sinks.xmp import Sidecars, stored_area
from tests.support.builders import refuse, refuse_reading

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
REGIONS = "{http://www.metadataworkinggroup.com/schemas/regions/}"
AREA = "{http://ns.adobe.com/xmp/sType/Area#}"

OTHERS = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Another">
 <!-- a remark -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:acme="http://acme.example/1/"
    xmp:Rating="4" acme:thing="kept">
   <acme:list><rdf:Seq><rdf:li>one</rdf:li></rdf:Seq></acme:list>
  </rdf:Description>
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">
   <dc:subject><rdf:Bag><rdf:li>beach</rdf:li><rdf:li>mood:sad</rdf:li></rdf:Bag></dc:subject>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:RegionList><rdf:Bag>
     <rdf:li><rdf:Description mwg-rs:Name="Anna" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/>
     </rdf:Description></rdf:li>
    </rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def mood(label: str, box: Box) -> Mood:
    track = Track(1, Detection(box, np.zeros((6, 2), np.float32), 0.9), 0.0)
    return Mood(track, label, 0.8, {label: 1.0}, {label: 1.0})


def words(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return [item.text or "" for subject in root.iter(f"{DC}subject") for item in subject.iter(f"{RDF}li")]


def names(path: Path) -> list[str | None]:
    root = ElementTree.parse(path).getroot()
    return [about.get(f"{REGIONS}Name") for about in root.iter(f"{RDF}Description") if about.get(f"{REGIONS}Name")]


def test_sidecar_when_new_then_has_keywords_and_a_region_for_each_face(tmp_path: Path) -> None:
    moods = [mood("happy", Box(10, 20, 30, 60)), mood("sad", Box(60, 20, 80, 60)), mood("happy", Box(0, 0, 5, 5))]
    target = Sidecars().write(tmp_path / "a.jpg", moods, 100, 200, 1)
    assert target == tmp_path / "a.jpg.xmp"
    assert words(target) == ["mood:happy", "mood:sad"]
    assert names(target) == ["happy", "sad", "happy"]
    area = next(ElementTree.parse(target).getroot().iter(f"{REGIONS}Area"))
    sides = {term: float(area.get(f"{AREA}{term}") or "nan") for term in "xywh"}
    assert sides == {"x": 0.2, "y": 0.2, "w": 0.2, "h": 0.2}


def test_sidecar_when_written_again_then_only_ours_changes(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    Sidecars().write(photo, [mood("happy", Box(10, 20, 30, 60))], 100, 200, 1)
    target = Sidecars().write(photo, [], 100, 200, 1)
    assert (words(target), names(target)) == (["mood:no-face"], [])
    target = Sidecars().write(photo, [mood("sad", Box(10, 20, 30, 60))], 100, 200, 1)
    assert words(target) == ["mood:sad"]
    assert names(target) == ["sad"]


@pytest.mark.parametrize("name", ["a.xmp", "a.jpg.xmp", "a.XMP", "a.jpg.XMP"])
def test_sidecar_of_another_program_then_is_merged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(OTHERS)
    target = Sidecars().write(tmp_path / "a.jpg", [mood("happy", Box(10, 20, 30, 60))], 100, 200, 1)
    assert target.name == name
    assert words(target) == ["beach", "mood:happy"]
    assert names(target) == ["Anna", "happy"]
    text = target.read_text()
    for kept in (
        'xmp:Rating="4"',
        'acme:thing="kept"',
        "<rdf:li>one</rdf:li>",
        "a remark",
        'xmptk="Another"',
        'x="0.5"',
    ):
        assert kept in text
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("space", "term", "kind", "prefix"),
    [
        ("http://purl.org/dc/elements/1.1/", "subject", "Bag", "mood:"),
        ("http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject", "Bag", "mood|"),
        ("http://www.digikam.org/ns/1.0/", "TagsList", "Seq", "mood/"),
    ],
)
def test_keywords_when_their_list_begins_with_a_remark_then_are_in_it(
    tmp_path: Path, space: str, term: str, kind: str, prefix: str
) -> None:
    remark = f"<!--{prefix}sad-->"
    words = f'<t:{term} xmlns:t="{space}">{remark}<rdf:{kind}>{remark}<rdf:li>beach</rdf:li></rdf:{kind}></t:{term}>'
    (tmp_path / "a.xmp").write_text(OTHERS.replace("<acme:list>", f"{words}<acme:list>", 1))
    target = Sidecars().write(tmp_path / "a.jpg", [mood("happy", Box(10, 20, 30, 60))], 100, 200, 1)
    found = next(ElementTree.parse(target).getroot().iter(f"{{{space}}}{term}"))
    assert [item.text for item in found.findall(f"{RDF}{kind}/{RDF}li")] == ["beach", f"{prefix}happy"]
    assert target.read_text().count(remark) == 2


def test_sidecar_when_a_short_and_a_full_one_are_there_then_the_full_one_is_meant(tmp_path: Path) -> None:
    for name in ("a.xmp", "a.jpg.xmp"):
        (tmp_path / name).write_text(OTHERS)
    assert Sidecars().of(tmp_path / "a.jpg").name == "a.jpg.xmp"


@pytest.mark.parametrize("other", ["a.png", "a.cr2"])
def test_short_sidecar_when_another_file_has_the_stem_then_may_be_its_and_stays(tmp_path: Path, other: str) -> None:
    (tmp_path / "a.xmp").write_text(OTHERS)
    (tmp_path / "a.jpg").touch()
    (tmp_path / "a.d").mkdir()
    assert Sidecars().of(tmp_path / "a.jpg").name == "a.xmp"
    (tmp_path / other).touch()
    assert Sidecars().write(tmp_path / "a.jpg", [], 100, 200, 1).name == "a.jpg.xmp"
    assert (tmp_path / "a.xmp").read_text() == OTHERS


def test_short_sidecar_when_its_folder_may_not_be_listed_then_may_be_another_s_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.xmp").write_text(OTHERS)
    (tmp_path / "a.jpg").touch()
    refuse(monkeypatch, "scandir", tmp_path)
    assert Sidecars().write(tmp_path / "a.jpg", [], 100, 200, 1).name == "a.jpg.xmp"


def test_sidecar_when_too_large_or_unreadable_then_said_and_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_text(OTHERS)
    os.truncate(sidecar, (16 << 20) + 1)
    with pytest.raises(SinkError, match=r"a\.jpg\.xmp is too large for a sidecar; it was not changed$"):
        Sidecars().write(tmp_path / "a.jpg", [], 100, 200, 1)
    sidecar.write_text(OTHERS)
    with monkeypatch.context() as patch, pytest.raises(SinkError, match=r"cannot be read \(Permission denied\)"):
        refuse_reading(patch, sidecar)
        Sidecars().write(tmp_path / "a.jpg", [], 100, 200, 1)
    assert sidecar.read_text() == OTHERS


@pytest.mark.parametrize(("orientation", "stored"), [(1, ("100", "200")), (4, ("100", "200")), (5, ("200", "100"))])
def test_regions_when_new_then_state_the_size_of_the_stored_picture(
    tmp_path: Path, orientation: int, stored: tuple[str, str]
) -> None:
    target = Sidecars().write(tmp_path / "a.jpg", [mood("happy", Box(-10, 20, 130, 60))], 100, 200, orientation)
    root = ElementTree.parse(target).getroot()
    (size,) = root.iter(f"{REGIONS}AppliedToDimensions")
    assert tuple(size.attrib.values()) == (*stored, "pixel")
    (area,) = root.iter(f"{REGIONS}Area")
    assert area.get(f"{AREA}unit") == "normalized"
    assert area.get(f"{AREA}{'w' if orientation < 5 else 'h'}") == "1.000000", "no more than the picture"


def test_sidecar_when_new_then_its_lists_are_of_the_kind_that_each_term_has(tmp_path: Path) -> None:
    root = ElementTree.parse(Sidecars().write(tmp_path / "a.jpg", [], 100, 200, 1)).getroot()
    (about,) = root.iter(f"{RDF}Description")
    assert about.get(f"{RDF}about") == ""
    kinds = {term.tag.rpartition("}")[2]: [kind.tag for kind in term] for term in about}
    bag, seq = f"{RDF}Bag", f"{RDF}Seq"
    assert kinds == {"subject": [bag], "hierarchicalSubject": [bag], "TagsList": [seq]}, "and no regions without a face"


def test_short_sidecars_when_there_are_many_then_their_folder_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = []
    scandir = os.scandir

    def noted(folder: Path) -> Any:
        listed.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", noted)
    sidecars = Sidecars()
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.jpg").touch()
        (tmp_path / f"{name}.xmp").write_text(OTHERS)
    targets = [sidecars.write(tmp_path / f"{name}.jpg", [], 100, 200, 1).name for name in ("a", "b", "c")]
    assert targets == ["a.xmp", "b.xmp", "c.xmp"]
    assert listed == [tmp_path]


def test_keywords_when_they_only_begin_as_ours_then_stay(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    ours = [mood("happy", Box(10, 20, 30, 60)), mood("wink wink", Box(60, 20, 80, 60))]  # one of another model
    target = Sidecars().write(photo, ours, 100, 200, 1)
    text = target.read_text()
    for prefix in ("mood:", "mood|", "mood/"):
        text = text.replace(f"<rdf:li>{prefix}happy<", f"<rdf:li>{prefix}romantic</rdf:li><rdf:li>{prefix}happy<")
    target.write_text(text)
    Sidecars().write(photo, [], 100, 200, 1)
    kept = [item.text for item in ElementTree.parse(target).getroot().iter(f"{RDF}li") if item.text]
    assert kept == [f"{prefix}{word}" for prefix in ("mood:", "mood|", "mood/") for word in ("romantic", "no-face")]


@pytest.mark.parametrize(
    ("name", "told"),
    [("a.jpg", "a.jpg.xmp is a folder; move it away"), ("x" * 252, r"could not be written \(File name too long\)$")],
)
def test_sidecar_that_cannot_be_written_then_the_error_names_no_option(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "a.jpg.xmp").mkdir()
    with pytest.raises(SinkError, match=told):
        Sidecars().write(tmp_path / name, [], 100, 200, 1)


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<a>",
        "<a/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;',
        '<?xml version="1.0" encoding="none"?><a/>',
        '<?xml version="1.0" encoding="shift_jis"?><a/>',
    ],
)
def test_sidecar_that_is_not_understood_then_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jpg.xmp").write_text(text)
    with pytest.raises(SinkError, match="livemood understands; it was not changed"):
        Sidecars().write(tmp_path / "a.jpg", [], 100, 200, 1)
    assert (tmp_path / "a.jpg.xmp").read_text() == text


@pytest.mark.parametrize("orientation", range(1, 9))
def test_region_then_lies_where_the_face_is_stored(orientation: int) -> None:
    """A white patch in the stored picture is found where the region says, from where it is in the upright one."""
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[4:12, 30:54] = 255
    upright = turned_upright(stored, orientation)
    rows, columns = np.nonzero(upright[..., 0])
    box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    x, y, w, h = stored_area(box, upright.shape[1], upright.shape[0], orientation)
    assert (x * 60, y * 40, w * 60, h * 40) == pytest.approx((42, 8, 24, 8))
