# SPDX-License-Identifier: Apache-2.0
"""What a migration will do: which pictures under which ExternalImageId, and whose faces are to be found in them.

Knows names and lists; looks at no picture and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from overt.cli import linking, naming, output
from overt.cli.albums import Picture, Place
from overt.cli.linking import Group, Links
from overt.cli.naming import Entry, Rule
from overt.cli.source import Source, SourceFace

_LEAST_EXPLAINED = 0.5
_MOST_ALIKE = 25_000_000  # pictures here x there under one ExternalImageId: a matrix of 200 MB


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    rule: None when a list names every picture; explained: how many pictures of the source it finds. given: UserIds
    that the list names, by FaceId or key. missing: keys of the list that are not there.
    """

    groups: Sequence[Group]
    links: Links
    source: Source
    rule: Rule | None
    explained: int
    given: Mapping[str, str]
    missing: Sequence[str]
    has_source: bool


def plan(
    place: Place, found: Sequence[Picture], left: Source | None, wanted: Rule | None, listed: Sequence[Entry] | None
) -> Plan:
    """Which picture is enrolled under which ExternalImageId, and which faces of the source are to be found in it."""
    by_key = {picture.key: picture for picture in found}
    entries = [Entry(picture.key) for picture in found] if listed is None else listed
    there = [entry for entry in entries if entry.key in by_key]
    faces = {face.id: face for face in left.faces} if left else {}
    known = {entry.face: by_key[entry.key] for entry in there if entry.face in faces}
    unnamed = [entry for entry in there if not entry.external and entry.face not in known]
    rule, explained = None, 0
    if unnamed:
        images = {face.image for face in faces.values() if face.id in known}
        rest = [face for face in faces.values() if face.image not in images] if left else None
        rule, explained = _rule([(entry.key, place.below(entry.key)) for entry in unnamed], rest, wanted)
    named = {
        (by_key[entry.key], entry.external or (rule.name(entry.key, place.below(entry.key)) if rule else "")): None
        for entry in there
        if entry.face not in known
    }
    if left:
        links = linking.link(list(named), faces.values(), known)
        _check_sizes(links)
    else:
        links = Links([Group(external, (picture,), ()) for picture, external in named])
    return Plan(
        groups=links.groups,
        links=links,
        source=left or Source((), ()),
        rule=rule,
        explained=explained,
        given={entry.face or entry.key: entry.user for entry in there if entry.user},
        missing=sorted({entry.key for entry in entries} - by_key.keys()),
        has_source=left is not None,
    )


def _check_sizes(links: Links) -> None:
    """Raises: CommandError where more pictures share an ExternalImageId than can be told apart."""
    for group in links.groups:
        if len(group.pictures) * len(group.images) > _MOST_ALIKE:
            raise output.CommandError(
                f"{len(group.pictures)} pictures are under the ExternalImageId {group.external}: too many to tell "
                "apart by where faces lie. Give --manifest FILE with the columns key and face_id"
            )


def _rule(keys: Sequence[tuple[str, str]], faces: Sequence[SourceFace] | None, wanted: Rule | None) -> tuple[Rule, int]:
    """The rule, and how many pictures of the source it explains. Raises: CommandError when none explains half.

    Args: keys: of pictures that no list names, each with the same below the prefix. faces: None without a source.
    """
    if faces is None:
        return wanted or Rule("stem"), 0
    images = {face.image: face.external for face in faces}
    enrolled = Counter(external for external in images.values() if external)
    if wanted:
        return wanted, naming.explained(wanted, keys, enrolled)
    best, explained = naming.best_rule(keys, enrolled)
    if explained < _LEAST_EXPLAINED * min(len(images), len(keys)):
        raise output.CommandError(
            f"no rule says which picture is which: the best ({best}) explains {explained} of {len(images)} pictures "
            f"of the source with {len(keys)} here. Give --manifest FILE with the columns key and face_id or "
            "external_image_id, or choose a rule with --external-image-id"
        )
    return best, explained
