"""The integration guide of a service (F10): how to be let in, how to call, what to expect, as a page of Markdown in Vietnamese or English.

The commands in it run as they stand once the names at its head are filled in: a test runs them.
"""

from __future__ import annotations

import shlex
from typing import Any

from lienthong.contracts.services import Kind, Service
from lienthong.sharing.broker.book import Offer
from lienthong.sharing.broker.faces import cases_of, root_of

_WORDS: dict[str, dict[str, str]] = {
    "vi": {
        "guide": "Hướng dẫn tích hợp", "owner": "Cơ quan cung cấp", "contact": "Đầu mối", "version": "Phiên bản", "address": "Địa chỉ",
        "steps": "Các bước", "one": "Đăng ký hệ thống và khóa công khai (`lienthong key new`), gửi phần công khai cho đơn vị vận hành.",
        "two": "Xin thỏa thuận dịch vụ này, nêu mục đích, căn cứ pháp lý và các thao tác cần gọi.",
        "three": "Thử ở môi trường thử nghiệm (`LIENTHONG_SANDBOX`: trả lời từ ví dụ), chạy bài kiểm tra ở cuối trang.",
        "four": "Nhận khóa môi trường thật, chạy lại bài kiểm tra.", "token": "Lấy mã truy cập", "operations": "Các thao tác", "endpoint": "Thao tác",
        "meaning": "Ý nghĩa", "curl": "Gọi thử bằng curl", "python": "Gọi thử bằng Python", "errors": "Khi có lỗi",
        "errors_text": "Lỗi là tài liệu RFC 9457 (với SOAP: một Fault) có `code` và `rule`. `403`: thỏa thuận không cho phép, `rule` nêu điều khoản. `429`, `503`: "
        "chờ theo `Retry-After` rồi gọi lại; chỉ gọi lại thao tác không làm thay đổi dữ liệu. `502`: hệ thống cung cấp trả lời không đúng. "
        "Tiêu đề `Sunset` báo ngày ngừng phiên bản; `Lienthong-Call` là số của lời gọi trong sổ kiểm chứng.",
        "limits": "Giới hạn", "limits_text": "Yêu cầu tối đa {request} byte, trả lời tối đa {answer} byte, chờ tối đa {total:g} giây.",
        "test": "Bài kiểm tra", "law": "Căn cứ pháp lý",
        "draft": "bản thảo", "published": "đang cung cấp", "deprecated": "sắp ngừng", "retired": "đã ngừng",
    },
    "en": {
        "guide": "Integration guide", "owner": "Provider", "contact": "Contact", "version": "Version", "address": "Address", "steps": "Steps",
        "one": "Register your subsystem and its public key (`lienthong key new`); the public part goes to the operator.",
        "two": "Ask for an agreement on this service, with purpose, legal basis and the operations you need.",
        "three": "Try it in the sandbox (`LIENTHONG_SANDBOX`: answers from examples); run the test at the end of this page.",
        "four": "Receive the production key and run the test again.", "token": "Get an access token", "operations": "Operations", "endpoint": "Operation",
        "meaning": "Meaning", "curl": "A call with curl", "python": "A call with Python", "errors": "When something fails",
        "errors_text": "Errors are RFC 9457 documents (for SOAP: a Fault) with `code` and `rule`. `403`: the agreement does not allow it, `rule` names the clause. "
        "`429`, `503`: wait as `Retry-After` says and call again, if the operation changes nothing. `502`: the provider's answer is wrong. "
        "The header `Sunset` announces a version's last day; `Lienthong-Call` is the call's number in the ledger.",
        "limits": "Limits", "limits_text": "A request of at most {request} bytes, an answer of at most {answer} bytes, {total:g} seconds at most.",
        "test": "Test", "law": "Legal basis",
        "draft": "draft", "published": "in service", "deprecated": "soon to end", "retired": "ended",
    },
}  # fmt: skip


