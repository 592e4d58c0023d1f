"""Whether an answer has the shape of a documented one: the same members in the same order, each of the same type."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree


def pairs(text: str) -> Any:
    """JSON with objects as lists of (name, value), so that their order is compared."""
    return json.loads(text, object_pairs_hook=lambda members: members)


def shape(value: Any) -> Any:
    """What must stay: names, order and types; of a list its first element."""
    if isinstance(value, tuple):
        return value[0], shape(value[1])
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return [shape(member) for member in value]
    if isinstance(value, list):
        return ["list", *map(shape, value[:1])]
    return type(value).__name__


def same(answer: str, documented: str) -> bool:
    """Whether both texts, JSON, have one shape."""
    return bool(shape(pairs(answer)) == shape(pairs(documented)))


def tree(document: str) -> Any:
    """An XML document as nested (tag, children or text), blanks around texts left out."""
    return _node(ElementTree.fromstring(document))


def _node(element: ElementTree.Element) -> Any:
    return element.tag, [_node(child) for child in element] or (element.text or "").strip()
