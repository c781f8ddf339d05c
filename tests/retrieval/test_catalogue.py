"""What a store lists of itself is what was added to it."""

import numpy as np
from made_stores import SIDES, made_addition, made_store


def test_everything_is_listed_by_ascending_number(place: str) -> None:
    addition = made_addition(5, 3, 40, np.random.default_rng(0))
    store = made_store(place, addition)
    with store.write() as writer:
        writer.remove_samples([0, 17])
        writer.remove_participant("person-1")
    left = [one for one in addition.samples if one.number not in (0, 17)]
    left = [one for one in left if one.participant != "person-1"]
    with store.read() as snapshot:
        listed = snapshot.catalogue()
        assert listed.samples.tolist() == [one.number for one in left]
        assert [one.name for one in listed.participants] == [
            one.name for one in addition.participants if one.name != "person-1"
        ]
        people = {one.number: one.name for one in listed.participants} | {-1: None}
        assert [people[one] for one in listed.participant] == [one.participant for one in left]
        assert [listed.images[one] for one in listed.image] == [one.image for one in left]
        assert listed.tasks.tolist() == [one.task for one in left]
        assert listed.parts.tolist() == [one.part for one in left]
        kept = {one.number for one in left}
        for side in SIDES:
            owners, rows = snapshot.vectors(side)
            numbers, given = addition.vectors[side]
            if side.modality == "personality":
                kept = {one.number for one in listed.participants}
            keep = np.isin(numbers, list(kept))
            assert owners.tolist() == numbers[keep].tolist()
            np.testing.assert_array_equal(rows, given[keep])
            some = owners[::2].tolist()
            np.testing.assert_array_equal(snapshot.rows(side, [*some[::-1], 10**6]), rows[::2])
        assert snapshot.samples_on("image-1.png") == [
            one for one in left if one.image == "image-1.png"
        ]
        assert snapshot.samples_on("nowhere") == []