def guide_of(offer: Offer, base_url: str, language: str) -> str:
    """The page. `language` is vi or en."""
    service, words = offer.service, _WORDS[language]
    title = service.title_vi if language == "vi" else service.title_en
    description = service.description_vi if language == "vi" else service.description_en
    case = next(cases_of(service))
    parts = [
        f"# {title}: {words['guide']}", description,
        _facts(offer, base_url, words),
        f"## {words['steps']}", "\n".join(f"{n}. {words[name]}" for n, name in enumerate(("one", "two", "three", "four"), 1)),
        f"## {words['token']}",
        f"```sh\nexport SUBSYSTEM=VN/GOV/H10.12/tro-cap KEY=khoa.jwk PURPOSE=muc-dich OFFICIAL=can-bo-01\nexport TOKEN=$(lienthong token $SUBSYSTEM --key $KEY --url {base_url})\n```",
        f"## {words['operations']}", f"| {words['endpoint']} | {words['meaning']} |\n|---|---|\n" + "\n".join(f"| `{r.endpoint}` | {_cell(r.title or r.name)} |" for r in service.routes),
        f"## {words['curl']}", f"```sh\n{_curl(service, case, base_url)}\n```", f"## {words['python']}", f"```python\n{_python(service, case, base_url)}\n```",
        f"## {words['limits']}", _limits(service, language),
        f"## {words['errors']}", words["errors_text"],
        f"## {words['test']}", f"```sh\nlienthong service test {service.id} --subsystem $SUBSYSTEM --key $KEY --purpose $PURPOSE --official $OFFICIAL --url {base_url}\n```",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _limits(service: Service, language: str) -> str:
    """Sizes with their thousands as the language writes them."""
    sizes = (
        f"{size:,}".replace(",", "." if language == "vi" else ",") for size in (service.limits.request_bytes, service.limits.answer_bytes)
    )
    request, answer = sizes
    return _WORDS[language]["limits_text"].format(request=request, answer=answer, total=service.time_outs.total)


def _facts(offer: Offer, base_url: str, words: dict[str, str]) -> str:
    service, owner = offer.service, offer.service.owner
    told = (
        ("owner", service.agency), ("contact", ", ".join(t for t in (owner.name, owner.position, owner.phone, owner.email) if t)),
        ("version", f"{service.version} ({words[offer.state.value]})"), ("address", root_of(base_url, service)), ("law", service.legal_basis),
    )  # fmt: skip
    return "\n".join(f"- {words[name]}: {text or '–'}" for name, text in told)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _curl(service: Service, case: dict[str, Any], base_url: str) -> str:
    request = case["request"]
    lines = [
        f"curl -sS -X {request['verb']} {shlex.quote(root_of(base_url, service) + request['path'])}",
        '  -H "Authorization: Bearer $TOKEN" -H "Lienthong-Purpose: $PURPOSE" -H "Lienthong-Official: $OFFICIAL"',
    ]
    lines += [f"  -H {shlex.quote(f'{name}: {value}')}" for name, value in request["headers"].items()]
    if "body" in request:
        lines.append(f"  --data-binary {shlex.quote(request['body'])}")
    return " \\\n".join(lines)


def _python(service: Service, case: dict[str, Any], base_url: str) -> str:
    request = case["request"]
    body = f",\n    content={request['body']!r}.encode()" if "body" in request else ""
    said = "print(answer.json())" if service.kind is Kind.REST else "print(answer.text)"
    return (
        "import os\n\nimport httpx\n\nheaders = {\n"
        '    "Authorization": f"Bearer {os.environ[\'TOKEN\']}",\n    "Lienthong-Purpose": os.environ["PURPOSE"],\n    "Lienthong-Official": os.environ["OFFICIAL"],\n'
        + "".join(f"    {name!r}: {value!r},\n" for name, value in request["headers"].items())
        + f"}}\nanswer = httpx.request({request['verb']!r}, {root_of(base_url, service) + request['path']!r}, headers=headers, timeout=60{body})\nanswer.raise_for_status()\n{said}"
    )
