"""OpenAPI 3.1 from the route table, the views and the registered acts."""

from typing import Any

import msgspec

from core.people.acts import ACTS, ClaimHub
from frontend_api.acts import DoneReply, ProofBody
from frontend_api.alarmfeed import AlarmMessage, AlarmsMessage
from frontend_api.changes import ChangeMessage
from frontend_api.guard import Route
from frontend_api.problems import ProblemView

_REF = "#/components/schemas/{name}"
_STREAMED = (ChangeMessage, AlarmsMessage, AlarmMessage)
_EXTRA = {
    "expected_version": {"type": ["integer", "null"], "minimum": 0},
    "act_ms": {"type": ["integer", "null"], "minimum": 0},
    "proof": {"$ref": _REF.format(name="ProofBody")},
    "second": {"$ref": _REF.format(name="ProofBody")},
    "pin": {"type": "string", "description": "of who signs beside a witness"},
}


def document(routes: list[Route]) -> dict[str, Any]:
    """Return the whole document."""
    paths, components = _described(routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Safehold hub",
            "version": "1",
            "description": "Reads of the site's state and acts of its people.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "safehold_session",
                },
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"cookie": []}, {"token": []}],
    }


def _described(routes: list[Route]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the paths and the schemas."""
    acts = sorted(item for item in ACTS.items() if item[1] is not ClaimHub)
    types: list[Any] = [ProblemView, DoneReply, ProofBody, *_STREAMED]
    for route in routes:
        types += [one for one in (route.reply, route.body) if one is not None]
    types += [cls for _, cls in acts]
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(
        unique, schema_hook=_hook, ref_template=_REF
    )
    refs = dict(zip(unique, schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in routes:
        if route.path.startswith("/api/") and "tail" not in route.path:
            operation = _operation(route, refs)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    for verb, cls in acts:
        paths[f"/api/v1/acts/{verb}"] = {"post": _act(verb, cls, refs)}
    return dict(sorted(paths.items())), dict(sorted(components.items()))


def _hook(cls: type[Any]) -> dict[str, Any]:
    if cls is msgspec.Raw or cls is object:
        return {}
    raise TypeError(f"no schema for {cls}")


def _content(schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {kind: {"schema": schema}}


def _problem() -> dict[str, Any]:
    ref = {"$ref": _REF.format(name="ProblemView")}
    return {
        "description": "Refused; `code` says why",
        "content": _content(ref, "application/problem+json"),
    }


def _operation(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": route.summary}
    if route.reply is not None:
        good["content"] = _content(refs[route.reply])
    made: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _name(route),
        "responses": {str(route.status): good, "default": _problem()},
    }
    if route.path in ("/api/websocket", "/api/alarms"):
        made["responses"] = {"101": good, "default": _problem()}
    if route.body is not None:
        made["requestBody"] = {"required": True, "content": _content(refs[route.body])}
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ] * ("{id}" in route.path) + [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in route.query
    ]
    if parameters:
        made["parameters"] = parameters
    if route.open:
        made["security"] = []
    return made


def _name(route: Route) -> str:
    words = [w for w in route.path.replace("{id}", "one").split("/") if w]
    return "_".join([route.method.lower(), *words[1:]]).replace(".", "_")


def _act(verb: str, cls: type[Any], refs: dict[Any, Any]) -> dict[str, Any]:
    return {
        "summary": (cls.__doc__ or verb).strip().split("\n")[0],
        "operationId": f"act_{verb.replace('.', '_')}",
        "description": f"Roles: {', '.join(sorted(cls.roles_))}. "
        f"Effect: {cls.effect_.value}.",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "maxLength": 128},
            }
        ],
        "requestBody": {
            "required": True,
            "content": _content(
                {"allOf": [refs[cls], {"type": "object", "properties": _EXTRA}]}
            ),
        },
        "responses": {
            "200": {"description": "Done", "content": _content(refs[DoneReply])},
            "default": _problem(),
        },
    }
