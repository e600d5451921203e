"""The keys of objects, as the real worker makes them of what a request says."""

import posixpath
import time


def file_key(filepath: str, room_name: str, extension: str) -> str:
    """Without a name of its own it gets the room's and the time; a missing or wrong extension is put right."""
    path = _filled(filepath, room_name)
    if not path or path.endswith("/"):
        path += f"{room_name}-{_time()}"
    root, given = posixpath.splitext(path)
    return path if given == extension else (root if given in (".mp4", ".ogg", ".mp3", ".webm") else path) + extension


def playlist_keys(prefix: str, playlist: str, live: str, room_name: str) -> tuple[str, str, str]:
    """Prefix of the segments, playlist and live playlist (empty without one), all in one directory."""
    prefix, playlist, live = (_filled(name, room_name) for name in (prefix, playlist, live))
    if not prefix or prefix.endswith("/"):
        prefix += posixpath.basename(playlist).partition(".")[0] or f"{room_name}-{_time()}"
    folder = posixpath.dirname(prefix) or posixpath.dirname(playlist)
    prefix = posixpath.join(folder, posixpath.basename(prefix))
    # What follows a dot is taken for an extension and replaced.
    names = (posixpath.basename(name).partition(".")[0] for name in (playlist or prefix, live))
    full, sliding = (posixpath.join(folder, f"{name}.m3u8") if name else "" for name in names)
    return prefix, full, sliding


def image_prefix(prefix: str) -> str:
    return _filled(prefix, "") or "image"


def _filled(name: str, room_name: str) -> str:
    return name.replace("../", "").replace("{room_name}", room_name).replace("{time}", _time())


def _time() -> str:
    return time.strftime("%Y-%m-%dT%H%M%S")
