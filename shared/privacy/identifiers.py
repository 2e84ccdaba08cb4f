"""One normal form for each kind of identifier, so that the same person is found however they typed it."""

import re
from functools import cache
from types import ModuleType

# What nearly everybody's address looks like; whatever else there is, the library judges at fifty times the cost.
_PLAIN = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*"
    r"@([a-z0-9](?!.?--)([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
    re.IGNORECASE | re.ASCII,
)


class InvalidIdentifier(ValueError):
    """What was given is no such identifier; carries the field and the remedy, never the input."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field
        self.remedy = remedy


def normalise_email(text: str, field: str = "email") -> str:
    """The address in lower case with an ASCII domain; raises InvalidIdentifier. No DNS is asked."""
    normal = _email(text)
    # Raised here and not where the library's error was caught: that error repeats the address.
    if normal is None:
        raise InvalidIdentifier(field, "give one e-mail address, such as name@example.com")
    return normal


def _email(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    plain = text.strip().lower()
    if _PLAIN.fullmatch(plain) and not plain.endswith(_special_use()):
        return plain
    try:
        # test_environment lets the reserved .test domains of sample businesses through, nothing else.
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    domain = found.ascii_domain
    return f"{found.local_part}@{domain}".lower()


@cache
def _special_use() -> tuple[str, ...]:
    """Ends of names that no public mail server has, which the library knows."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    return tuple(f"{before}{name}" for name in SPECIAL_USE_DOMAIN_NAMES for before in ".@")


def normalise_phone(text: str, field: str = "phone", *, region: str = "US") -> str:
    """The number as E.164; `region` is assumed where no country code is given; raises InvalidIdentifier."""
    normal = _phone(text, region)
    if normal is None:
        raise InvalidIdentifier(field, "give one telephone number, such as +1 202 555 0123")
    return normal


def _phone(text: str, region: str) -> str | None:
    phonenumbers = _phonenumbers()
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    normal: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return normal


@cache
def _phonenumbers() -> ModuleType:
    import phonenumbers

    return phonenumbers
