"""Every error that befit raises on purpose.

BefitError
  ConfigError                 the settings make no sense
    UnknownComponentError     no component of that name
    MissingExtraError         an optional library is not installed
    PortInUseError            the server's address is taken
  InputError                  the caller's argument is wrong; names the field
    InvalidPromptError        empty, too long, not valid text
    InvalidFeedbackError      a rating out of range, an empty edit
    InvalidImportError        an import file does not read
  UserError                   something about this person
    UnknownUserError          nothing is known of them
    UnknownResponseError      no such response of theirs
    AuthenticationError       no key, or a wrong one
    PermissionDeniedError     the key may not act for that person
  ModelError                  a model failed
    ModelUnavailableError     try again later
    ModelRejectedError        do not try again
    ModelFileError            a model file is missing or corrupted
  StoreError                  the store cannot serve
    ReadOnlyStoreError        the file cannot be written
    FullStoreError            the disk is full
    CorruptStoreError         the file is damaged
  LearningError               no artifact came out
    NotEnoughFeedbackError    too few comparisons
    AuditFailedError          a universal value came out worse

Each carries a ``hint``: the way out, in one sentence.
"""


class BefitError(Exception):
    """The root. ``str(error)`` says what is wrong; ``error.hint`` says the way out."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        """Say what is wrong.

        Args:
            message: What is wrong, in one sentence.
            hint: The way out, in one sentence.
            field: The argument, option or setting at fault, where there is one.
        """
        super().__init__(message)
        self.hint = hint or type(self).hint
        self.field = field


class ConfigError(BefitError):
    """The settings make no sense."""


class UnknownComponentError(ConfigError):
    """No component of that name is installed."""


class MissingExtraError(ConfigError):
    """An optional library is not installed; the hint is the install line."""


class PortInUseError(ConfigError):
    """The server's address is taken."""


class InputError(BefitError):
    """The caller's argument is wrong; ``field`` names it."""


class InvalidPromptError(InputError):
    """The prompt is empty, too long, or not valid text."""


class InvalidFeedbackError(InputError):
    """The reaction makes no sense: a rating out of range, an empty edit."""


class InvalidImportError(InputError):
    """The import file does not read; ``field`` names the line."""


class UserError(BefitError):
    """Something about this person."""


class UnknownUserError(UserError):
    """Nothing is known of this person."""


class UnknownResponseError(UserError):
    """No such response of this person; another person's looks the same."""


class AuthenticationError(UserError):
    """There is no key, or a wrong one."""


class PermissionDeniedError(UserError):
    """The key may not act for that person."""


class ModelError(BefitError):
    """A model failed."""


class ModelUnavailableError(ModelError):
    """The model did not answer; trying again later may help."""


class ModelBusyError(ModelUnavailableError):
    """The model has as much to do as it takes on; trying again later helps."""


class ModelRejectedError(ModelError):
    """The model refused the request; trying again will not help."""

    def __init__(
        self, message: str, *, hint: str = "", field: str = "", status: int = 0, body: str = ""
    ) -> None:
        """Keep what the upstream said, to pass it on.

        Args:
            message: What is wrong.
            hint: The way out.
            field: The argument at fault.
            status: The upstream's HTTP status; 0 where there is none.
            body: The upstream's body.
        """
        super().__init__(message, hint=hint, field=field)
        self.status = status
        self.body = body


class ModelFileError(ModelError):
    """A model file is missing, or its checksum is wrong."""


class StoreError(BefitError):
    """The store cannot serve."""


class ReadOnlyStoreError(StoreError):
    """The store's file cannot be written."""


class FullStoreError(StoreError):
    """The disk is full; what was acknowledged is safe."""


class CorruptStoreError(StoreError):
    """The store's file is damaged."""


class LearningError(BefitError):
    """No artifact came out."""


class NotEnoughFeedbackError(LearningError):
    """There are too few comparisons to learn from."""


class AuditFailedError(LearningError):
    """The artifact made a universal value worse; the incumbent stays."""
