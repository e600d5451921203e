"""The page as HTML: what is to be shown now stands in it, so that it says something without a script too."""

from html import escape
from typing import Final

from app.embed.showing import Showing

PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="player.css">
<body data-look="{look}" data-playlist="{playlist}" data-showing="{state}">
<video controls autoplay muted playsinline hidden></video>
<p id="sentence" role="status">{sentence}</p>
<button id="edge" type="button" hidden>Live</button>
<script src="hls.light.min.js"></script>
<script src="player.js"></script>
</html>
"""
UNTITLED: Final = "Live stream"


def document(shown: Showing, *, look: str, playlist: str) -> str:
    """`look` is where the page asks again what to show, `playlist` what it plays; both as the page's own address sees them."""
    return PAGE.format(
        title=escape(shown.title or UNTITLED),
        look=escape(look),
        playlist=escape(playlist),
        state=shown.state,
        sentence=escape(shown.sentence),
    )
