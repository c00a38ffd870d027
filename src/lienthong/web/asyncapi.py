"""AsyncAPI 3.0, made from the contract: which events of a dataset there are, what they hold, by which roads they come."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import yaml
from starlette.requests import Request
from starlette.responses import Response

from lienthong import __version__
from lienthong.contracts import Contract, Layer
from lienthong.sharing.cloud_events import BATCH, ONE, schema_name, type_name
from lienthong.sharing.filters import read_known
from lienthong.sharing.stream import ENTITY_KINDS, NOTICES, RECORD_TYPES
from lienthong.store.events import VERSION_PUBLISHED
from lienthong.web.asking import PUBLIC, Counter, json_answer, public_contract_of
from lienthong.web.openapi import record_schema
from lienthong.web.openapi_parts import COUNT, MAYBE_TEXT, TEXT, Schema, object_of

YAML = "application/yaml"
_INSTANT = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "integer", "minimum": 1}
_TITLES = {
    "record:inserted": "Bản ghi mới · A new record",
    "record:updated": "Bản ghi thay đổi · A record changed",
    "record:ended": "Bản ghi kết thúc · A record ended",
    VERSION_PUBLISHED: "Phiên bản mới đã công bố · A version was published",
}
NOTICE = "notice"


def as_json(counter: Counter, request: Request) -> Response:
    """`GET /v1/datasets/{dataset}/asyncapi.json`."""
    return json_answer(_asked(counter, request), is_public=True)


def as_yaml(counter: Counter, request: Request) -> Response:
    """`GET /v1/datasets/{dataset}/asyncapi.yaml`."""
    text = yaml.safe_dump(_asked(counter, request), sort_keys=False, allow_unicode=True)
    return Response(text, media_type=YAML, headers=PUBLIC)


def _asked(counter: Counter, request: Request) -> Schema:
    contract = public_contract_of(counter, request)
    read_known(request.query_params.multi_items(), ())
    return describe(contract, counter.public_url)


def describe(contract: Contract, base_url: str) -> Schema:
    """The AsyncAPI document of a dataset."""
    types = [*RECORD_TYPES.values(), VERSION_PUBLISHED]
    if contract.layer is Layer.MASTER and contract.entity is not None:
        types += [f"entity:{kind}" for kind in ENTITY_KINDS]
    messages = {_name(type): _message(contract, type) for type in types}
    messages[NOTICE] = _notice()
    refs = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    server = urlsplit(base_url)
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:lienthong:dataset:{contract.id}",
        "info": {
            "title": f"{contract.title_vi} · {contract.title_en}",
            "version": contract.version,
            "description": "Sự kiện của một bộ dữ liệu, đúng thứ tự, không sót. Mỗi lần gửi để lại một bút toán trong sổ kiểm chứng.\n\n"
            "The events of one dataset, in order, none missed. Every delivery leaves an entry in the ledger.",
            "tags": [{"name": contract.id}, {"name": f"lienthong-{__version__}"}],
        },
        "defaultContentType": ONE,
        "servers": {
            "platform": {
                "host": server.netloc,
                "protocol": server.scheme,
                **({"pathname": server.path} if server.path else {}),
                "security": [{"$ref": "#/components/securitySchemes/oauth2"}],
            }
        },
        "channels": {
            "stream": {
                "address": "/v1/events",
                "title": "Server-sent events",
                "description": f"GET /v1/events?dataset={contract.id}, Accept: text/event-stream; `Last-Event-ID` goes on where it stopped.",
                "servers": [{"$ref": "#/servers/platform"}],
                "messages": refs,
            },
            "webhook": {
                "address": None,
                "title": "Webhook",
                "description": f"The address of a subscription (POST /v1/subscriptions). Signed by Standard Webhooks; one event ({ONE}) or several ({BATCH}).",
                "messages": refs,
            },
        },
        "operations": {
            "tellByStream": _operation("stream", refs, "Gửi trên kết nối đang mở · Told over an open connection"),
            "tellByWebhook": _operation("webhook", refs, "Gửi tới địa chỉ đã đăng ký · Sent to the address subscribed"),
        },
        "components": {
            "schemas": _schemas(contract),
            "messages": messages,
            "messageTraits": {"cloudEvent": {"headers": {"$ref": "#/components/schemas/headers"}}},
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": f"{base_url}/oauth/token", "availableScopes": {}}},
                }
            },
        },
    }


def _operation(channel: str, refs: Mapping[str, Schema], words: str) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "title": words,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in refs],
    }


def _name(type: str) -> str:
    return type.replace(":", "_")


def _message(contract: Contract, type: str) -> Schema:
    return {
        "name": type_name(type),
        "title": _TITLES.get(type, f"{contract.title_vi}: {type}"),
        "contentType": ONE,
        "payload": _envelope({"const": type_name(type)}, schema_name(type)),
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
    }


def _notice() -> Schema:
    return {
        "name": "vn.lienthong.notice",
        "title": "Thông báo về thỏa thuận, ngừng theo kế hoạch, thay đổi cấu trúc · Of agreements, planned stops, changes of the contract",
        "contentType": ONE,
        "payload": _envelope({**TEXT, "pattern": r"^vn\.lienthong\.(" + "|".join(NOTICES) + r")\."}, NOTICE),
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
    }


def _envelope(type: Schema, content: str) -> Schema:
    """CloudEvents 1.0, structured JSON."""
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "dataschema", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": TEXT,
            "source": {**TEXT, "format": "uri-reference"},
            "type": type,
            "subject": TEXT,
            "time": _INSTANT,
            "datacontenttype": {"const": "application/json"},
            "dataschema": {**TEXT, "format": "uri"},
            "sequence": {**TEXT, "description": "Vị trí trong dòng sự kiện · Position in the stream"},
            "data": {"$ref": f"#/components/schemas/{content}"},
        },
    }


def _schemas(contract: Contract) -> Schema:
    record = {"$ref": "#/components/schemas/record"}
    schemas: Schema = {"record": record_schema(contract)}
    for op, type in RECORD_TYPES.items():
        schemas[_name(type)] = object_of(
            op={"const": op}, key=MAYBE_TEXT, version=_NUMBER, known_at=_INSTANT, record={"type": "null"} if op == "end" else record
        )
    schemas["version_published"] = object_of(version=_NUMBER, inserted=COUNT, updated=COUNT, ended=COUNT, contract_version=TEXT)
    if contract.layer is Layer.MASTER and contract.entity is not None:
        texts = {"type": "array", "items": TEXT}
        kinds = {"enum": [f"entity:{kind}" for kind in ENTITY_KINDS]}
        schemas["entity_changed"] = object_of(kind=kinds, id=TEXT, others=texts, records=texts, at=_INSTANT)
    schemas[NOTICE] = {"type": "object"}
    schemas["headers"] = {
        "type": "object",
        "properties": {
            "webhook-id": {**TEXT, "description": "Một lần gửi; gửi lại vẫn giữ nguyên · One delivery; the same when it is sent again"},
            "webhook-timestamp": {**TEXT, "pattern": "^[0-9]+$"},
            "webhook-signature": {**TEXT, "description": "`v1,…` HMAC-SHA256; `v1a,…` Ed25519"},
        },
    }
    return schemas
