"""`lienthong contract new, preview, edit`: a contract out of any file, looked at before anything is kept, changed without writing YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.contract_changing import VERDICTS
from lienthong.cli.opening import settings, workshop
from lienthong.cli.words import err, out, say, show
from lienthong.errors import ContractError, NotFound, SettingsError, SourceError

if TYPE_CHECKING:
    from lienthong.contracts import Contract
    from lienthong.pipeline.previewing import Preview
    from lienthong.quality.drafting import Draft

LAW = "Luật Dữ liệu 60/2024/QH15"
Options = Annotated[list[str] | None, typer.Option("--option", help="Tùy chọn của bộ đọc, tên=giá trị (JSON) · an option of the connector, name=value (JSON)")]  # fmt: skip


def new(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Tệp bất kỳ đọc được, hoặc địa chỉ nguồn với --connector · any file that can be read, or a location with --connector")],
    dataset: Annotated[str, typer.Option("--id", help="Mã bộ dữ liệu · id of the dataset, as land.holders")] = "",
    agency: Annotated[str, typer.Option(help="Mã cơ quan · code of the agency")] = "",
    title: Annotated[str, typer.Option(help="Tên tiếng Việt · title in Vietnamese")] = "",
    title_en: Annotated[str, typer.Option(help="Tên tiếng Anh · title in English")] = "",
    basis: Annotated[str, typer.Option(help="Căn cứ pháp lý · legal basis")] = "",
    location: Annotated[str, typer.Option(help="Nơi các tệp sẽ nằm, như ${HUYEN}/*.xlsx · where its files will lie")] = "",
    connector: Annotated[str, typer.Option(help="Bộ đọc, khi không phải tệp · the connector, where it is no file")] = "",
    option: Options = None,
    key: Annotated[str, typer.Option(help="Khóa: các cột, cách nhau dấu phẩy · the key: columns by their heading or name")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Không hỏi, lấy đề xuất · do not ask, take what is proposed")] = False,
    to: Annotated[Path | None, typer.Option("--out", help="Ghi vào tệp này thay vì thư mục hợp đồng · write here, not into the folder of contracts")] = None,
) -> None:  # fmt: skip
    """Lập hợp đồng từ một nguồn bất kỳ, kèm bằng chứng; chỉ hỏi điều không thể biết · a contract from any source; asks only what cannot be known."""
    from dataclasses import replace

    from lienthong.contracts import build, load_all
    from lienthong.contracts.whole import check_between
    from lienthong.pipeline import drafting
    from lienthong.quality.drafting import LAWS, LAWS_OF_PERSONS, document_of, machine_name

    found = settings()
    name = title or _asked("Tên bộ dữ liệu", "Title of the dataset", Path(files[0]).stem.replace("_", " "), yes=yes)
    owner = agency or _asked("Mã cơ quan", "Code of the agency", "", yes=yes)
    if not owner:
        raise SettingsError("The agency cannot be known from a file.", hint="Give --agency, such as H10.12.")
    law = basis or _asked("Căn cứ pháp lý", "Legal basis", LAW, yes=yes)
    known = load_all(found.datasets) if found.datasets.is_dir() else {}
    word = next(
        (c.id.partition(".")[0] for c in known.values() if c.agency == owner and c.layer.value != "master"),
        machine_name(f"cq {owner}").replace("_", "-"),
    )
    identifier = dataset or f"{word}.{machine_name(name).replace('_', '-')[:40].strip('-')}"
    made = _proposed(files, identifier, owner, name, location, connector, option or [])
    titles = {p.title_vi: p.title_en for c in known.values() for p in c.properties if p.title_en}
    laws = (*(LAWS if law == LAW else ((law, None), *LAWS)), *(LAWS_OF_PERSONS if made.is_about_persons else ()))
    made = replace(
        made,
        laws=laws,
        title_en=title_en or made.title_en,
        columns=tuple(replace(c, title_en=titles.get(c.title, c.title_en)) for c in made.columns),
    )
    if key:
        made = _keyed(made, [each.strip() for each in key.split(",")])
    _tell(made)
    try:
        contract = build(document_of(made), identifier)
        faults = check_between({**known, identifier: contract})
        if faults:
            raise ContractError(f"`{identifier}` has faults.", faults=tuple(faults))
    except ContractError as error:
        if not any(c.key for c in made.kept):
            raise ContractError(
                error.message,
                faults=error.faults,
                hint=say("Không cột nào làm khóa được; nêu --key.", "No column can be the key; give --key."),
            ) from error
        raise
    if to is not None:
        to.write_text(drafting.as_yaml(contract.document), "utf-8")
    else:
        to = drafting.write_file(found.datasets, contract)
    out.print(say(f"Đã ghi {to}.", f"Wrote {to}."), soft_wrap=True)
    out.print(say(f"Tiếp theo: lienthong contract preview {identifier}; lienthong contract plan {to}; lienthong contract apply {to}; lienthong run {identifier}", f"Next: lienthong contract preview {identifier}; lienthong contract plan {to}; lienthong contract apply {to}; lienthong run {identifier}"), soft_wrap=True)  # fmt: skip


def preview(
    target: Annotated[str, typer.Argument(metavar="FILE_OR_ID", help="Tệp dữ liệu, tệp hợp đồng, hoặc mã bộ dữ liệu · a file of data, a contract, or an id")],
    contract: Annotated[str, typer.Option(help="Hợp đồng dùng để xem tệp · the contract a file is looked at under: a file or an id")] = "",
    rows: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    xlsx: Annotated[Path | None, typer.Option(help="Ghi thành tệp Excel · write a workbook")] = None,
) -> None:  # fmt: skip
    """Xem trước các hàng đầu sau khi làm sạch; không ghi gì · the first rows once cleaned; nothing is kept."""
    from lienthong.reports.previews import preview_workbook

    found = _previewed(target, contract, rows)
    if xlsx is not None:
        xlsx.write_bytes(preview_workbook(found))
        out.print(say(f"Đã ghi {xlsx}.", f"Wrote {xlsx}."), soft_wrap=True)
    else:
        _show_preview(found)
    out.print(say(f"{len(found.rows)} hàng đầu: {found.waiting} hàng sẽ chờ sửa. Chưa ghi gì.", f"The first {len(found.rows)} rows: {found.waiting} would wait. Nothing was kept."))  # fmt: skip
    show(
        (("Trường", "Field"), ("Cần", "Expected"), ("Số hàng", "Rows")),
        [(i["column_name"] or "–", say(i["expected_vi"], i["expected_en"]), i["len"]) for i in found.issues],
    )


def template(
    target: Annotated[str, typer.Argument(metavar="PATH_OR_ID", help="Tệp hợp đồng hoặc mã bộ dữ liệu · a contract or an id")],
    to: Annotated[Path, typer.Argument(metavar="OUT.xlsx")],
) -> None:
    """Mẫu nhập .xlsx: hướng dẫn, danh sách chọn, ví dụ · the form to fill in, as a workbook."""
    from lienthong.reports.templates import template_workbook

    to.write_bytes(template_workbook(_contract_file(target)[1]))
    out.print(say(f"Đã ghi {to}.", f"Wrote {to}."), soft_wrap=True)


def edit(
    target: Annotated[str, typer.Argument(metavar="PATH_OR_ID", help="Tệp hợp đồng hoặc mã bộ dữ liệu · a contract or an id")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="Trường · the field")] = "",
    name: Annotated[str | None, typer.Option(help="Tên máy mới · its new name")] = None,
    title: Annotated[str | None, typer.Option(help="Tên tiếng Việt · title in Vietnamese")] = None,
    title_en: Annotated[str | None, typer.Option(help="Tên tiếng Anh · title in English")] = None,
    type: Annotated[str | None, typer.Option(help="Kiểu · logical type")] = None,
    standard: Annotated[str | None, typer.Option(help="Chuẩn; rỗng: bỏ · the standard; empty: none")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", help="Tùy chọn của chuẩn · an option of the standard, name=value (JSON)")] = None,
    mapping: Annotated[str | None, typer.Option(help="Ánh xạ; rỗng: bỏ · the mapping; empty: none")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Tiêu đề khi đến · a heading it arrives under")] = None,
    level: Annotated[str | None, typer.Option(help="public, internal, personal, sensitive")] = None,
    required: Annotated[bool | None, typer.Option("--required/--optional")] = None,
    key: Annotated[int | None, typer.Option(help="Thứ tự trong khóa; 0: không · its place in the key; 0: none")] = None,
    add: Annotated[bool, typer.Option("--add", help="Thêm trường này · a new field")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Bỏ trường này · take the field away")] = False,
    raise_: Annotated[str | None, typer.Option("--raise", help="Nâng phiên bản: major, minor, patch · raise the version")] = None,
) -> None:  # fmt: skip
    """Sửa một trường của hợp đồng, không phải viết YAML · change a field of a contract without writing YAML."""
    from lienthong.contracts import build, compare, verdict
    from lienthong.contracts.editing import added, edited, raised, without
    from lienthong.pipeline import drafting

    path, before = _contract_file(target)
    words: dict[str, Any] = {
        "name": name, "businessName": title, "titleEn": title_en, "logicalType": type, "classification": level, "required": required, "key": key,
        "standardOptions": _options(option) if option else None, "source": list(source) if source else None,
    }  # fmt: skip
    changes = {word: value for word, value in words.items() if value is not None}
    changes |= {word: value or None for word, value in (("standard", standard), ("mapping", mapping)) if value is not None}
    document = dict(before.document)
    if drop:
        document = without(document, field)
    elif add:
        document = added(document, field, changes)
    elif changes:
        document = edited(document, field, changes)
    if raise_ is not None:
        document = raised(document, raise_)
    after = build(document, str(path))
    unfinished = path.with_suffix(".new")
    unfinished.write_text(drafting.as_yaml(document), "utf-8")
    unfinished.replace(path)
    changed = compare(before, after)
    show(
        (("Chỗ", "Place"), ("Thay đổi", "Change"), ("Trước", "Before"), ("Sau", "After"), ("Ảnh hưởng", "Verdict")),
        [(c.place, c.what, c.old[:40], c.new[:40], say(*VERDICTS[c.verdict.value])) for c in changed],
    )
    out.print(f"{after.id} {after.version}: {say(*VERDICTS[verdict(changed).value])}.")


# Parts


def _asked(vi: str, en: str, default: str, *, yes: bool) -> str:
    if yes:
        return default
    return str(typer.prompt(say(vi, en), default=default or None, show_default=bool(default))).strip()


def _options(given: list[str]) -> dict[str, Any]:
    import json

    made: dict[str, Any] = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign:
            raise SettingsError(f"Expected name=value, found `{each}`.")
        try:
            made[name.strip()] = json.loads(value)
        except ValueError:
            made[name.strip()] = value
    return made


def _proposed(files: list[str], identifier: str, agency: str, title: str, location: str, connector: str, option: list[str]) -> Draft:
    """The draft of one file, of several alike, or of any source a connector reads."""
    from dataclasses import replace

    from lienthong import connectors
    from lienthong.contracts import Source
    from lienthong.pipeline import drafting
    from lienthong.quality.drafting import DraftSource
    from lienthong.web.services import read_context_of

    given = _options(option)
    context = read_context_of(settings())
    if connector:
        made = drafting.propose_of(Source("file", connector, files[0], options=given), identifier, agency, title, context=context)
        return replace(made, source=DraftSource(connector, location or files[0], given))
    paths = [Path(each).resolve() for each in files]
    for path in paths:
        if not path.is_file():
            raise NotFound(f"There is no file `{path}`.", vi=f"Không có tệp `{path}`.")
    guess = connectors.guess_source(paths[0])
    guess = connectors.Guess(guess.connector, {**guess.options, **given}, guess.evidence)
    where = _one_location(paths)
    made = drafting.propose_of(Source("file", guess.connector, where, options=guess.options), identifier, agency, title)
    return replace(made, source=DraftSource(guess.connector, location or where, guess.options), layout=guess.evidence)


def _one_location(paths: list[Path]) -> str:
    """One location for the files given: the file, or the folder's files of that suffix where they are all of them."""
    if len(paths) == 1:
        return str(paths[0])
    folders, suffixes = {path.parent for path in paths}, {path.suffix for path in paths}
    pattern = paths[0].parent / f"*{paths[0].suffix}"
    if len(folders) > 1 or len(suffixes) > 1 or set(paths[0].parent.glob(pattern.name)) != set(paths):
        raise SourceError(
            say("Các tệp phải cùng thư mục, cùng loại, và là tất cả tệp loại đó trong thư mục.", "The files must be of one kind, in one folder, and all of that kind in it."),
            hint=say("Để chúng vào một thư mục riêng.", "Put them into a folder of their own."),
        )  # fmt: skip
    return str(pattern)


