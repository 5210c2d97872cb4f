"""Paths that every program takes, however a folder is called.

Triton starts its models by a shell and does not quote: with a space or an ampersand in a path their loads hang,
and with letters beyond ASCII they fail.
"""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

PLAIN = re.compile(r"[A-Za-z0-9_./+@:-]+")


def plain(folder: Path) -> Path:
    """The folder itself, where its path is plain; else a link to it, below a folder of ours for temporary files.

    The link is the same at each call, and stays. Raises OSError where it cannot be made, or is not ours.
    """
    folder = folder.resolve()
    if PLAIN.fullmatch(str(folder)):
        return folder
    link = _own_folder() / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    if not link.is_symlink():
        _put(link, folder)
    return link


def _own_folder() -> Path:
    """A folder that nobody else can put links into."""
    own = Path(tempfile.gettempdir()) / f"model-manager-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{own} belongs to somebody else")
    return own


def _put(link: Path, folder: Path) -> None:
    """Another process may do the same at this moment: whoever comes second replaces the link by an equal one."""
    draft = link.with_name(f"{link.name}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(folder, target_is_directory=True)
    draft.replace(link)
