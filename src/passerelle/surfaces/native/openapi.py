"""The OpenAPI 3.1 document, made of the calls themselves, and the pages that show it.

One rule: nothing is written twice. Schemas come from the Structs, titles and descriptions from the documentation of
the functions, problems from their table.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from types import UnionType
from typing import Any, Union, get_args, get_origin

import jinja2
import msgspec
from markupsafe import Markup, escape

from ...domain.scopes import SCOPES
from .calls import ROOT, Download, Endpoint, Raw
from .problems import MEDIA, TABLE, URN, ProblemBody

REF = "#/components/schemas/"
ALWAYS = (
    "key-missing", "key-unknown", "scope", "address", "account-disabled", "account-blocked", "account-without-api",
    "invalid", "too-many-requests", "internal", "unavailable",
)  # fmt: skip
WITH_BODY = ("malformed", "timeout", "too-large", "media-type")
DESCRIPTION = """\
Every call needs a key, `Authorization: Bearer pak_...`, made with `passerelle account keys create` or with the call
"Make a key". Bodies are JSON in UTF-8; a member that is not known is refused. Times are RFC 3339 in UTC, money is a
decimal text in euros, ids are opaque texts, telephone numbers are E.164. Lists are read page by page: follow `next`
as it is. What goes wrong is told as `application/problem+json` (RFC 9457); `type` is for programs and stays.
A call that sends or pays takes an `Idempotency-Key`: repeated within a day with the same body it is answered as the
first time. Where the account has a rate limit, the headers `X-RateLimit-Limit`, `X-RateLimit-Remaining` and
`X-RateLimit-Reset` tell it."""

CSV = {"type": "string", "description": "A file.", "examples": ["phone;firstname\n+33639980001;Alix\n"]}

Families = Mapping[str, Sequence[Endpoint]]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StillPage:
    """An answer that is the same for everybody."""

    content: bytes
    media: str
    headers: tuple[tuple[str, str], ...] = ()


# --- the document ----------------------------------------------------------------------------------------------------


def document(families: Families, words: Mapping[str, str]) -> Json:
    """Module -> its calls, and module -> its documentation: the document."""
    schemas, components = _schemas([one for calls in families.values() for one in calls])
    paths: dict[str, Json] = {}
    tags = []
    for module, calls in families.items():
        name = module.rpartition(".")[2].replace("_", " ")
        tags.append({"name": name, "description": (words[module] or "").partition("\n")[0]})
        for one in calls:
            paths.setdefault(ROOT + one.path, {})[one.method.lower()] = _operation(one, name, schemas)
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "pak_...", "description": _scopes()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Passerelle", "version": version("passerelle"), "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"key": bearer}},
    }


def _scopes() -> str:
    """For people."""
    return "A key of the account. Scopes: " + "; ".join(f"`{scope}`: {does}" for scope, does in SCOPES.items()) + "."


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[Mapping[Any, Json], Json]:
    """Type -> schema, and the components they point at; those of queries, which become parameters, are left out."""
    types: list[Any] = [ProblemBody]
    for one in endpoints:
        kinds = (one.query, one.body, *one.variables.values(), *answers(one))
        types += [kind for kind in kinds if kind not in (None, bytes)]
    made, components = _plainly_named(*msgspec.json.schema_components(types, ref_template=REF + "{name}"))
    schemas = dict(zip(types, made, strict=True))
    for one in endpoints:
        if one.query is not None:
            schema = schemas[one.query]
            schemas[one.query] = components.pop(schema["$ref"].removeprefix(REF)) if "$ref" in schema else schema
    return schemas, dict(sorted(components.items()))


_QUALIFIED = re.compile(r"passerelle\.(?:\w+\.)*(\w+)\.(\w+)")


def _plainly_named(schemas: Any, components: Json) -> tuple[list[Json], Json]:
    """Structs that have their name in common are told by their family: `ContactsChange`."""
    text = msgspec.json.encode((schemas, components)).decode()
    made = _QUALIFIED.sub(lambda found: f"{found[1].title().replace('_', '')}{found[2]}", text)
    return msgspec.json.decode(made, type=tuple[list[Json], Json])


def answers(endpoint: Endpoint) -> list[Any]:
    """The types of a good answer that are written as JSON."""
    is_union = get_origin(endpoint.answer) in (Union, UnionType)
    kinds = get_args(endpoint.answer) if is_union else (endpoint.answer,)
    return [kind for kind in kinds if kind not in (type(None), Raw, Download)]


def _operation(endpoint: Endpoint, tag: str, schemas: Mapping[Any, Json]) -> Json:
    told: Json = {
        "operationId": endpoint.name,
        "tags": [tag],
        "summary": endpoint.title,
        "description": endpoint.description,
        "security": [{"key": [endpoint.scope]}],
        "parameters": list(_parameters(endpoint, schemas)),
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.body is bytes:
        told["requestBody"] = {"required": True, "content": {"text/csv": {"schema": CSV}}}
    elif endpoint.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schemas[endpoint.body]}}}
    return told


def _parameters(endpoint: Endpoint, schemas: Mapping[Any, Json]) -> Iterator[Json]:
    for name, kind in endpoint.variables.items():
        yield {"name": name, "in": "path", "required": True, "schema": schemas[kind]}
    query = schemas[endpoint.query] if endpoint.query is not None else {"properties": {}}
    for name, nullable in query["properties"].items():
        schema = _without_null(nullable)
        told = {"name": name, "in": "query", "required": name in query.get("required", ()), "schema": schema}
        if "description" in schema:
            told["description"] = schema["description"]
        if schema.get("type") == "array":
            told |= {"style": "form", "explode": True}
        yield told
    if endpoint.idempotent:
        schema = {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"}
        words = "Repeated within a day with the same body, the call is answered as the first time; another body: 409."
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema, "description": words}


def _without_null(schema: Json) -> Json:
    """A member of a query is there or not; no text of it means null."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return {**kinds[0], **rest}


