"""Bytes from strangers to text.

Rule 1: only codecs that mail is written in. A label never reaches Python's codec registry, which
        imports what it is asked for and remembers each name it did not find.
Rule 2: UTF-7 is refused: what looks like plain ASCII becomes markup.
"""

from __future__ import annotations

import re

from mailcore._inbound.defect import DefectCode, DefectLog

__all__ = ["decode_text", "is_mail_charset"]

# Python codec → the labels for it. As browsers do (WHATWG Encoding), a label is read as the superset
# people really meant by it: Latin-1 as windows-1252, Shift_JIS as cp932.
_LABELS = {
    "utf-8": "utf-8 utf8 utf-8-sig unicode-1-1-utf-8",
    "cp1252": "iso-8859-1 iso8859-1 8859-1 latin1 latin-1 l1 cp1252 windows-1252 iso-ir-100 cp819",
    "iso8859-2": "iso-8859-2 iso8859-2 latin2 latin-2 l2",
    "iso8859-3": "iso-8859-3 iso8859-3 latin3",
    "iso8859-4": "iso-8859-4 iso8859-4 latin4",
    "iso8859-5": "iso-8859-5 iso8859-5 cyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 iso-8859-6-i iso-8859-6-e arabic",
    "iso8859-7": "iso-8859-7 iso8859-7 greek",
    "iso8859-8": "iso-8859-8 iso8859-8 iso-8859-8-i iso-8859-8-e hebrew",
    "cp1254": "iso-8859-9 iso8859-9 latin5 cp1254 windows-1254",
    "iso8859-10": "iso-8859-10 iso8859-10 latin6",
    "cp874": "iso-8859-11 iso8859-11 tis-620 cp874 windows-874",
    "iso8859-13": "iso-8859-13 iso8859-13 latin7",
    "iso8859-14": "iso-8859-14 iso8859-14 latin8",
    "iso8859-15": "iso-8859-15 iso8859-15 latin9 latin-9",
    "iso8859-16": "iso-8859-16 iso8859-16 latin10",
    "cp1250": "windows-1250 cp1250",
    "cp1251": "windows-1251 cp1251",
    "cp1253": "windows-1253 cp1253",
    "cp1255": "windows-1255 cp1255",
    "cp1256": "windows-1256 cp1256",
    "cp1257": "windows-1257 cp1257",
    "cp1258": "windows-1258 cp1258",
    "cp437": "cp437 ibm437 437",
    "cp850": "cp850 ibm850 850",
    "cp852": "cp852 ibm852 852",
    "cp866": "cp866 ibm866 866",
    "koi8-r": "koi8-r koi8r",
    "koi8-u": "koi8-u koi8u",
    "mac-roman": "macintosh mac-roman x-mac-roman",
    "gb18030": "gb2312 gbk gb18030 cp936 euc-cn gb-2312-80 x-gbk",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5",
    "euc-jp": "euc-jp eucjp x-euc-jp",
    "iso2022-jp-ext": "iso-2022-jp iso2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-ext",
    "cp932": "shift-jis shift-jisx0213 sjis x-sjis cp932 windows-31j ms-kanji",
    "cp949": "euc-kr euckr cp949 ks-c-5601-1987 ks-c-5601 windows-949 uhc",
    "iso2022-kr": "iso-2022-kr iso2022-kr",
    "utf-16": "utf-16 utf16 ucs-2 unicode",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
#: Labels that promise no more than ASCII; 8-bit bytes behind them are undeclared.
_ASCII = frozenset({"", "us-ascii", "ascii", "ansi-x3.4-1968", "iso646-us", "646", "7bit"})

_SEPARATORS = re.compile(r"[\s_\"']+")


def is_mail_charset(label: str) -> bool:
    """Return whether mail is written in a charset of that name; Python has codecs that are none."""
    name = _SEPARATORS.sub("-", label[:100].lower()).strip("-")
    return name in _CODECS or name in _ASCII


def decode_text(data: bytes | memoryview, charset: str, log: DefectLog, where: str) -> str:
    """
    Return `data` as text, whatever it holds.

    An empty or ASCII `charset` stands for none: the text is UTF-8 if it can be, else Latin-1.
    """
    label = _SEPARATORS.sub("-", charset[:100].lower()).strip("-")
    codec = _CODECS.get(label)
    if codec is None:
        return _guess(data, log, where, declared=label not in _ASCII)
    try:
        return str(data, codec)
    except ValueError:
        log.add(DefectCode.BAD_TEXT, where, f"Some bytes are not {label}; they were replaced.")
        return str(data, codec, "replace")


def _guess(data: bytes | memoryview, log: DefectLog, where: str, *, declared: bool) -> str:
    if declared:
        log.add(DefectCode.BAD_CHARSET, where, "The charset is unknown or refused.")
    try:
        return str(data, "utf-8")
    except ValueError:
        log.add(DefectCode.BAD_CHARSET, where, "Text without a charset is not UTF-8; read as Latin-1.")
        return str(data, "cp1252", "replace")
