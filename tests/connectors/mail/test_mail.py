"""Attachments of messages in a mailbox (a real Dovecot): each message once, nothing marked, nothing deleted."""

from __future__ import annotations

import email
import email.policy
import getpass
import grp
import imaplib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import ReadContext, folder_mail, get_connector
from lienthong.connectors.files import fingerprint_files
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from tests.conftest import open_folder
from tests.connectors.folders import HERE
from tests.connectors.reading import Reading
from tests.servers import Certificates, certificates, free_port, kill_all, program, running

PASSWORD = "mat-khau"
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_login_user = {login}
default_internal_user = {user}
default_internal_group = {group}
auth_failure_delay = 0
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Mailbox:
    port: int
    made: Certificates
    spool: Path
    process: subprocess.Popen[bytes]

    def opened(self) -> imaplib.IMAP4_SSL:
        import ssl

        box = imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=ssl.create_default_context(cafile=str(self.made.ca)))
        box.login("bao-cao", PASSWORD)
        return box

    def send(
        self, folder: str, *files: tuple[str, bytes], sender: str = "Sở Y tế <cntt@soyte.gov.vn>", subject: str = "Báo cáo tuần"
    ) -> None:
        message = EmailMessage()
        message["From"], message["Subject"], message["Date"] = sender, subject, "Mon, 02 Nov 2026 08:00:00 +0700"
        message.set_content("Kính gửi")
        for name, content in files:
            message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        with self.opened() as box:
            assert box.append(folder, "", None, message.as_bytes())[0] == "OK"

    def source(self, wanted: str = "*.csv", delivery: Delivery = Delivery.INCREMENTAL, folder: str = "INBOX", **more: Any) -> Source:
        options = {"folder": {"password": PASSWORD, "ca": str(self.made.ca), **more}}
        return Source("mail", "csv_file", f"imaps://bao-cao@127.0.0.1:{self.port}/{folder}/{wanted}", delivery, options)

    def read(self, source: Source, after: Any = None) -> Reading:
        context = ReadContext(batch_rows=1000, spool=self.spool, networks=HERE)
        return Reading(tuple(get_connector("csv_file").read(source, context, after)))

    def values(self, source: Source, after: Any = None) -> list[str]:
        return [str(row["giá trị"]) for row in self.read(source, after).rows]


def csv(*values: str) -> bytes:
    return ("mã;giá trị\n" + "".join(f"1;{value}\n" for value in values)).encode()


@contextmanager
def dovecot() -> Iterator[Mailbox]:
    server = program("dovecot", "dovecot-imapd")
    with open_folder() as folder:
        made, port = certificates(folder), free_port()
        me = getpass.getuser()
        user, login = ("dovecot", "dovenull") if os.getuid() == 0 else (me, me)
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", user)
        text = CONFIG.format(
            folder=folder, user=user, login=login, group=group, certificate=made.certificate, key=made.key, password=PASSWORD, port=port
        )
        (folder / "config").write_text(text, encoding="utf-8")
        with running([server, "-F", "-c", str(folder / "config")], port) as process:
            yield Mailbox(port, made, folder / "spool", process)


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with dovecot() as made:
        yield made


@pytest.fixture
def folder(mailbox: Mailbox, request: pytest.FixtureRequest) -> str:
    """A folder of one test's own."""
    name = f"T{abs(hash(request.node.name))}"
    with mailbox.opened() as box:
        box.create(name)
    return name


def test_each_message_is_read_once_and_nothing_is_marked_or_deleted(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("tuần-1.csv", csv("1")), ("ghi chú.txt", b"no"))
    source = mailbox.source(folder=folder)
    first = mailbox.read(source)
    assert [row["giá trị"] for row in first.rows] == ["1"]
    reached = first.batches[-1].position
    nothing = mailbox.read(source, reached)
    assert (nothing.rows, nothing.columns) == ([], ["mã", "giá trị"])
    mailbox.send(folder, ("tuần-2.csv", csv("2")), ("tuần-3.csv", csv("3")))
    assert mailbox.values(source, reached) == ["2", "3"]
    with mailbox.opened() as box:
        box.select(folder, readonly=True)
        assert (box.search(None, "UNSEEN")[1], box.search(None, "ALL")[1]) == ([b"1 2"], [b"1 2"])


def test_reading_goes_on_when_the_message_reached_is_gone(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv("1")))
    source = mailbox.source(folder=folder)
    reached = mailbox.read(source).batches[-1].position
    with mailbox.opened() as box:
        box.select(folder)
        box.store("1", "+FLAGS", "\\Deleted")
        box.expunge()
    mailbox.send(folder, ("b.csv", csv("2")))
    assert mailbox.values(source, reached) == ["2"]


def test_all_is_read_anew_when_the_folder_is_numbered_anew(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv("1")))
    source = mailbox.source(folder=folder)
    reached = dict(mailbox.read(source).batches[-1].position)
    assert str(reached["before"]).startswith("uid-")
    assert mailbox.values(source, {**reached, "before": "uid-1"}) == ["1"]