def problems_of(endpoint: Endpoint) -> list[str]:
    """The slugs that a call may answer."""
    slugs = [*ALWAYS, *endpoint.problems]
    slugs += WITH_BODY if endpoint.body is not None else ()
    slugs += ["not-found"] if endpoint.variables else []
    slugs += ["idempotency-key-reused"] if endpoint.idempotent else []
    return [slug for slug in TABLE if slug in slugs]


def _responses(endpoint: Endpoint, schemas: Mapping[Any, Json]) -> Json:
    good: Json = {"description": "Done"}
    kinds = answers(endpoint)
    if kinds:
        good["content"] = {"application/json": {"schema": schemas[kinds[0]]}}
    elif endpoint.answer is Download:
        good["content"] = {"*/*": {"schema": {"type": "string"}}}
    told = {str(endpoint.status): good}
    for slug in problems_of(endpoint):
        status = str(TABLE[slug][0])
        words = f"`{slug}`: {TABLE[slug][1]}"
        if status in told:
            told[status]["description"] += f"; {words}"
        else:
            told[status] = {"description": words, "content": {MEDIA: {"schema": {"$ref": f"{REF}ProblemBody"}}}}
    return told


# --- the pages -------------------------------------------------------------------------------------------------------


def pages(told: Json) -> dict[str, StillPage]:
    """Path below the root -> the document, and the page for people."""
    return {
        "/openapi.json": StillPage(
            msgspec.json.encode(told), "application/json", (("Access-Control-Allow-Origin", "*"),)
        ),
        "/docs": StillPage(*_page(told)),
    }


