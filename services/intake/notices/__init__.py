"""Everything that the requester is told, and how it is handed over."""

from services.intake.notices.handler import NoticeHandler
from services.intake.notices.rendering import Rendering
from services.intake.notices.smtp import SmtpServer
from services.intake.notices.texts import Texts

__all__ = ["NoticeHandler", "Rendering", "SmtpServer", "Texts"]
