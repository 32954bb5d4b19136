"""Build verify.py: formats and verify joined into one file that needs Python 3.8 and nothing else."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

from plainview.verify.errors import VerificationError

START = "plainview.verify.command"
RULE = "# " + "-" * 108
HEADER = '''#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check a package of footage: that nothing in it was altered, removed or added, and who says so.

    python3 verify.py                       the package this file lies in
    python3 verify.py FOLDER --key KEY      another one; KEY is the log's key, got from somewhere else
    python3 verify.py --receipt RECEIPT FILE
    python3 verify.py --capture FOOTAGE     footage, against what its camera signed

It needs Python 3.8 or newer and nothing else: no network, nothing to install. It only reads.
Plainview {version}. This file is made from Plainview's modules `formats` and `verify`, one after another, lowest
first; the last part is the command line. Compare it with one you got from elsewhere: they are equal byte for byte.
"""

from __future__ import annotations
'''
FOOTER = """
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], default_folder=own_folder(__file__)))
"""


class SingleFileError(VerificationError):
    """The modules cannot be joined: two use one name, or one needs more than the standard library."""


@dataclass
class _Module:
    # One module, taken apart.
    name: str
    banner: list[str]
    body: str
    needs: list[str] = field(default_factory=list)
    types_from: list[str] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def build_single_file() -> str:
    """Return the source of verify.py.

    Raises:
        SingleFileError: two modules define one name, or import something outside the standard library.
    """
    modules = _in_order(START)
    imports = _checked_imports(modules)
    parts = [HEADER.format(version=importlib.metadata.version("plainview")), _import_block(imports)]
    parts += [_part(module) for module in modules if module.body]
    parts.append(FOOTER)
    return "\n".join(parts)


def _part(module: _Module) -> str:
    return "\n".join(["", RULE, f"# {module.name}", *module.banner, RULE, "", "", module.body, ""])


def _in_order(start: str) -> list[_Module]:
    """Return the modules start needs, itself last, each after those it needs."""
    done: dict[str, _Module] = {}

    def visit(name: str) -> None:
        if name in done:
            return
        module = _take_apart(name)
        for needed in module.needs:
            visit(needed)
        done[name] = module

    visit(start)
    for module in list(done.values()):
        for needed in module.types_from:
            visit(needed)
    return list(done.values())


def _take_apart(name: str) -> _Module:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SingleFileError(name, "no such module")
    source = Path(spec.origin).read_text(encoding="utf-8")
    return take_apart_source(name, source)


def take_apart_source(name: str, source: str) -> _Module:
    """Split a module into banner, imports and body.

    Raises:
        SingleFileError: an import that could not be kept, dropped or hoisted.
    """
    tree, lines = ast.parse(source), source.split("\n")
    module = _Module(name, banner=[], body="")
    body_from = 0
    for position, node in enumerate(tree.body):
        if position == 0 and isinstance(node, ast.Expr) and ast.get_docstring(tree) is not None:
            module.banner = _as_comment(lines[node.lineno - 1 : node.end_lineno])
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            _sort_import(module, node, module.needs)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in node.body:
                _sort_import(module, inner, module.types_from)
        else:
            module.names += _names_bound_by(node)
            _check_inner_imports(module, node)
            continue
        if module.names:
            raise SingleFileError(name, f"line {node.lineno}: an import below other statements")
        body_from = node.end_lineno or 0
    module.body = "\n".join(lines[body_from:]).strip("\n")
    return module


def _as_comment(lines: list[str]) -> list[str]:
    text = "\n".join(lines).strip().lstrip("r").strip('"').strip()
    return ["#", *(f"# {line}".rstrip() for line in text.split("\n"))]


def _sort_import(module: _Module, node: ast.stmt, needs: list[str]) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            module.imports[alias.asname or alias.name] = f"import {alias.name}"
            _check_plain(module, alias, alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if node.module.startswith("plainview."):
                _check_plain(module, alias, "sys")
                needs.append(node.module)
            elif node.module != "__future__" and alias.name != "TYPE_CHECKING":
                module.imports[alias.name] = f"from {node.module} import {alias.name}"
                _check_plain(module, alias, node.module)
    else:
        raise SingleFileError(module.name, f"line {node.lineno}: only plain imports can be joined")


def _check_plain(module: _Module, alias: ast.alias, imported: str) -> None:
    if alias.asname is not None or alias.name == "*":
        raise SingleFileError(module.name, f"{alias.name} is imported under another name")
    if imported.split(".", maxsplit=1)[0] not in sys.stdlib_module_names:
        raise SingleFileError(module.name, f"{imported} is not in the standard library")


def _names_bound_by(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    return sorted(
        {
            inner.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
        }
    )


def _check_inner_imports(module: _Module, node: ast.stmt) -> None:
    # A try whose handler catches ImportError may ask for more than the standard library; nothing else may import.
    may_fail = isinstance(node, ast.Try) and any(
        isinstance(handler.type, ast.Name) and handler.type.id == "ImportError" for handler in node.handlers
    )
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Import, ast.ImportFrom)):
            if not may_fail:
                raise SingleFileError(module.name, f"line {inner.lineno}: an import that is not at the top")
            module.names += [alias.name for alias in inner.names]


def _checked_imports(modules: list[_Module]) -> dict[str, str]:
    imports: dict[str, str] = {}
    owners: dict[str, str] = {}
    for module in modules:
        for name, statement in module.imports.items():
            if imports.setdefault(name, statement) != statement:
                raise SingleFileError(module.name, f"{name} means {imports[name]} elsewhere")
    for module in modules:
        for name in dict.fromkeys(module.names):
            if name in imports or name in owners:
                raise SingleFileError(
                    module.name, f"{name} is defined in {owners.get(name, 'an import')} too"
                )
            owners[name] = module.name
    return imports


def _import_block(imports: dict[str, str]) -> str:
    plain = sorted(statement for statement in set(imports.values()) if statement.startswith("import "))
    return "\n".join([*plain, *_from_imports(imports)]) + "\n"


def _from_imports(imports: dict[str, str]) -> Iterator[str]:
    by_module: dict[str, list[str]] = {}
    for name, statement in imports.items():
        if statement.startswith("from "):
            by_module.setdefault(statement.split(" ")[1], []).append(name)
    for module in sorted(by_module):
        yield f"from {module} import {', '.join(sorted(by_module[module]))}"
