"""Whether a program file runs nothing but what PyTorch computes.

PyTorch's loaders trust their files: expressions of a ``.pt2`` file go to SymPy, which evaluates
Python, names in it become Python code, libraries in it are loaded; TorchScript has operators that
write files. So a file is read here, and what PyTorch gets is made of what was found good.
"""

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_WRITES_OR_CALLS = r"\b(save|from_file|rpc_sync|rpc_async|rpc_remote)\b"
"""Operators of TorchScript that open files, or ask other machines."""
_FOREIGN_OPERATORS = r"\bops\b(?!\.(?:aten|prims?|quantized|prepacked)\.)"
_TARGET = (
    r"torch\.ops\.(?:aten|prims|higher_order)\.\w+(?:\.\w+)?|math\.\w+|torch\.sym_\w+|"
    r"_operator\.(?:add|sub|mul|floordiv|truediv|mod|neg|pos|abs|eq|ne|lt|le|gt|ge|and_|or_|not_|"
    r"xor|getitem|pow)"
)
_RESOLVED = r"(?:torch|_operator|math)\w*\.|#"
"""Beginnings of the texts that PyTorch's loader takes for functions."""
_PARTS = re.compile(
    r"[^/]+/(?:archive_format|archive_version|version|byteorder|\.data/\w+|models/\w+\.json"
    r"|data/(?:weights|constants|sample_inputs)/[\w.]+)"
)
"""What a ``.pt2`` file is read from; compiled libraries and extra files are left out."""

_PLAIN = re.compile(r"[\w.:+\->, ]*")
"""Names, types and the like: without brackets, quotes and line ends no Python code can call."""
_TREES = ("in_spec", "out_spec", "context")
"""Names of texts that are JSON again: what arguments and answers are made of."""
_FORMULAS = ("expr_str", "guards_code")
_LONGEST_FORMULA = 20_000
_FUNCTION = re.compile(
    "Symbol|Integer|Float|Rational|Add|Mul|Min|Max|Mod|Abs|Not|And|Or|Eq|Ne|Gt|Ge|Lt|Le|Equality|"
    "Unequality|Strict(?:Greater|Less)Than|GreaterThan|LessThan|Piecewise|ExprCondPair|floor|"
    "ceiling|PythonMod|FloorDiv|CleanDiv|CeilDiv|ModularIndexing|Where|(?:Ceil|Floor|Trunc|Round)"
    r"ToInt|IntTrueDiv|FloatTrueDiv|ToFloat|Identity|max|min|abs|math\.(?:floor|ceil|trunc)|"
    r"torch\.sym_\w+"
)
_NODES = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.keyword, ast.Constant, ast.BinOp, ast.Add,
    ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.UnaryOp, ast.USub, ast.UAdd, ast.Not,
    ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
    ast.Subscript, ast.Attribute,
)  # fmt: skip
_LARGEST = 2**63


class UnsafeProgramError(Exception):
    """A program that does, or could do, more than compute."""


def checked_torchscript(path: Path) -> io.BytesIO:
    """Return a TorchScript archive whose code opens no file and asks no other machine.

    Raises:
        UnsafeProgramError: names what it does.
        zipfile.BadZipFile: as other errors of `zipfile`, when it is damaged.

    """
    parts = dict(_parts(path))
    for name, content in parts.items():
        if name.lower().endswith(".py"):
            for pattern in (_WRITES_OR_CALLS, _FOREIGN_OPERATORS):
                if found := re.search(pattern, content.decode("utf-8")):
                    raise UnsafeProgramError(
                        f"its code has {found[0]!r}, which is more than computing"
                    )
    return _archive(parts)


def checked_program(path: Path) -> io.BytesIO:
    """Return a ``.pt2`` archive of graph and weights alone, in which nothing is Python code.

    Raises:
        UnsafeProgramError: names what was found instead.
        zipfile.BadZipFile: as other errors of `zipfile`, when it is damaged.

    """
    parts = {name: content for name, content in _parts(path) if _PARTS.fullmatch(name)}
    for name, content in parts.items():
        if name.endswith(".json"):
            plain = _without_metadata(json.loads(content))
            _check_values(plain, "")
            parts[name] = json.dumps(plain).encode()
    return _archive(parts)


def _parts(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise UnsafeProgramError("it has two parts of one name")
        for name in names:
            yield name, archive.read(name)


def _archive(parts: dict[str, bytes]) -> io.BytesIO:
    """Write the parts anew, so that PyTorch cannot read others than those that were checked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def _without_metadata(value: Any) -> Any:
    """Return JSON without what the nodes tell of the source code, which names what is imported."""
    if isinstance(value, dict):
        return {
            key: {} if key == "metadata" else _without_metadata(inner)
            for key, inner in value.items()
        }
    return [_without_metadata(inner) for inner in value] if isinstance(value, list) else value


def _check_values(value: Any, key: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name, "")
            _check_values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            _check_values(inner, key)
    elif isinstance(value, str):
        _check_text(value, key)


def _check_text(text: str, key: str) -> None:
    if key in _TREES and not _PLAIN.fullmatch(text):
        _check_values(json.loads(text), "context")
        return
    if key in _FORMULAS:
        good = _is_formula(text)
    elif key == "target" or re.match(_RESOLVED, text):
        good = re.fullmatch(_TARGET, text) is not None and not re.search(_WRITES_OR_CALLS, text)
    else:
        good = _PLAIN.fullmatch(text) is not None
    if not good:
        raise UnsafeProgramError(
            f"{key or 'a name'} is {text[:60]!r}, which is more than computing"
        )


def _is_formula(text: str) -> bool:
    """Tell whether a text is arithmetic of sizes: numbers, symbols and known functions of them."""
    if len(text) > _LONGEST_FORMULA:
        return False
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, _NODES) and _is_harmless(node) for node in ast.walk(tree))


def _is_harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        size = isinstance(node.func, ast.Attribute) and not node.args and not node.keywords
        return size or _FUNCTION.fullmatch(ast.unparse(node.func)) is not None
    if isinstance(node, ast.Attribute):
        # Of a guard: L['ids'].size()[1] == 7, or a function.
        return node.attr == "size" or _FUNCTION.fullmatch(ast.unparse(node)) is not None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.fullmatch(r"[\w.+-]*", node.value) is not None
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return abs(node.value) <= _LARGEST
    return True
