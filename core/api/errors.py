"""Errors by layer; each says whether a retry may help."""

from typing import ClassVar


class SafeholdError(Exception):
    """Base of all errors; ``code`` maps to a sentence in core.texts.

    ``params`` fill that sentence; the exception's own text is for developers.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", **params: str | int | float | None) -> None:
        super().__init__(message or self.code)
        self.params = params

    @property
    def message(self) -> str:
        """The text as it was given: a `Said` still knows how to be said anew."""
        return str(self) if not self.args else self.args[0]


class ConfigError(SafeholdError):
    """Configuration is wrong: ``file``, ``line``, ``column`` and the mend."""

    code = "config.invalid"


class DeviceError(SafeholdError):
    """A device answered wrongly or not at all."""

    code = "device.failed"
    retryable = True


class AuthError(SafeholdError):
    """A device or broker refused our credentials; a retry cannot help."""

    code = "device.auth"


class Refused(SafeholdError):
    """An act is refused; ``code`` is given per instance."""

    code = "act.refused"

    def __init__(
        self, refusal: str, message: str = "", **params: str | int | float | None
    ) -> None:
        super().__init__(message or refusal, **params)
        self.refusal = refusal
