"""Which messages hold a blocked term, however it is dressed up, and which only look as if they did."""

import pytest

from domain.streams.chat.terms.matching import BlockedTerms

TERMS = [
    "bad",
    "heroin",
    "asian",
    "behead",
    "badword",
    "ass",
    "shit",
    "penis",
    "rotten apple",
    "fall",
    "leet",
    "class act",
    "1488",
    "c++",
    "🍆",
    "Straße",
    "сука",
    "рот",
    "笨蛋",
]
BLOCKED = [
    "bad",
    "That is BAD.",
    "bad, really",
    "(bad)",
    "ｂａｄ",
    "𝓫𝓪𝓭",
    "ⓑⓐⓓ",
    "🅱🅰🅳",
    "🇧 🇦 🇩",
    "bád",
    "b\u0336a\u0336d\u0336",
    "bäd",
    "ba\u200bd",
    "b\u00ada\u2060d",
    "bаd",
    "ʙᴀᴅ",
    "Bαd",
    "b4d",
    "8ad",
    "b@d",
    "a$$",
    "@$s",
    "$$$ bad $$$",
    "b a d",
    "b a d w o r d",
    "ba dw or d",
    "so b  a  d it is",
    "b.a.d",
    "b-a_d",
    "b🔥a🔥d",
    "ba d",
    "b ad",
    "b\na\nd",
    "sh!t",
    "sh1t",
    "SH|T",
    "s h i t",
    "sh it",
    "shıt",
    "rotten apple",
    "rottenapple",
    "rotten     apple",
    "rotten, apple",
    "r o t t e n a p p l e",
    "r0tten @pple",
    "1eet",
    "Ieet",
    "class act",
    "1488",
    "14-88",
    "I like C++ a lot",
    "an 🍆!",
    "STRASSE",
    "strasse",
    "c y k a and сyка",
    "суkа",
    "открой РОТ",
    "ты笨蛋吗",
    "笨 蛋",
    "p_e_n.i.s",
    "@bad hello",
    "роt",
    "рот",
]
INNOCENT = [
    "",
    "...",
    "badge",
    "a class of its own",
    "assassin",
    "passé",
    "The pen is mine",
    "My hero in this story",
    "as Ian said, who will be head of it",
    "as soon as",
    "455 people",
    "it is 4 5 5",
    "fail",
    "FAIL",
    "tail or fill",
    "an act in this class",
    "rotten pears and an apple",
    "c",
    "C is older",
    "Strass",
    "13 37",
    "I had a sip",
    "ba\u200bdge",
    "shitake",
    "ab ad",
    "🍎",
    "a sack",
    "笨的鸡蛋",
    "bad".replace("b", "d"),
]


@pytest.fixture(scope="module")
def terms() -> BlockedTerms:
    return BlockedTerms(TERMS)


@pytest.mark.parametrize("message", BLOCKED)
def test_a_term_is_found(terms: BlockedTerms, message: str) -> None:
    assert terms.block(message)


@pytest.mark.parametrize("message", INNOCENT)
def test_what_only_looks_like_one_is_not(terms: BlockedTerms, message: str) -> None:
    assert not terms.block(message)


@pytest.mark.parametrize("term", ["", " ", "\u200b", "\u0301"])
def test_a_term_of_nothing_blocks_nothing(term: str) -> None:
    assert not BlockedTerms([term]).block("anything at all")


def test_a_word_of_another_language_is_no_disguise() -> None:
    """All its letters look like those of the term, but others of the sentence look like none."""
    pot = BlockedTerms(["pot"])
    assert pot.block("рот")
    assert not pot.block("открой рот, женщина")
    assert pot.block("a рot")


def test_a_term_in_any_dress_blocks_the_plain_word() -> None:
    for term in ("B.A.D", "ｂａｄ", "bаd", "b4d", " bad ", "bád"):
        assert BlockedTerms([term]).block("this is bad"), term


def test_terms_that_never_fit_take_no_time_that_others_miss() -> None:
    """The worst that a channel can settle, and somebody can write: all of it is looked at, and it is no term."""
    terms = BlockedTerms(["l" * many for many in range(3, 100)])
    assert not terms.block("i " * 250)
