"""The README as a package index shows it, where paths of the repository lead nowhere.

With an address of the repository in ``[project.urls]``, under ``Repository``, links and pictures
get it put before them; without one, links become their text and pictures are left out.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^]]*)\]\((?!https?:|#)(?P<path>[^)]+)\)")


def for_index(readme: str, repository: str | None) -> str:
    """Return the README with every relative link made absolute, or taken out."""

    def mend(link: re.Match[str]) -> str:
        if repository is not None:
            form = "raw" if link["picture"] else "blob"
            address = f"{repository.rstrip('/')}/{form}/main/{link['path']}"
            return f"{link['picture']}[{link['text']}]({address})"
        return "" if link["picture"] else link["text"]

    return _LINK.sub(mend, readme)


class IndexReadmeHook(MetadataHookInterface):
    """Fills in the field ``readme`` when a package is built."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the field."""
        readme = Path(self.root, "README.md").read_text("utf-8")
        repository = metadata.get("urls", {}).get("Repository")
        text = for_index(readme, repository)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
