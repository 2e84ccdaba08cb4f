"""How the mail catcher names and keeps its files."""

from pathlib import Path

from deploy.local.mail import file_name, keep

MAIL = b"Message-ID: <a@example.com>\r\nSubject: One\r\n\r\nHello\r\n"
NOON = 1_768_478_400_123_456_789  # 2026-01-15T12:00:00.123456789Z


def test_the_name_tells_the_time_and_the_message_id() -> None:
    same, other = file_name(MAIL, NOON), file_name(MAIL.replace(b"<a@", b"<b@"), NOON)

    assert same.startswith("20260115T120000.123456Z-")
    assert same == file_name(MAIL.replace(b"One", b"Two"), NOON)
    assert same != other


def test_two_copies_in_the_same_microsecond_stay_apart(tmp_path: Path) -> None:
    first = keep(tmp_path, MAIL, "desk@example.com", ["pat@example.com"], NOON)
    second = keep(tmp_path, MAIL, "desk@example.com", ["pat@example.com"], NOON)

    assert first != second
    assert second.name == first.name.replace(".eml", "-2.eml")
    assert first.read_bytes().endswith(MAIL)
    assert not list(tmp_path.glob("*.part"))


def test_a_message_without_an_id_is_kept_too(tmp_path: Path) -> None:
    path = keep(tmp_path, b"\xff\xfe no header at all", "", [], NOON)

    assert path.read_bytes().endswith(b"\xff\xfe no header at all")
