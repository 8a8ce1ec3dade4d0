"""The description as one page for people: no script, no other file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

Part = dict[str, Any]

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:#2563c9}
@media(prefers-color-scheme:dark){:root{--link:#8ab4f8}}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;margin:0}
main{max-width:62rem;margin:auto;padding:1rem}a{color:var(--link)}
code,pre{font:14px/1.45 ui-monospace,Consolas,monospace}
pre{overflow:auto;background:var(--soft);padding:.7rem;border-radius:4px}
details{border:1px solid var(--line);border-radius:4px;margin:.4rem 0;padding:.2rem .8rem}
summary{cursor:pointer;padding:.3rem 0;overflow-wrap:anywhere}
summary b{display:inline-block;min-width:4.2rem;font-family:ui-monospace,monospace}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;
border-top:1px solid var(--line)}
nav a{margin-right:1rem;white-space:nowrap}h2{margin-top:2.2rem}
"""


def docs_page(document: Part) -> str:
    """HTML of an OpenAPI document."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    tags = [(tag["name"], tag["description"]) for tag in document["tags"]]
    links = [f'<a href="#{escape(name)}">{escape(name)}</a>' for name, _ in tags]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{title}</h1><p>{escape(info['description'])}</p>",
        f"<p>Base: <code>{escape(document['servers'][0]['url'])}</code>. ",
        "The same for programs: <a href='openapi.json'>openapi.json</a>.</p>",
        f'<nav>{"".join(links)}<a href="#schemas">Schemas</a></nav>',
    ]
    for name, description in tags:
        parts.append(f'<h2 id="{escape(name)}">{escape(name)}</h2><p>{escape(description)}</p>')
        parts += _operations(document, name)
    parts.append('<h2 id="schemas">Schemas</h2>')
    parts += [_schema(name, each) for name, each in document["components"]["schemas"].items()]
    return "\n".join([*parts, "</main></body></html>\n"])


def _operations(document: Part, tag: str) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if tag in operation["tags"]:
                yield _operation(document, f"{method.upper()} {path}", operation)


def _operation(document: Part, route: str, operation: Part) -> str:
    method, _, path = route.partition(" ")
    parts = [
        f'<details id="{escape(operation["operationId"])}"><summary><b>{method}</b> ',
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>",
    ]
    if "security" in operation:
        parts.append("<p>Needs no token.</p>")
    if "description" in operation:
        parts.append(f"<p>{escape(operation['description'])}</p>")
    if operation.get("parameters"):
        parts.append(_table("Parameters", [_parameter(each) for each in operation["parameters"]]))
    if "requestBody" in operation:
        parts += _body(operation["requestBody"])
    replies = [_reply(document, *each) for each in operation["responses"].items()]
    return "".join([*parts, _table("Replies", replies), "</details>"])


def _parameter(parameter: Part) -> tuple[str, str, str]:
    need = ", required" if parameter["required"] else ""
    schema = parameter["schema"]
    text = parameter.get("description") or schema.get("description", "")
    return (
        f"<code>{escape(parameter['name'])}</code>",
        f"{parameter['in']}{need}<br>{_type(schema)}",
        escape(text),
    )


def _body(body: Part) -> Iterator[str]:
    for media_type, media in body["content"].items():
        yield f"<h4>Body</h4><p>{_type(media['schema'])} as <code>{escape(media_type)}</code></p>"
        for name, example in media.get("examples", {}).items():
            text = json.dumps(example["value"], indent=2, ensure_ascii=False)
            label = escape(name.replace("_", " "))
            yield f"<details><summary>Example: {label}</summary><pre>{escape(text)}</pre></details>"


def _reply(document: Part, status: str, reply: Part) -> tuple[str, str, str]:
    if "$ref" in reply:
        reply = document["components"]["responses"][reply["$ref"].rpartition("/")[2]]
    kinds = [
        f"{_type(media['schema'])}<br><code>{escape(media_type)}</code>"
        for media_type, media in reply.get("content", {}).items()
    ]
    return f"<code>{status}</code>", "".join(kinds), escape(reply["description"])


def _schema(name: str, schema: Part) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"<code>{escape(field)}</code>{' *' if field in required else ''}",
            _type(each),
            escape(str(each.get("description", ""))),
        )
        for field, each in schema.get("properties", {}).items()
    ]
    text = f"<p>{escape(schema['description'])}</p>" if "description" in schema else ""
    table = _table("Fields (* required)", rows) if rows else f"<p>{_type(schema)}</p>"
    head = f"<summary><code>{escape(name)}</code></summary>"
    return f'<details id="schema-{escape(name)}">{head}{text}{table}</details>'


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<h4>{escape(title)}</h4><table>{''.join(lines)}</table>"


def _type(schema: Part) -> str:
    """A schema in a few words, with links to those that have names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(_type(each) for each in schema[word])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(kind if isinstance(kind, str) else " or ".join(kind)) + _bounds(schema)


_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "pattern": "{}",
    "format": "{}",
}


def _bounds(schema: Part) -> str:
    told = [text.format(schema[word]) for word, text in _BOUNDS.items() if word in schema]
    return f" <small>{escape('; '.join(told))}</small>" if told else ""
