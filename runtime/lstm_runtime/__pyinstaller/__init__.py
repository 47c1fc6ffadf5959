"""Where PyInstaller finds the hook: it asks the entry point ``pyinstaller40`` of every package."""

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """Return the folder of the hook."""
    return [str(Path(__file__).parent)]