def _page(told: Json) -> tuple[bytes, str, tuple[tuple[str, str], ...]]:
    """The page, which loads nothing and runs nothing."""
    folder = resources.files(__package__)
    style = (folder / "documentation.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["code"] = _code
    template = environment.from_string((folder / "documentation.html").read_text(encoding="utf-8"))
    components = told["components"]["schemas"]
    page = template.render(
        told=told,
        style=Markup(style),
        problems=TABLE,
        urn=URN,
        scopes=SCOPES,
        families=_families(told),
        rows=functools.partial(rows, components),
        kind=functools.partial(kind_of, components),
        example=lambda schema: msgspec.json.format(msgspec.json.encode(example(components, schema)), indent=2).decode(),
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; " + (
        "frame-ancestors 'none'"
    )
    headers = (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )
    return page.encode(), "text/html", headers


def _code(text: str) -> str:
    """Text in back-ticks as code."""
    pieces = [
        f"<code>{escape(piece)}</code>" if n % 2 else str(escape(piece)) for n, piece in enumerate(text.split("`"))
    ]
    return Markup("".join(pieces))


def _families(told: Json) -> dict[str, list[Json]]:
    """Tag -> its calls with where they are."""
    found: dict[str, list[Json]] = {tag["name"]: [] for tag in told["tags"]}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(operation | {"path": path, "method": method.upper()})
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A member of a schema, for people. `depth` of nesting."""

    depth: int
    name: str
    kind: str
    required: bool
    description: str


def rows(components: Json, schema: Json, depth: int = 0, seen: tuple[str, ...] = ()) -> list[Row]:
    """The members of a schema, those of their members below them."""
    name, plain = resolved(components, schema)
    if name in seen:
        return []
    found = []
    for member, inner in plain.get("properties", {}).items():
        needed = member in plain.get("required", ())
        found.append(Row(depth, member, kind_of(components, inner), needed, _words_of(components, inner)))
        for one in _inner(inner):
            found += rows(components, one, depth + 1, (*seen, name))
    return found


def resolved(components: Json, schema: Json) -> tuple[str, Json]:
    """The component that a schema points at, and its name."""
    name = schema.get("$ref", "").removeprefix(REF)
    return name, components[name] if name else schema


def _inner(schema: Json) -> list[Json]:
    """What may have members of its own."""
    if "anyOf" in schema:
        return [one for each in schema["anyOf"] for one in _inner(each)]
    if schema.get("type") == "array":
        return _inner(schema.get("items", {}))
    return [schema] if "$ref" in schema else []


def kind_of(components: Json, schema: Json) -> str:
    """A type in a few words."""
    if "anyOf" in schema:
        return " or ".join(kind_of(components, one) for one in schema["anyOf"])
    plain = resolved(components, schema)[1]
    if "enum" in plain:
        return " | ".join(map(str, plain["enum"]))
    if plain.get("type") == "array":
        return f"list of {kind_of(components, plain.get('items', {}))}"
    bounds = [
        f"{sign} {plain[key]}"
        for key, sign in (("minimum", "from"), ("maximum", "to"), ("minLength", "from"), ("maxLength", "to"))
        if key in plain
    ]
    kind = {"string": "text", "object": "object", "null": "null"}.get(plain.get("type", ""), plain.get("type", "any"))
    kind = "time" if plain.get("format") == "date-time" else kind
    return f"{kind}, {' '.join(bounds)}" if bounds else str(kind)


def _words_of(components: Json, schema: Json) -> str:
    told = schema.get("description") or resolved(components, schema)[1].get("description", "")
    default = schema.get("default")
    return re.sub(r"\s+", " ", told) + (f" Default: `{default}`." if default not in (None, "", [], {}) else "")


def example(components: Json, schema: Json) -> Any:
    """Something that fits a schema: what is required, and what has an example."""
    _, plain = resolved(components, schema)
    if "examples" in plain:
        return plain["examples"][0]
    if "anyOf" in plain:
        return example(components, plain["anyOf"][0])
    if "enum" in plain:
        return plain["enum"][0]
    if plain.get("type") == "array":
        return [example(components, plain.get("items", {}))]
    if plain.get("type") == "object":
        return _example_of_object(components, plain)
    if plain.get("format") == "date-time":
        return "2026-12-24T09:30:00Z"
    return {"integer": plain.get("minimum", 1), "number": 1.0, "boolean": True, "null": None}.get(
        plain.get("type", ""), "text"
    )


def _example_of_object(components: Json, plain: Json) -> Json:
    if plain.get("minProperties") and "properties" not in plain:
        return {"name": example(components, plain.get("additionalProperties") or {})}
    return {
        name: example(components, inner)
        for name, inner in plain.get("properties", {}).items()
        if name in plain.get("required", ()) or "examples" in resolved(components, inner)[1]
    }
