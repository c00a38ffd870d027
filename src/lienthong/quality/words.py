"""What each kind of rule expects, said to a data officer: Vietnamese, then English. A rule's own message goes first."""

from __future__ import annotations

from datetime import date
from typing import Any

from lienthong.contracts import Contract, Property, Rule
from lienthong.quality.comparing import OPERATORS
from lienthong.quality.shapes import shape_of

Words = tuple[str, str]
_OPERATORS = {
    "<": ("nhỏ hơn", "less than"),
    "<=": ("không lớn hơn", "not more than"),
    ">": ("lớn hơn", "more than"),
    ">=": ("không nhỏ hơn", "not less than"),
    "=": ("bằng", "equal to"),
    "!=": ("khác", "different from"),
}
_DATE_OPERATORS = {
    "<": ("phải trước", "must be before"),
    "<=": ("không được sau", "must not be after"),
    ">": ("phải sau", "must be after"),
    ">=": ("không được trước", "must not be before"),
    "=": ("phải trùng với", "must be the same as"),
    "!=": ("phải khác", "must differ from"),
}
_DATED = ("date", "timestamp")


def said(rule: Rule, default: Words) -> Words:
    """The rule's own message where the contract gives one, in each language."""
    return rule.message_vi or default[0], rule.message_en or default[1]


def as_text(value: Any) -> str:
    """A value from the contract as the text of a cleaned value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _named(contract: Contract, name: str) -> Words:
    try:
        found = contract.property_named(name)
    except KeyError:
        return name, name
    return found.title_vi or name, found.title_en or name


def _property(contract: Contract, name: str) -> Property | None:
    return next((p for p in contract.properties if p.name == name), None)


def _bound(value: Any) -> Words:
    return ("ngày gửi dữ liệu", "the delivery date") if value == "today" else (_shown(value), _shown(value))


def _shown(value: Any) -> str:
    text = as_text(value)
    if isinstance(value, date):
        return f"{value.day:02}/{value.month:02}/{value.year:04}"
    return text


def required(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, rule.columns[0])
    return f"{vi} không được để trống", f"{en} must not be empty"


def required_when(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, str(rule.parameters.get("column", rule.columns[0])))
    when = rule.parameters["when"]
    other_vi, other_en = _named(contract, when["column"])
    values = when["equals"] if isinstance(when["equals"], list) else [when["equals"]]
    shown = ", ".join(f"“{as_text(value)}”" for value in values)
    return f"{vi} phải có khi {other_vi} là {shown}", f"{en} must be given when {other_en} is {shown}"


def unique(rule: Rule, contract: Contract) -> Words:
    named = [_named(contract, name) for name in rule.columns]
    vi, en = " + ".join(n[0] for n in named), " + ".join(n[1] for n in named)
    return f"{vi} không được trùng với hàng khác", f"{en} must not repeat another row's"


def pattern(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, rule.columns[0])
    shape = shape_of(rule.parameters["pattern"])
    if shape is None:
        return f"{vi} phải đúng mẫu {rule.parameters['pattern']}", f"{en} must match {rule.parameters['pattern']}"
    return f"{vi} phải có dạng “{shape.text}” ({shape.vi})", f"{en} must look like “{shape.text}” ({shape.en})"


def length(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, rule.columns[0])
    low, high = rule.parameters.get("min"), rule.parameters.get("max")
    if low is not None and low == high:
        return f"{vi} phải có đúng {low} ký tự", f"{en} must have exactly {low} characters"
    if low is None:
        return f"{vi} có nhiều nhất {high} ký tự", f"{en} must have at most {high} characters"
    if high is None:
        return f"{vi} có ít nhất {low} ký tự", f"{en} must have at least {low} characters"
    return f"{vi} phải có từ {low} đến {high} ký tự", f"{en} must have {low} to {high} characters"


def value_range(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, rule.columns[0])
    p = _property(contract, rule.columns[0])
    is_dated = p is not None and (p.logical_type in _DATED or p.standard == "partial_date")
    parts_vi, parts_en = [], []
    for name, operator in (("min", ">="), ("exclusive_min", ">"), ("max", "<="), ("exclusive_max", "<")):
        if rule.parameters.get(name) is None:
            continue
        bound_vi, bound_en = _bound(rule.parameters[name])
        says = (
            _DATE_OPERATORS[operator]
            if is_dated
            else tuple(f"{be} {w}" for be, w in zip(("phải", "must be"), _OPERATORS[operator], strict=True))
        )
        parts_vi.append(f"{says[0]} {bound_vi}")
        parts_en.append(f"{says[1]} {bound_en}")
    return f"{vi} {' và '.join(parts_vi)}", f"{en} {' and '.join(parts_en)}"


def allowed(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, rule.columns[0])
    values = [as_text(value) for value in rule.parameters["values"]]
    shown = ", ".join(values[:12]) + (", …" if len(values) > 12 else "")
    return f"{vi} phải là một trong: {shown}", f"{en} must be one of: {shown}"


def reference(rule: Rule, contract: Contract) -> Words:
    vi, en = _named(contract, rule.columns[0])
    dataset, as_of = rule.parameters["dataset"], rule.parameters.get("as_of")
    if as_of is None:
        return f"{vi} phải có trong danh mục {dataset}", f"{en} must be found in {dataset}"
    on_vi, on_en = ("ngày gửi dữ liệu", "the delivery date") if as_of == "delivery" else _named(contract, str(as_of))
    return f"{vi} phải có hiệu lực trong danh mục {dataset} tại {on_vi}", f"{en} must be valid in {dataset} on {on_en}"


def compare(rule: Rule, contract: Contract) -> Words:
    left, right, operator = str(rule.parameters["left"]), rule.parameters["right"], OPERATORS[str(rule.parameters["operator"])]
    left_vi, left_en = _named(contract, left)
    is_property = isinstance(right, str) and _property(contract, right) is not None
    right_vi, right_en = _named(contract, str(right)) if is_property else _bound(right)
    p = _property(contract, left)
    if p is not None and (p.logical_type in _DATED or p.standard == "partial_date"):
        vi, en = _DATE_OPERATORS[operator]
        return f"{left_vi} {vi} {right_vi}", f"{left_en} {en} {right_en}"
    vi, en = _OPERATORS[operator]
    return f"{left_vi} phải {vi} {right_vi}", f"{left_en} must be {en} {right_en}"


def agree(rule: Rule, contract: Contract) -> Words:
    id_vi, id_en = _named(contract, str(rule.parameters["id"]))
    with_vi, with_en = _named(contract, str(rule.parameters["with"]))
    return f"{id_vi} phải khớp với {with_vi}", f"{id_en} must agree with {with_en}"