def test_only_senders_and_subjects_asked_for_count(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv("1")))
    mailbox.send(folder, ("a.csv", csv("2")), sender="Ai đó <x@gmail.com>")
    mailbox.send(folder, ("a.csv", csv("3")), subject="Thông báo")
    mailbox.send(folder, ("a.csv", csv("4")), sender='"cntt@soyte.gov.vn" <x@gmail.com>')
    asked: dict[str, Any] = {"from": ["@soyte.gov.vn"], "subject": "^Báo cáo"}
    assert mailbox.values(mailbox.source(folder=folder, **asked)) == ["1"]
    assert mailbox.values(mailbox.source(folder=folder, **{**asked, "from": "cntt@soyte.gov.vn", "subject": "."})) == ["1", "3"]


def test_of_whole_deliveries_the_newest_counts_and_the_same_again_is_recognised(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv("1", "2")))
    source = mailbox.source(folder=folder, delivery=Delivery.SNAPSHOT, take="newest")
    context = ReadContext(spool=mailbox.spool, networks=HERE)
    first = fingerprint_files(source, context)
    mailbox.send(folder, ("a (2).csv", csv("1", "2")))
    assert fingerprint_files(source, context) == first
    mailbox.send(folder, ("a.csv", csv("3")))
    assert fingerprint_files(source, context) != first
    assert mailbox.values(source) == ["3"]


def test_the_same_file_attached_twice_gives_its_rows_once(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv("1")), ("a.csv", csv("1")))
    assert mailbox.values(mailbox.source(folder=folder)) == ["1"]


def test_names_made_to_do_harm_are_only_names(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(
        folder, ("../../etc/passwd.csv", csv("1")), ("C:\\x\\..\\b.csv", csv("2")), ("d" * 500 + ".csv", csv("3")), (".csv", csv("4"))
    )
    found = mailbox.read(mailbox.source(folder=folder))
    names = [batch.file.uri for batch in found.batches]
    assert [row["giá trị"] for row in found.rows] == ["1", "2", "3"]
    assert all("/" not in name and ".." not in name and len(name) < 160 for name in names)


def test_a_message_too_large_is_refused_before_it_is_fetched(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv(*("x" * 100 for _ in range(1000)))))
    with pytest.raises(HostileInputError, match="max_message_bytes"):
        mailbox.read(mailbox.source(folder=folder, max_message_bytes=50_000))


def read_by_the_library(raw: bytes) -> list[tuple[str, bytes]]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = [part for part in message.walk() if not part.is_multipart() and part.get_filename()]
    return [(str(part.get_filename()), bytes(part.get_payload(decode=True))) for part in parts]


LONG = csv(*map(str, range(20_000)))
QUOTED = b"\nContent-Transfer-Encoding: base64\n\n" + b"c=C3=B3 th=E1=BB=83\n" * 8_000


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_long_bodies_are_read_as_the_library_reads_them(ending: str) -> None:
    inner, message = EmailMessage(), EmailMessage()
    inner.add_attachment(LONG, maintype="application", subtype="octet-stream", filename="trong.csv")
    message.set_content("Kính gửi" + QUOTED.decode())
    message.add_attachment(inner)
    for name, content in (("a.csv", LONG), ("b.csv", csv("1")), ("rỗng.csv", b""), ("c.csv", LONG + b"x")):
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    raw = message.as_bytes(policy=email.policy.default.clone(linesep=ending))
    found = folder_mail._taken_apart(raw, 1)[1]
    assert [name for name, _ in found] == ["trong.csv", "a.csv", "b.csv", "rỗng.csv", "c.csv"]
    assert found == read_by_the_library(raw)
    short = raw.replace(b"==", b"").replace(b"=" + ending.encode() + b"--", ending.encode() + b"--")
    assert [content for _, content in folder_mail._taken_apart(short, 1)[1]] == [content for _, content in read_by_the_library(short)]


@pytest.mark.parametrize("how", [b"quoted-printable", b"8bit", b"base64"])
def test_a_text_that_quotes_a_message_is_no_message(how: bytes) -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n"
        b"Content-Transfer-Encoding: " + how + b"\n\nm,n\n" + QUOTED + b"\n--x--\n"
    )
    assert folder_mail._taken_apart(raw, 1)[1] == read_by_the_library(raw)


def test_a_wrong_password_and_a_missing_folder_are_told_in_words(mailbox: Mailbox) -> None:
    with pytest.raises(SourceError, match="does not take this account") as told:
        mailbox.read(mailbox.source(password="nham-roi"))
    assert "nham-roi" not in str(told.value)
    with pytest.raises(SourceError, match="no such folder"):
        mailbox.read(mailbox.source(folder="Không có"))
    with pytest.raises(SourceError, match="certificate is not trusted"):
        mailbox.read(mailbox.source(ca=""))


def test_a_mailbox_that_dies_is_told_and_nothing_is_read(mailbox: Mailbox, folder: str) -> None:
    mailbox.send(folder, ("a.csv", csv("1")), ("b.csv", csv("2")))
    context = ReadContext(batch_rows=1, spool=mailbox.spool, networks=HERE)
    batches = get_connector("csv_file").read(mailbox.source(folder=folder), context)
    kill_all(mailbox.process)
    with pytest.raises(SourceError, match=r"cannot be reached|broke off"):
        list(batches)
