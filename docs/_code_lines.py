"""How many lines of a Python file are code: neither blank nor comment nor docstring."""

from __future__ import annotations

import ast
import io
import tokenize

__all__ = ["code_lines"]

#: What makes a token no code: a line that has nothing else is not counted.
_LAYOUT = frozenset(
    {
        *(tokenize.COMMENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.INDENT),
        *(tokenize.NEWLINE, tokenize.NL),
    }
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def code_lines(text: str, *, within: bool = False) -> int:
    """
    Count the lines of code of a file.

    Args:
        within: Count those within functions and classes alone: no imports, no tables of a module.
    """
    tree = ast.parse(text)
    counted: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT:
            counted |= _lines(token.start[0], token.end[0])
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            counted -= _lines(node.body[0].lineno, node.body[0].end_lineno)
    if within:
        inner = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        counted &= set[int]().union(*(_lines(node.lineno, node.end_lineno) for node in inner))
    return len(counted)


def _lines(first: int, last: int | None) -> set[int]:
    return set(range(first, (last or first) + 1))
