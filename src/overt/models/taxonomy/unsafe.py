# SPDX-License-Identifier: Apache-2.0
"""The contract's moderation labels, and what may speak for each: labels of other models, words to compare with.

Knows no model: which of this can be scored depends on what is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from overt.types import Unsafe

VERSION, OLDER_VERSION = "7.0", "6.1"

TAXONOMY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Explicit": {
        "Explicit Nudity": (
            "Exposed Male Genitalia", "Exposed Female Genitalia", "Exposed Buttocks or Anus", "Exposed Female Nipple",
        ),
        "Explicit Sexual Activity": (),
        "Sex Toys": (),
    },
    "Non-Explicit Nudity of Intimate parts and Kissing": {
        "Non-Explicit Nudity": (
            "Bare Back", "Exposed Male Nipple", "Partially Exposed Buttocks", "Partially Exposed Female Breast",
            "Implied Nudity",
        ),
        "Obstructed Intimate Parts": ("Obstructed Female Nipple", "Obstructed Male Genitalia"),
        "Kissing on the Lips": (),
    },
    "Swimwear or Underwear": {"Female Swimwear or Underwear": (), "Male Swimwear or Underwear": ()},
    "Violence": {
        "Weapons": (),
        "Graphic Violence": (
            "Weapon Violence", "Physical Violence", "Self-Harm", "Blood & Gore", "Explosions and Blasts",
        ),
    },
    "Visually Disturbing": {
        "Death and Emaciation": ("Emaciated Bodies", "Corpses"),
        "Crashes": ("Air Crash",),
    },
    "Drugs & Tobacco": {"Products": ("Pills",), "Drugs & Tobacco Paraphernalia & Use": ("Smoking",)},
    "Alcohol": {"Alcohol Use": ("Drinking",), "Alcoholic Beverages": ()},
    "Rude Gestures": {"Middle Finger": ()},
    "Gambling": {},
    "Hate Symbols": {"Nazi Party": (), "White Supremacy": (), "Extremist": ()},
}  # fmt: skip
"""Level 1 -> level 2 -> level 3, 52 labels. Source: version 7 of the contract's moderation labels."""

OLDER: Mapping[str, tuple[str, str]] = {
    "Explicit": ("Explicit Nudity", ""),
    "Explicit Nudity": ("Nudity", "Explicit Nudity"),
    "Exposed Male Genitalia": ("Graphic Male Nudity", "Explicit Nudity"),
    "Exposed Female Genitalia": ("Graphic Female Nudity", "Explicit Nudity"),
    "Exposed Buttocks or Anus": ("Nudity", "Explicit Nudity"),
    "Exposed Female Nipple": ("Nudity", "Explicit Nudity"),
    "Explicit Sexual Activity": ("Sexual Activity", "Explicit Nudity"),
    "Sex Toys": ("Adult Toys", "Explicit Nudity"),
    "Non-Explicit Nudity of Intimate parts and Kissing": ("Suggestive", ""),
    "Non-Explicit Nudity": ("Partial Nudity", "Suggestive"),
    "Bare Back": ("Partial Nudity", "Suggestive"),
    "Exposed Male Nipple": ("Barechested Male", "Suggestive"),
    "Partially Exposed Buttocks": ("Revealing Clothes", "Suggestive"),
    "Partially Exposed Female Breast": ("Revealing Clothes", "Suggestive"),
    "Implied Nudity": ("Partial Nudity", "Suggestive"),
    "Obstructed Intimate Parts": ("Partial Nudity", "Suggestive"),
    "Obstructed Female Nipple": ("Partial Nudity", "Suggestive"),
    "Obstructed Male Genitalia": ("Partial Nudity", "Suggestive"),
    "Kissing on the Lips": ("Sexual Situations", "Suggestive"),
    "Swimwear or Underwear": ("Suggestive", ""),
    "Female Swimwear or Underwear": ("Female Swimwear Or Underwear", "Suggestive"),
    "Male Swimwear or Underwear": ("Male Swimwear Or Underwear", "Suggestive"),
    "Violence": ("Violence", ""),
    "Weapons": ("Weapons", "Violence"),
    "Graphic Violence": ("Graphic Violence Or Gore", "Violence"),
    "Weapon Violence": ("Weapon Violence", "Violence"),
    "Physical Violence": ("Physical Violence", "Violence"),
    "Self-Harm": ("Self Injury", "Violence"),
    "Blood & Gore": ("Graphic Violence Or Gore", "Violence"),
    "Explosions and Blasts": ("Explosions And Blasts", "Visually Disturbing"),
    "Visually Disturbing": ("Visually Disturbing", ""),
    "Death and Emaciation": ("Visually Disturbing", ""),
    "Emaciated Bodies": ("Emaciated Bodies", "Visually Disturbing"),
    "Corpses": ("Corpses", "Visually Disturbing"),
    "Crashes": ("Visually Disturbing", ""),
    "Air Crash": ("Air Crash", "Visually Disturbing"),
    "Drugs & Tobacco": ("Drugs", ""),
    "Products": ("Drug Products", "Drugs"),
    "Pills": ("Pills", "Drugs"),
    "Drugs & Tobacco Paraphernalia & Use": ("Drug Paraphernalia", "Drugs"),
    "Smoking": ("Smoking", "Tobacco"),
    "Alcohol": ("Alcohol", ""),
    "Alcohol Use": ("Drinking", "Alcohol"),
    "Drinking": ("Drinking", "Alcohol"),
    "Alcoholic Beverages": ("Alcoholic Beverages", "Alcohol"),
    "Rude Gestures": ("Rude Gestures", ""),
    "Middle Finger": ("Middle Finger", "Rude Gestures"),
    "Gambling": ("Gambling", ""),
    "Hate Symbols": ("Hate Symbols", ""),
    "Nazi Party": ("Nazi Party", "Hate Symbols"),
    "White Supremacy": ("White Supremacy", "Hate Symbols"),
    "Extremist": ("Extremist", "Hate Symbols"),
}
"""Category -> (alias, its parent): its name in version 6.1, for callers written for that one.

From memory of the older table, which was not at hand; where one name became several, the nearest.
"""

