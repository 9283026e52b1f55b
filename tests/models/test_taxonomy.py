# SPDX-License-Identifier: Apache-2.0
"""The shipped labels are sound, cover the label maps of the packs, and read as clients of the wire expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from overt.models.taxonomy import Entry, Taxonomy

MAPS = Path(__file__).resolve().parents[2] / "packs" / "vision" / "src" / "overt_pack_vision" / "labels"
HEADER = "name\tparents\tcategories\taliases\n"
DOG = "Dog\t\tAnimals and Pets\tHound\n"
CATEGORIES = """
Actions;Animals and Pets;Apparel and Accessories;Beauty and Personal Care;Buildings and Architecture;
Colors and Visual Composition;Damage Detection;Education;Events and Attractions;Everyday Objects;
Expressions and Emotions;Food and Beverage;Furniture and Furnishings;Health and Fitness;Hobbies and Interests;
Home Appliances;Home and Indoors;Kitchen and Dining;Materials;Medical;Nature and Outdoors;Offices and Workspaces;
Patterns and Shapes;Performing Arts;Person Description;Plants and Flowers;Popular Landmarks;Profession;Public Safety;
Religion;Sports;Symbols and Flags;Technology and Computing;Text and Documents;Tools and Machinery;Toys and Gaming;
Transport and Logistics;Travel and Adventure;Vehicles and Automotive;Weapons and Military;Weather
"""


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy.read()


def entries(taxonomy: Taxonomy) -> list[Entry]:
    found = [taxonomy.find(name) for name in taxonomy.names]
    return [entry for entry in found if entry]


def labels(file: str) -> list[str]:
    return (MAPS / file).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("file", "classes"), [("imagenet1000.txt", 1000), ("coco80.txt", 80)])
def test_every_class_of_the_maps_is_a_label(taxonomy: Taxonomy, file: str, classes: int) -> None:
    names = labels(file)
    assert len(names) == classes
    assert [name for name in names if name not in taxonomy.names] == []


@pytest.mark.parametrize(
    ("file", "index", "name"),
    [
        ("imagenet1000.txt", 0, "Tench"),
        ("imagenet1000.txt", 134, "Crane Bird"),
        ("imagenet1000.txt", 207, "Golden Retriever"),
        ("imagenet1000.txt", 281, "Tabby Cat"),
        ("imagenet1000.txt", 445, "Bikini"),
        ("imagenet1000.txt", 517, "Construction Crane"),
        ("imagenet1000.txt", 638, "One-Piece Swimsuit"),
        ("imagenet1000.txt", 639, "Tank Suit"),
        ("imagenet1000.txt", 764, "Rifle"),
        ("imagenet1000.txt", 907, "Wine Bottle"),
        ("imagenet1000.txt", 999, "Toilet Paper"),
        ("coco80.txt", 0, "Person"),
        ("coco80.txt", 16, "Dog"),
        ("coco80.txt", 40, "Wine Glass"),
        ("coco80.txt", 67, "Mobile Phone"),
        ("coco80.txt", 79, "Toothbrush"),
    ],
)
def test_the_maps_are_in_the_order_of_the_models(file: str, index: int, name: str) -> None:
    assert labels(file)[index] == name


def test_what_the_two_maps_share_has_one_name() -> None:
    shared = set(labels("imagenet1000.txt")) & set(labels("coco80.txt"))
    assert {"Laptop", "Mobile Phone", "Teddy Bear", "Umbrella", "Zebra", "Pizza", "Traffic Light"} <= shared


def test_categories(taxonomy: Taxonomy) -> None:
    known = set(CATEGORIES.replace("\n", "").split(";"))
    assert taxonomy.categories <= known
    assert len(taxonomy.categories) > 30


def test_nothing_is_its_own_ancestor(taxonomy: Taxonomy) -> None:
    for name in taxonomy.names:
        above = taxonomy.ancestors(name)
        assert name not in above
        assert len(set(above)) == len(above)
        assert set(above) <= set(taxonomy.names)


def test_no_parent_is_told_twice(taxonomy: Taxonomy) -> None:
    for entry in entries(taxonomy):
        for parent in entry.parents:
            assert not set(taxonomy.ancestors(parent)) & set(entry.parents), entry.name


def test_every_name_means_one_label(taxonomy: Taxonomy) -> None:
    spoken = [name.casefold() for entry in entries(taxonomy) for name in (entry.name, *entry.aliases)]
    assert len(set(spoken)) == len(spoken)


@pytest.mark.parametrize(
    ("name", "ancestors"),
    [
        ("Dog", {"Animal", "Canine", "Mammal", "Pet"}),
        ("Golden Retriever", {"Retriever", "Dog", "Pet", "Animal"}),
        ("Tabby Cat", {"Cat", "Pet", "Animal"}),
        ("Car", {"Transportation", "Vehicle"}),
        ("Wine Bottle", {"Alcohol", "Beverage", "Bottle", "Wine"}),
        ("Orange", {"Citrus Fruit", "Food", "Fruit", "Plant", "Produce"}),
        ("Tie", {"Accessories", "Formal Wear"}),
        ("Woman", {"Adult", "Female", "Person"}),
        ("Face", {"Head", "Person"}),
        ("Bikini", {"Swimwear", "Clothing"}),
        ("Revolver", {"Handgun", "Gun", "Weapon"}),
        ("Beach", {"Coast", "Nature", "Outdoors"}),
    ],
)
def test_ancestors(taxonomy: Taxonomy, name: str, ancestors: set[str]) -> None:
    assert ancestors <= set(taxonomy.ancestors(name))
    for ancestor in ancestors:
        assert name in taxonomy.descendants(ancestor)


def test_the_nearest_come_first(taxonomy: Taxonomy) -> None:
    assert taxonomy.ancestors("Golden Retriever") == ("Retriever", "Dog", "Canine", "Pet", "Mammal", "Animal")
    assert taxonomy.ancestors("Animal") == ()
    assert taxonomy.descendants("Rattlesnake") == ("Diamondback Rattlesnake", "Sidewinder")


@pytest.mark.parametrize("name", ["Wine Glass", "Letter Opener", "Cleaver", "Knife", "Lighter", "Barrel"])
def test_what_may_be_harmless_is_not_called_alcohol_or_weapon(taxonomy: Taxonomy, name: str) -> None:
    assert not {"Alcohol", "Weapon", "Smoking"} & set(taxonomy.ancestors(name))


@pytest.mark.parametrize(
    ("asked", "name"),
    [("automobile", "Car"), ("cell phone", "Mobile Phone"), ("TV", "Television"), ("dog", "Dog"), ("Human", "Person")],
)
def test_find(taxonomy: Taxonomy, asked: str, name: str) -> None:
    entry = taxonomy.find(asked)
    assert entry is not None
    assert entry.name == name
    assert entry.categories
    assert taxonomy.ancestors(asked) == taxonomy.ancestors(name)


def test_an_unknown_name(taxonomy: Taxonomy) -> None:
    assert taxonomy.find("Gryphon") is None
    with pytest.raises(KeyError):
        taxonomy.ancestors("Gryphon")


def test_read_once() -> None:
    assert Taxonomy.read() is Taxonomy.read()


def test_parse() -> None:
    small = Taxonomy.parse(HEADER + "Animal\t\tAnimals and Pets\t\nDog\tAnimal\tAnimals and Pets;Sports\tHound;Doggy\n")
    assert small.names == ("Animal", "Dog")
    assert small.categories == {"Animals and Pets", "Sports"}
    assert small.find("doggy") == Entry("Dog", ("Animal",), ("Animals and Pets", "Sports"), ("Hound", "Doggy"))
    assert small.descendants("Animal") == ("Dog",)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", 1, "header"),
        ("name,parents,categories,aliases\n", 1, "header"),
        (HEADER[:-1], 2, "must end"),
        (HEADER + DOG[:-1], 2, "must end"),
        (HEADER + DOG + "\n", 3, "1 columns"),
        (HEADER + "Dog\tAnimals and Pets\t\n", 2, "3 columns"),
        (HEADER + "Dog\t\t\t\n", 2, "no category"),
        (HEADER + "\t\tAnimals and Pets\t\n", 2, "is empty"),
        (HEADER + "Dog\t\tAnimals and Pets;\t\n", 2, "is empty"),
        (HEADER + DOG + "Pup\tDog;;Dog\tAnimals and Pets\t\n", 3, "is empty"),
        (HEADER + "Dog\t\tAnimals and Pets\tHound; Pooch\n", 2, "space around"),
        (HEADER + "Dog \t\tAnimals and Pets\t\n", 2, "space around"),
        (HEADER + DOG + " Pup\t\tAnimals and Pets\t\n", 3, "space around"),
        (HEADER + "Dog\t\tAnimals and Pets\tHound \n" + DOG, 2, "space around"),
        (HEADER + DOG + DOG, 3, "does not come after"),
        (HEADER + DOG + "Cat\t\tAnimals and Pets\t\n", 3, "does not come after"),
        (HEADER + DOG + "Pup\tCanine\tAnimals and Pets\t\n", 3, "Canine of Pup is no label"),
        (HEADER + DOG + "Pup\t\tAnimals and Pets\tdog\n", 3, "already names Dog of line 2"),
        (HEADER + DOG + "Hound\t\tAnimals and Pets\t\n", 3, "already names Dog of line 2"),
        (HEADER + "Dog\t\tAnimals and Pets\tHound;hound\n", 2, "already names Dog"),
        (HEADER + "Dog\tDog\tAnimals and Pets\t\n", 2, "own ancestor: Dog"),
        (HEADER + "Cat\tDog\tAnimals and Pets\t\nDog\tCat\tAnimals and Pets\t\n", 2, "own ancestor"),
    ],
)
def test_a_bad_file_is_refused_with_the_line(text: str, line: int, why: str) -> None:
    with pytest.raises(ValueError, match=rf"line {line}: .*{why}"):
        Taxonomy.parse(text)
