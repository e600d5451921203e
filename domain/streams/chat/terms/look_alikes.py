"""Characters that people read as letters of the Latin alphabet: from Unicode's confusables (UTS 39) those of scripts that keyboards have,
and what is typed in place of letters."""

from collections.abc import Mapping
from typing import Final

# As they are after case folding and without marks.
LETTERS: Final[Mapping[str, str]] = {
    "a": "аɑαᴀ⍺ɐᎪᗅꓮ🅐🅰🇦",
    "b": "вьɓʙƃƅᏏᏴᖯᗷᑲꓐβ🅑🅱🇧",
    "c": "сᴄⲥᏟᑕꓚ🅒🅲🇨",
    "d": "ԁɗđᴅᎠᗞᗪᏧᑯꓓ🅓🅳🇩",
    "e": "еεєҽ℮ɛǝᴇꬲᎬꓰ🅔🅴🇪",
    "f": "ꜰƒϝꞙꬵᖴꓝ🅕🅵🇫",
    "g": "ɡցԍɢƍᶃᏀꓖ🅖🅶🇬",
    "h": "һհнʜħⲏηᎻᏂᕼꓧ🅗🅷🇭",
    "i": "іɩιɪꙇⲓᎥ🅘🅸🇮",
    "j": "јʝϳᴊյᎫᒍꓙ🅙🅹🇯",
    "k": "кκқᴋⲕĸᏦᛕꓗ🅚🅺🇰",
    "l": "ʟłǀⵏᏞᒪꓡ🅛🅻🇱",
    "m": "мᴍϻɱⲙᎷᗰꓟ🅜🅼🇲",
    "n": "пոռɴŋղⲛꓠ🅝🅽🇳",
    "o": "оοσօøᴏᴑⲟჿꬽഠⵔ𐓪ꓳ०੦૦౦೦൦๐໐၀০୦🅞🅾🇴",
    "p": "рρᴘⲣþᏢᑭꓑ🅟🅿🇵",
    "q": "ԛգզϙⵕ🅠🆀🇶",
    "r": "гᴦʀɾⲅᎡᏒᖇꓣꭇ🅡🆁🇷",
    "s": "ѕꜱƽʂտᏚᏕꓢ🅢🆂🇸",
    "t": "тτᴛƭŧⲧᎢꓔ🅣🆃🇹",
    "u": "υսʋᴜцꭒᑌꓴ🅤🆄🇺",
    "v": "ѵνᴠᏙᐯⴸꓦ🅥🆅🇻",
    "w": "ѡԝաɯᴡωшᎳᏔꓪ🅦🆆🇼",
    "x": "хχ×ҳⲭⵝ᙭ꓫ🅧🆇🇽",
    "y": "уүყγʏɣⲩᎩᎽꓬ🅨🆈🇾",
    "z": "ᴢʐƶᏃꓜζ🅩🆉🇿",
}
# What is typed in place of letters: each for one of these.
STAND_INS: Final[Mapping[str, str]] = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "€": "e",
    "ӏ": "il",
    "ı": "il",
}
# Every letter that a character may be read as.
READ_AS: Final[Mapping[str, str]] = {**{sign: letter for letter, signs in LETTERS.items() for sign in signs}, **STAND_INS}


def alike(one: str, other: str) -> bool:
    """Whether one character may be read as the other."""
    return one == other or not set(READ_AS.get(one, one)).isdisjoint(READ_AS.get(other, other))
