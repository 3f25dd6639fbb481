"""The web app's types, written from the OpenAPI document: one source, no drift.

`python -m frontend_api.typescript` rewrites ui/src/api/schema.d.ts.
"""

from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent / "ui" / "src" / "api" / "schema.d.ts"
_HEAD = """\
// Written by `python -m frontend_api.typescript` from the gateway's own types.
// A test fails when it is not in step; do not edit it.
"""
_SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def type_of(schema: dict[str, Any]) -> str:
    """Return the TypeScript type of a JSON schema."""
    if "$ref" in schema:
        return _name(str(schema["$ref"]).rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _union([type_of(one) for one in schema[several]])
    if "enum" in schema:
        return _union([f'"{value}"' for value in schema["enum"]])
    if "const" in schema:
        return f'"{schema["const"]}"'
    kind = schema.get("type")
    if isinstance(kind, list):
        return _union([_SCALARS[one] for one in kind])
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return f"Record<string, {_values(schema)}>"
    return _SCALARS.get(str(kind), "unknown")


def _name(name: str) -> str:
    """Return a name; two of one name come with their modules, dots and all."""
    return name.replace(".", "_")


def _union(types: list[str]) -> str:
    return " | ".join(dict.fromkeys(types))


def _array(schema: dict[str, Any]) -> str:
    first = schema.get("prefixItems")
    if first:
        return f"[{', '.join(type_of(one) for one in first)}]"
    items = schema.get("items")
    inner = type_of(items) if isinstance(items, dict) else "unknown"
    return f"({inner})[]" if " | " in inner else f"{inner}[]"


def _values(schema: dict[str, Any]) -> str:
    values = schema.get("additionalProperties")
    return type_of(values) if isinstance(values, dict) and values else "unknown"


def _interface(name: str, schema: dict[str, Any]) -> str:
    name = _name(name)
    if "properties" not in schema:
        return f"export type {name} = {type_of(schema)};\n"
    required = set(schema.get("required", ()))
    lines = [
        f"  {key}{'' if key in required else '?'}: {type_of(value)};"
        for key, value in schema["properties"].items()
    ]
    return "\n".join([f"export interface {name} {{", *lines, "}\n"])


def write(document: dict[str, Any]) -> str:
    """Return schema.d.ts of an OpenAPI document."""
    schemas = document["components"]["schemas"]
    parts = [_interface(name, schema) for name, schema in sorted(schemas.items())]
    verbs = [
        path.rpartition("/")[2]
        for path in document["paths"]
        if path.startswith("/api/v1/acts/")
    ]
    union = _union([f'"{verb}"' for verb in verbs]) or "never"
    parts.append(f"export type Verb = {union};\n")
    bodies = [
        f'  "{path.rpartition("/")[2]}": {_body(item["post"])};'
        for path, item in document["paths"].items()
        if path.startswith("/api/v1/acts/")
    ]
    parts.append("\n".join(["export interface ActBodies {", *bodies, "}\n"]))
    return "\n".join([_HEAD, *parts])


def _body(operation: dict[str, Any]) -> str:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return type_of(schema["allOf"][0])


def main() -> None:
    """Rewrite schema.d.ts."""
    from frontend_api.app import described

    SCHEMA.parent.mkdir(parents=True, exist_ok=True)
    SCHEMA.write_text(write(described()), "utf-8")


if __name__ == "__main__":
    main()