def _keyed(made: Draft, wanted: list[str]) -> Draft:
    from dataclasses import replace

    places = {each.casefold(): n for n, each in enumerate(wanted, 1)}
    found = {c.heading: places.get(c.heading.casefold()) or places.get(c.name.casefold()) for c in made.columns}
    missing = [each for each in wanted if not any(each.casefold() in (c.heading.casefold(), c.name.casefold()) for c in made.columns)]
    if missing:
        raise SettingsError(f"There is no column {', '.join(missing)}.", hint=f"There are {', '.join(found)}.")
    return replace(made, columns=tuple(replace(c, key=found[c.heading], codes=() if found[c.heading] else c.codes) for c in made.columns))


def _tell(made: Draft) -> None:
    for each in made.layout:
        err.print(f"• {say(each.vi, each.en)}", soft_wrap=True)
    rows = [
        (c.heading, c.name or "–", c.type, c.standard or ("code_list" if c.codes else ""), f"{c.confidence} %" if c.confidence else "", c.sensitivity, f"{c.key or ''}", "; ".join(say(e.vi, e.en) for e in c.evidence))
        for c in made.columns
    ]  # fmt: skip
    show((("Tiêu đề", "Heading"), ("Trường", "Field"), ("Kiểu", "Type"), ("Chuẩn", "Standard"), ("Chắc", "Sure"), ("Mức", "Level"), ("Khóa", "Key"), ("Vì sao", "Why")), rows)  # fmt: skip


