"""The way out for the platform's own mails: one mail, one connection to the mail server of the settings.

The one rule: what is said of a mail is final only where the server refuses the mail itself; that it cannot be reached,
or does not know us, says nothing of the mail.
"""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from ..settings import MailSettings

PATIENCE = 30.0  # seconds for each step of the conversation
IN_ALL = 90.0  # and for all of them: less than a mail is leased for, or somebody else would send it too


class Failure(enum.Enum):
    """Whether the same mail may be taken another time."""

    TEMPORARY = "temporary"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A mail was not taken; `word`: what the server said, or what kept us from it."""

    failure: Failure
    word: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in plain text. `name`: what makes its Message-ID, the same at every attempt."""

    recipient: str
    subject: str
    text: str
    name: str
    at: datetime


def message(mail: Mail, sender: str) -> EmailMessage:
    """The mail as RFC 5322 wants it. Raises ValueError for an address that is none."""
    name, address = parseaddr(sender)
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(name, addr_spec=address)
    made["To"] = Address(addr_spec=mail.recipient)
    made["Subject"] = mail.subject
    made["Date"] = mail.at
    made["Message-ID"] = f"<{mail.name}@{address.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.text)
    return made


async def send(settings: MailSettings, mail: Mail) -> Refusal | None:
    """Hand a mail to the server; None: it has it."""
    import aiosmtplib  # by the first mail that leaves: every program starts with this module

    try:
        made = message(mail, settings.sender)
    except (ValueError, IndexError) as error:
        return Refusal(Failure.PERMANENT, f"no address: {error}")
    try:
        async with asyncio.timeout(IN_ALL):
            await aiosmtplib.send(
                made,
                hostname=settings.host,
                port=settings.port,
                username=settings.user or None,
                password=settings.password or None,
                use_tls=settings.tls == "tls",
                start_tls=settings.tls == "starttls",
                timeout=PATIENCE,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _refused(error.recipients[0].code, error.recipients[0].message)
    except (aiosmtplib.SMTPDataError, aiosmtplib.SMTPRecipientRefused) as error:
        return _refused(error.code, error.message)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return Refusal(Failure.TEMPORARY, f"{type(error).__name__}: {error}")
    return None


def _refused(code: int, word: str) -> Refusal:
    failure = Failure.PERMANENT if 500 <= code < 600 else Failure.TEMPORARY  # RFC 5321, 4.2.1
    return Refusal(failure, f"{code} {word}")
