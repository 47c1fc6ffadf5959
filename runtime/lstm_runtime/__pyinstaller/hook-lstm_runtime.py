"""What an app of PyInstaller needs of lstm_runtime beyond what its imports show.

The bundled models, the kernel's library, and the modules behind public names, which are imported
when they are first used. Scoring on a cluster is left out: Ray starts workers of its own.
"""

from PyInstaller.utils.hooks import collect_submodules

from lstm_runtime.bundled import DEFAULT_CPU, DEFAULT_OTHER
from lstm_runtime.kernel.library import library_path

_LEFT_OUT = ("lstm_runtime.__pyinstaller", "lstm_runtime.distributed")

datas = [(str(path), "lstm_runtime/models") for path in (DEFAULT_CPU, DEFAULT_OTHER)]
_library = library_path()
binaries = [] if _library is None else [(str(_library), "lstm_runtime/kernel")]
hiddenimports = collect_submodules("lstm_runtime", lambda name: not name.startswith(_LEFT_OUT))
excludedimports = ["ray"]