def _contract_file(target: str) -> tuple[Path, Contract]:
    """The file and the contract of a path or an id."""
    from lienthong.contracts import load

    path = Path(target)
    if not path.is_file():
        agency, _, name = target.partition(".")
        path = settings().datasets / agency / name / "contract.yaml"
        if not path.is_file():
            raise NotFound(f"There is no contract `{target}`.", vi=f"Không có hợp đồng `{target}`.")
    return path, load(path)


def _previewed(target: str, contract: str, rows: int) -> Preview:
    from lienthong import connectors
    from lienthong.contracts import build
    from lienthong.pipeline import drafting
    from lienthong.pipeline.previewing import preview as look
    from lienthong.quality.drafting import document_of
    from lienthong.web.services import read_context_of

    path = Path(target)
    context = read_context_of(settings())
    if not path.is_file() or path.suffix in (".yaml", ".yml"):
        found = _contract_file(target)[1]
        return look(workshop() if _reads_others(found) else None, found, most=rows, context=context)
    if contract:
        found = _contract_file(contract)[1]
        own = next((source for source in found.sources if source.connector == connectors.by_suffix().get(path.suffix.lower())), None)
        guess = connectors.guess_source(path) if own is None else connectors.Guess(own.connector, dict(own.options))
        return look(workshop() if _reads_others(found) else None, found, connectors.source_of(path, guess), rows, context=context)
    made = drafting.propose_from(path, "moi.xem-truoc", "H10.00", path.stem, location=str(path.resolve()))
    return look(None, build(document_of(made), made.id), drafting.source_of(made, path), rows, context=context)


def _reads_others(contract: Contract) -> bool:
    from lienthong.pipeline.judge import reference_columns

    return bool(reference_columns(contract))


def _show_preview(found: Preview) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("Hàng", "Row"))
    for p in found.contract.properties:
        table.add_column(say(p.title_vi, p.title_en))
    for row in found.rows:
        cells = []
        for cell in row.cells:
            text = Text(cell.cleaned)
            if cell.came != cell.cleaned:
                text = Text.assemble((cell.came, "dim"), " → ", cell.cleaned)
            for each in cell.said:
                text.append(f"\n✗ {say(each.vi, each.en)}", "red" if each.is_error else "yellow")
            cells.append(text)
        number = Text(f"{row.source_row}{' ✗' if row.waits else ''}")
        for each in row.said:
            number.append(f"\n{say(each.vi, each.en)}", "red")
        table.add_row(number, *cells)
    out.print(table)
