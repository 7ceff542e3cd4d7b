"""Licence: the folder of a model -> what it says of its licence, for people to read; nothing is concluded from it."""

import re
from pathlib import Path

NOT_STATED = "not stated"
FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---", re.DOTALL)
STATED = re.compile(r"^(license|license_name):[ \t]*['\"]?([\w.+ -]+?)['\"]?[ \t]*$", re.MULTILINE)
LICENCE_FILE = re.compile(r"LICEN[SC]E.*", re.IGNORECASE)
MAX_CHARACTERS = 100_000  # of a README


def licence_of(*folders: Path) -> str:
    """Return `license:` of a README's front matter, else the name of a LICENSE file; the first folder wins."""
    for folder in folders:
        stated = _front_matter(folder / "README.md")
        name = stated.get("license_name") if stated.get("license", "other") == "other" else stated["license"]
        if name or stated:
            return name or stated["license"]
        files = sorted(path.name for path in folder.iterdir() if LICENCE_FILE.fullmatch(path.name))
        if files:
            return f"see {files[0]}"
    return NOT_STATED


def _front_matter(readme: Path) -> dict[str, str]:
    try:
        with readme.open(encoding="utf-8", errors="replace") as file:
            found = FRONT_MATTER.match(file.read(MAX_CHARACTERS))
    except OSError:
        return {}
    return dict(STATED.findall(found[1])) if found else {}
