"""Names are found by some of their letters, the best ones first."""

from beholder.retrieval.matching import matching


def found(words: str, *names: str) -> list[str]:
    return matching(names, words, str)


def test_the_name_itself_comes_first_then_what_begins_so() -> None:
    assert found("P1", "xp1", "p12", "p1", "p2") == ["p1", "p12", "xp1"]


def test_no_words_leave_all_in_their_order() -> None:
    assert found(" ", "b", "a") == ["b", "a"]


def test_case_and_edges_do_not_matter() -> None:
    assert found(" STRASSE ", "an der Straße", "Weg") == ["an der Straße"]