CONTENT_TYPES = ("Animated", "Illustrated")
"""Kinds of pictures that are no photographs. Source: the contract's ContentTypes."""

EVIDENCE: Mapping[str, tuple[str, ...]] = {
    "Female Swimwear or Underwear": ("Bikini", "One-Piece Swimsuit", "Tank Suit", "Bra"),
    "Male Swimwear or Underwear": ("Swimming Trunks",),
    "Weapons": (
        "Assault Rifle",
        "Rifle",
        "Revolver",
        "Holster",
        "Cannon",
        "Missile",
        "Projectile",
        "Guillotine",
        "Tank",
    ),
    "Pills": ("Pill Bottle",),
    "Drugs & Tobacco Paraphernalia & Use": ("Syringe", "Lighter"),
    "Alcoholic Beverages": ("Alcohol", "Cocktail Shaker"),
    "Gambling": ("Slot Machine",),
}
"""Labels of the tagger that speak for a category, those above them too: Alcohol is wine, beer and what they come in.

Kitchen knives are left out: they lie on tables."""
ILLUSTRATED = "Comic Book"
"""The tagger's one label that is a kind of picture."""

PROMPTS: Mapping[str, str] = {
    "Explicit Nudity": "naked people",
    "Explicit Sexual Activity": "people having sex",
    "Sex Toys": "a sex toy",
    "Non-Explicit Nudity": "a bare body seen from behind",
    "Kissing on the Lips": "two people kissing on the lips",
    "Female Swimwear or Underwear": "a woman in swimwear or underwear",
    "Male Swimwear or Underwear": "a man in swimwear or underwear",
    "Weapons": "a weapon",
    "Weapon Violence": "a person attacking with a weapon",
    "Physical Violence": "people fighting",
    "Self-Harm": "a person hurting themselves",
    "Blood & Gore": "a bloody wound",
    "Explosions and Blasts": "an explosion",
    "Emaciated Bodies": "a starving, emaciated body",
    "Corpses": "a corpse",
    "Air Crash": "a crashed aircraft",
    "Pills": "pills",
    "Smoking": "a person smoking",
    "Drinking": "a person drinking alcohol",
    "Alcoholic Beverages": "an alcoholic drink",
    "Middle Finger": "a hand showing the middle finger",
    "Gambling": "gambling in a casino",
    "Nazi Party": "a swastika",
    "White Supremacy": "a white supremacist symbol",
    "Extremist": "a terrorist group's flag",
}
"""What an open vocabulary is asked for a category, where one is installed."""
STYLES: Mapping[str, str] = {"Animated": "a frame of an animated film", "Illustrated": "a drawing or painting"}


def _levels() -> dict[str, tuple[int, str]]:
    """Category -> its level, and the category above it ("" for none), in the taxonomy's order."""
    found: dict[str, tuple[int, str]] = {}
    for first, seconds in TAXONOMY.items():
        found[first] = 1, ""
        for second, thirds in seconds.items():
            found[second] = 2, first
            found |= dict.fromkeys(thirds, (3, second))
    return found


LEVELS: Mapping[str, tuple[int, str]] = _levels()


def above(name: str) -> tuple[str, ...]:
    """The categories above one, nearest first; none for a style."""
    parent = LEVELS.get(name, (0, ""))[1]
    return (parent, *above(parent)) if parent else ()


def as_older(labels: Iterable[Unsafe]) -> tuple[Unsafe, ...]:
    """Labels under their names of version 6.1, which has two levels; each name once, with its surest confidence.

    Level 0 says that this version does not tell levels.
    """
    named: dict[tuple[str, str], float] = {}
    for label in labels:
        name, parent = OLDER[label.name]
        for pair in ((name, parent), (parent, "")) if parent else ((name, ""),):
            named[pair] = max(named.get(pair, 0.0), label.confidence)
    ordered = sorted(named.items(), key=lambda item: (-item[1], item[0][1] != "", item[0]))
    return tuple(Unsafe(name, parent, 0, sure) for (name, parent), sure in ordered)
