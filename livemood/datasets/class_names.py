"""Class names -> labels: synonyms of the usual emotions are mapped to them, probable misspellings are errors."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livemood.bundles.manifest import MAX_LABEL, is_label
from livemood.core.counts import counted
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTIONS
from livemood.core.text_tables import composed

_WORDS: dict[str, tuple[str, ...]] = {
    "neutral": ("neutrality",),
    "happy": ("happiness", "joy"),
    "surprise": ("surprised",),
    "sad": ("sadness",),
    "angry": ("anger",),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared"),
    "contempt": ("contemptuous",),
}
_USUAL = {word: emotion for emotion in EMOTIONS for word in (emotion, *_WORDS[emotion])}
# Lowest similarity (difflib) at which a word counts as a misspelling of another.
_ALIKE = 0.8
_MOST_LISTED = 12  # names in a message
# Tables that pandas wrote have 3.0 for 3.
_NUMBER = re.compile(r"(\d+)(?:\.0*)?")
FEWEST = 4
"""Fewest pictures of a class that training takes: with them, each split can have one."""

ENOUGH = "give each class at least {0}, better 50, or leave it out"
"""The remedy where a class has too few pictures."""

NUMBERED = {
    "RAF-DB": dict(zip("1234567", ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"), strict=True)),
    "FER2013": dict(zip("0123456", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), strict=True)),
    "AffectNet": dict(
        zip("01234567", ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"), strict=True)
    ),
    "CK+": dict(
        zip("01234567", ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise"), strict=True)
    ),
}
"""Meaning of numbered classes in known data sets."""


def usual(word: str) -> str | None:
    """Return the emotion of which a word is a synonym, such as ``angry`` for ``Anger``; None for other words."""
    return _USUAL.get(_plain(word))


def whole_number(word: str) -> str | None:
    """Return the digits of a whole number such as ``3`` or ``3.0``; None for other words."""
    match = _NUMBER.fullmatch(word)
    return match and match[1]


@dataclass(frozen=True, slots=True)
class ClassNames:
    """How class names are mapped to labels.

    Attributes:
        known: Labels of the model that is fine-tuned or measured; the usual emotions by default.
        renamed: Label by class name, as given by the user; these are not checked for misspellings.
    """

    known: tuple[str, ...] = EMOTIONS
    renamed: Mapping[str, str] | None = None

    def labels(self, names: Iterable[str], unread: Sequence[str] = ()) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the label of each name, and notes for the user.

        Names that differ only in how accents are stored (NFC, NFD), or in spaces around them, are one class.

        Args:
            names: Of all classes.
            unread: Notes on files that may hold labels but were not read; where names are numbers, the first goes into
                the error.

        Raises:
            DatasetError: A name cannot be a label, is a number, or looks like a misspelt label; or ``renamed`` has a
                name that does not occur.
        """
        typed = {name: composed(name).strip() for name in names}
        found, notes = self._labels(sorted(set(typed.values())), unread)
        return {name: found[word] for name, word in typed.items()}, notes

    def check_fixed(self, where: str) -> None:
        """Check that no class is to be renamed, for data whose classes are fixed.

        Raises:
            DatasetError: One is.
        """
        if self.renamed:
            raise DatasetError(
                f"{next(iter(self.renamed))} cannot be renamed: the classes of {where} are fixed", "leave {class} out"
            )

    def _labels(self, all_names: Sequence[str], unread: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        found: dict[str, str] = {}
        new_names = {composed(name): composed(label) for name, label in (self.renamed or {}).items()}
        if absent := sorted(set(new_names) - set(all_names)):
            raise DatasetError(
                f"no class is called {absent[0]}", "{class} takes names that are there: {0}", _listed(all_names)
            )
        if numbers := [
            name for name in all_names if whole_number(name) and name not in new_names | dict.fromkeys(self.known)
        ]:
            raise DatasetError(
                f"classes are numbers ({_listed(numbers)}), which mean something else in every set",
                "rename them, or say what each number is with {class}; {0}" + "; {1}" * bool(unread),
                _example(numbers),
                *unread[:1],
            )
        by_case, unknown = dict[str, str](), list[str]()
        for name in all_names:
            label = new_names.get(name) or self._known(name)
            if not is_label(label or name):
                raise DatasetError(
                    f"class {(label or name)[:MAX_LABEL]!r} cannot be a label",
                    "take a name of at most {0} characters that a folder may have on every system",
                    MAX_LABEL,
                )
            if label is None:
                unknown.append(name)
            found[name] = label or by_case.setdefault(_plain(name), name)
        self._check_spelling(unknown)
        return found, self._notes(found)

    def _known(self, name: str) -> str | None:
        """Return the known label of which a name is a synonym, or else the usual emotion; None if there is neither."""
        if name in self.known:
            return name
        usual_label = usual(name)
        for label in self.known:
            if _plain(label) == _plain(name) or (usual_label and usual(label) == usual_label):
                return label
        return usual_label

    def _check_spelling(self, names: Iterable[str]) -> None:
        words = {**_USUAL, **{_plain(label): label for label in self.known}}
        close = {name: difflib.get_close_matches(_plain(name), words, 1, _ALIKE) for name in names}
        meant = {name: words[found[0]] for name, found in close.items() if found}
        if not meant:
            return
        one = len(meant) == 1
        raise DatasetError(
            f"class{'' if one else 'es'} {_listed(meant)} look{'s' if one else ''} like "
            f"{_listed(dict.fromkeys(meant.values()))}",
            f"rename {'it' if one else 'them'}, or say what {'it is' if one else 'they are'} with {{class}}: "
            "{0}, or {1}={1} for a class of its own",
            " ".join(f"{name}={label}" for name, label in meant.items()),
            next(iter(meant)),
        )

    def _notes(self, found: Mapping[str, str]) -> tuple[str, ...]:
        taken = [f"{name} as {label}" for name, label in found.items() if name != label]
        own = sorted(set(found.values()) - set(self.known))
        notes = [f"taken: {', '.join(taken)}"] if taken else []
        if own:
            notes.append(f"new classes beside {_listed(self.known)}: {', '.join(own)}")
        return (*notes,)


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Return class names in a fixed order: the usual emotions first, then others alphabetically."""
    order: dict[str, int] = {label: place for place, label in enumerate(EMOTIONS)}
    return tuple(sorted(set(labels), key=lambda label: (order.get(label, len(order)), label)))


def check_counts(labels: Sequence[str], where: str, fewest: int, unread: Sequence[str] = ()) -> None:
    """Check that there are enough classes and pictures.

    Args:
        labels: Of all pictures.
        where: What holds them, for the error.
        fewest: Pictures that each class needs to be learnt; 0 for pictures that are only measured, where one class of
            one picture is enough.
        unread: Notes on files that may hold labels but were not read; the first goes into the error.

    Raises:
        DatasetError: Too few classes, or a class with too few pictures.
    """
    counts = Counter(labels)
    wanted = 2 if fewest else 1
    if len(counts) < wanted:
        found = counted(len(counts), "class", "classes") + "".join(f": {label}" for label in counts)
        raise DatasetError(
            f"{where} has pictures of {found}",
            f"expected {('one', 'two')[wanted - 1]} or more, such as happy/ sad/, or a table of files and labels such "
            "as file,label" + "; {0}" * bool(unread),
            *unread[:1],
        )
    if small := {label: count for label, count in sorted(counts.items()) if count < fewest}:
        raise DatasetError(f"{too_few(small)}, too few to learn and to check", ENOUGH, fewest)


def too_few(counts: Mapping[str, int], what: str = "picture") -> str:
    """Return that classes have these numbers of pictures, for an error."""
    (first, count), *others = counts.items()
    more = "".join(f", {label} {number}" for label, number in others)
    return f"class {first} has {counted(count, what)}{more}"


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", composed(word)).casefold()


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _MOST_LISTED} more" if len(every) > _MOST_LISTED else ""
    return ", ".join(every[:_MOST_LISTED]) + more


def _example(numbers: Sequence[str]) -> str:
    """Return examples of how to rename numbered classes, from all known data sets with these numbers."""
    digits = {name: whole_number(name) for name in numbers}
    found = [
        f"in {name} they are {' '.join(f'{cell}={meaning[digit]}' for cell, digit in digits.items() if digit)}"
        for name, meaning in NUMBERED.items()
        if set(digits.values()) <= set(meaning)
    ]
    return ", ".join(found) or f"for example {numbers[0]}=neutral"
