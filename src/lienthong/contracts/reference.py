"""The reference page of a dataset, made from its contract alone: in Vietnamese, then in English."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from lienthong.contracts.model import Contract, Disclosure, LegalBasis, Property, Rule, Sharing
from lienthong.standards import STANDARDS

_WORDS: Mapping[str, tuple[str, str]] = {
    "owner": ("Cơ quan chủ quản", "Owner agency"),
    "sharing": ("Chia sẻ", "Sharing"),
    "version": ("Phiên bản hợp đồng", "Contract version"),
    "layer": ("Lớp dữ liệu", "Layer"),
    "entity": ("Đối tượng", "Entity"),
    "key": ("Khóa", "Key"),
    "valid_from": ("Đúng từ ngày", "True since"),
    "delivery": ("ngày giao dữ liệu", "the day of delivery"),
    "law": ("Căn cứ pháp lý", "Legal basis"),
    "from": ("từ", "from"),
    "to": ("đến", "to"),
    "fields": ("Các trường", "Fields"),
    "field": ("Trường", "Field"),
    "title": ("Tên", "Title"),
    "type": ("Kiểu", "Type"),
    "standard": ("Chuẩn", "Standard"),
    "sensitivity": ("Mức độ", "Sensitivity"),
    "required": ("Bắt buộc", "Required"),
    "notes": ("Ghi chú", "Notes"),
    "rules": ("Quy tắc", "Rules"),
    "rule": ("Quy tắc", "Rule"),
    "expects": ("Điều kiện", "What must hold"),
    "severity": ("Khi sai", "When broken"),
    "error": ("dòng bị giữ lại", "the row is held"),
    "warning": ("cảnh báo, dòng vẫn được nhận", "a warning, the row is kept"),
    "sources": ("Nguồn", "Sources"),
    "as_of": ("mã theo ngày", "code as of"),
    "authoritative": ("dữ liệu gốc", "authoritative"),
    "mask": ("che bằng", "masked by"),
    "examples": ("ví dụ", "for example"),
    "codes": ("giá trị", "values"),
    "disclosure": ("Người dân thấy việc sử dụng dữ liệu của mình", "A person sees how their data was used"),
    "at_once": ("đầy đủ, ngay", "all of it, at once"),
    "after": ("sau {} ngày", "after {} days"),
    "hidden": ("không hiện: {}", "not shown: {}"),
    "no_official": ("không hiện tên cán bộ", "without the official's name"),
}
_SHARING: Mapping[Sharing, tuple[str, str]] = {
    Sharing.OPEN: ("mở cho mọi người", "open to all"),
    Sharing.DEFAULT: ("mặc định giữa các cơ quan", "by default between agencies"),
    Sharing.ON_REQUEST: ("theo yêu cầu, có thỏa thuận", "on request, with an agreement"),
    Sharing.RESTRICTED: ("hạn chế, có thỏa thuận", "restricted, with an agreement"),
}


def render_reference(contract: Contract) -> str:
    """The page as Markdown."""
    head = f"# {contract.title_vi} · {contract.title_en}\n\n`{contract.id}`\n"
    return head + _half(contract, 0) + "\n---\n" + _half(contract, 1)


def _half(contract: Contract, language: int) -> str:
    said = {name: pair[language] for name, pair in _WORDS.items()}
    description = (contract.description_vi, contract.description_en)[language]
    parts = [f"\n## {(contract.title_vi, contract.title_en)[language]}\n\n{description.strip()}\n\n", _facts(contract, said, language)]
    parts.append(f"\n### {said['fields']}\n\n" + _fields(contract, said, language))
    if contract.all_rules:
        parts.append(f"\n### {said['rules']}\n\n" + _rules(contract.all_rules, said, language))
    return "".join(parts)


def _facts(contract: Contract, said: Mapping[str, str], language: int) -> str:
    facts = [
        (said["owner"], f"`{contract.agency}`"),
        (said["version"], contract.version),
        (said["sharing"], f"{_SHARING[contract.sharing][language]} (`{contract.sharing}`)"),
        (said["layer"], f"`{contract.layer}`"),
        *([(said["entity"], f"`{contract.entity}`")] if contract.entity else []),
        (said["key"], " + ".join(f"`{p.name}`" for p in contract.key)),
        (said["valid_from"], f"`{contract.valid_from}`" if contract.valid_from else said["delivery"]),
        (said["sources"], ", ".join(f"`{source.connector}` ({source.delivery})" for source in contract.sources) or "–"),
        *((said["law"], _law(law, said)) for law in contract.legal_basis),
        *([(said["disclosure"], disclosure_words(contract.disclosure, language))] if contract.is_about_persons else []),
    ]
    return _table(("", ""), facts)


def disclosure_words(disclosure: Disclosure, language: int) -> str:
    """What a person is shown of how their data was used, and when; `language`: 0 Vietnamese, 1 English."""
    said = {name: pair[language] for name, pair in _WORDS.items()}
    parts = [said["after"].format(disclosure.delay_days) if disclosure.delay_days else said["at_once"]]
    parts += [f"`{purpose}` {said['after'].format(days)}" for purpose, days in disclosure.delayed_purposes.items()]
    parts += [said["hidden"].format(f"`{purpose}`") for purpose in disclosure.hidden_purposes]
    parts += [] if disclosure.shows_official else [said["no_official"]]
    return "; ".join(parts) + (f" ({disclosure.legal_basis})" if disclosure.legal_basis else "")


def _law(law: LegalBasis, said: Mapping[str, str]) -> str:
    dates = [f"{said[word]} {_day(day, said)}" for word, day in (("from", law.valid_from), ("to", law.valid_to)) if day is not None]
    return f"{law.text} ({', '.join(dates)})" if dates else law.text


def _day(day: date, said: Mapping[str, str]) -> str:
    return day.strftime("%d/%m/%Y") if said["from"] == _WORDS["from"][0] else day.isoformat()


def _fields(contract: Contract, said: Mapping[str, str], language: int) -> str:
    rows = [
        (
            f"`{p.name}`",
            (p.title_vi, p.title_en)[language],
            f"`{p.logical_type}`",
            _standard(p, language),
            f"`{p.sensitivity}`",
            "✓" if p.required else "",
            _notes(p, said),
        )
        for p in contract.properties
    ]
    return _table(tuple(said[name] for name in ("field", "title", "type", "standard", "sensitivity", "required", "notes")), rows)


def _standard(p: Property, language: int) -> str:
    if p.standard is None:
        return ""
    found = STANDARDS[p.standard]
    return f"{(found.title_vi, found.title_en)[language]} (`{p.standard}`)"


def _notes(p: Property, said: Mapping[str, str]) -> str:
    notes = [p.description] if p.description else []
    if p.authoritative or p.authority:
        notes.append(said["authoritative"] + (f" (`{p.authority}`)" if p.authority else ""))
    if p.as_of is not None:
        notes.append(f"{said['as_of']} {said['delivery'] if p.as_of == 'delivery' else f'`{p.as_of}`'}")
    if p.mask is not None:
        notes.append(f"{said['mask']} `{p.mask}`")
    values = p.standard_options.get("values")
    if isinstance(values, Mapping):
        notes.append(f"{said['codes']}: " + ", ".join(f"`{code}` {title}" for code, title in values.items()))
    if p.examples:
        notes.append(f"{said['examples']} " + ", ".join(f"`{example}`" for example in p.examples))
    return "; ".join(notes)


def _rules(rules: Iterable[Rule], said: Mapping[str, str], language: int) -> str:
    rows = [
        (
            f"`{rule.id}`",
            ", ".join(f"`{name}`" for name in rule.columns),
            (rule.message_vi, rule.message_en)[language] or f"{rule.kind}{_parameters(rule.parameters)}",
            said[rule.severity],
        )
        for rule in rules
    ]
    return _table((said["rule"], said["field"], said["expects"], said["severity"]), rows)


def _parameters(parameters: Mapping[str, Any]) -> str:
    return f" `{json.dumps(parameters, ensure_ascii=False, default=str)}`" if parameters else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *(tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
