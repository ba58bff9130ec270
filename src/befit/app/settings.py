"""One settings model: ``befit.toml`` here or at ``BEFIT_CONFIG``, then ``BEFIT_*`` variables.

A first start without any works. The tables of components are checked against the component itself
when it is built (``app.build``); secrets come best by variable.
"""

import os
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from befit.core.errors import ConfigError

CONFIG = "BEFIT_CONFIG"
NAMES = ("CONFIG", "CACHE", "DATA", "URL", "KEY")  # BEFIT_ variables that are no settings

Table = dict[str, Any]  # a component: ``use`` names it, the rest are its options


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Boundary(_Section):
    """Universal values; nothing here can switch them off."""

    guards: tuple[Table, ...] = Field(
        ({"use": "rules"}, {"use": "heads"}), description="Judge every text before it is seen."
    )
    screens: tuple[Table, ...] = Field(
        ({"use": "injection"},), description="Judge what memory would put into a prompt."
    )


class Upstream(_Section):
    """The language model behind every answer."""

    url: str = Field(
        "", description="Base URL of an OpenAI-compatible server; empty: the embedded model."
    )
    model: str = Field(
        "",
        description="The server's model; empty: the one that the client names. Without a url: a "
        "transformers folder or a GGUF file; empty: smollm2-135m-instruct.",
    )
    key_env: str = Field(
        "OPENAI_API_KEY", description="The variable that holds the server's key; may be unset."
    )
    timeout_s: float = Field(120.0, gt=0, description="Longest silence of the server, seconds.")


class Inference(_Section):
    """What is read of the texts that a person wrote."""

    projectors: tuple[Literal["surface", "anchors", "asked"], ...] = Field(
        ("surface", "anchors"),
        description="How they are written, what they mean, and what the language model says.",
    )
    asked_noise: float = Field(
        0.7, gt=0, description="Standard deviation of that model's error: `befit space measure`."
    )
    asked_at_once: int = Field(12, ge=1, description="Dimensions in one question to it.")


class Server(_Section):
    """``befit serve``."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    deadline_ms: float = Field(
        50.0, gt=0, description="Longest wait for memory; past it the generic prompt goes out."
    )
    keys: Path = Field(Path("befit-keys.db"), description="File of the hashed bearer keys.")
    max_body_mb: float = Field(2.0, gt=0, description="Largest request body, megabytes.")
    user_headers: tuple[str, ...] = Field(
        ("x-openwebui-user-id",), description="Headers in which a trusted front end names its user."
    )
    learn_stated: bool = Field(
        default=True, description="Whether a preference stated in a chat turn is remembered."
    )
    threads: int = Field(8, ge=1, description="Threads for memory, and as many for slow work.")
    openwebui_secret: str = Field(
        "", description="Secret of Open WebUI's signed user header; empty: not read.", repr=False
    )


class Settings(BaseSettings):
    """Everything a deployment may set."""

    model_config = SettingsConfigDict(
        env_prefix="BEFIT_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    memory: Table = Field(
        {"use": "sqlite", "path": "befit.db", "space": "style"},
        description="Evidence, journal and artifacts; `space` names the preference space.",
    )
    inferer: Table = Field({"use": "bayes"}, description="Folds evidence into beliefs.")
    finder: Table = Field({"use": "own"}, description="Finds personal data: own or presidio.")
    encoder: Table = Field(
        {"use": "minilm"}, description="Meaning of texts; left out where the extra is missing."
    )
    personalizer: Table = Field(
        {"use": "stack", "layers": [{"use": "prompt"}, {"use": "encode"}]},
        description="Turns a profile into conditioning.",
    )
    policy: Table = Field(
        {"use": "best_of_n"}, description="Proposes drafts; wraps the upstream where left out."
    )
    reward: Table = Field({"use": "active"}, description="Ranks drafts as the person would.")
    reader: Table = Field(
        {"use": "grammar"},
        description="Finds what a chat turn states: `grammar`, the trained `distiller`, or "
        "`model`, which asks the upstream.",
    )
    interpreter: Table = Field({"use": "reactions"}, description="Reads reactions.")
    learner: Table = Field({"use": "reward"}, description="What `befit learn` runs.")
    boundary: Boundary = Boundary()
    upstream: Upstream = Upstream()
    inference: Inference = Inference()
    server: Server = Server()
    candidates: int = Field(4, ge=1, description="Drafts that the boundary may choose among.")
    retention: dict[str, float] = Field(
        {},
        description="Days that `befit store retain` keeps each class: stated, authored, "
        "demographic, behaviour, turns, waiting; one that is left out for ever.",
    )

    @field_validator(
        "memory", "inferer", "encoder", "personalizer", "policy", "reward", "reader", "interpreter",
        "learner",
    )  # fmt: skip
    @classmethod
    def _complete(cls, table: Table, info: ValidationInfo) -> Table:
        """A table that names no other component changes options of the default one."""
        default: Table = cls.model_fields[str(info.field_name)].default
        same = table.get("use", default["use"]) == default["use"]
        return {**default, **table} if same else table

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic fixes the names
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables stand over the file, and the file over the defaults."""
        file = InitSettingsSource(settings_cls, init_kwargs=_read(config_path()))
        return init_settings, env_settings, file


def config_path() -> Path:
    """The settings file: ``BEFIT_CONFIG``, else ``befit.toml`` in the current folder."""
    return Path(os.environ.get(CONFIG) or "befit.toml")


def load_settings(**overrides: object) -> Settings:
    """Read the file and the variables; ``overrides`` stand over both.

    Raises:
        ConfigError: The file does not read, or an option is misspelt or makes no sense; ``field``
            names it and the hint the nearest known name.
    """
    _check_variables(os.environ)
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise _explained(error) from error


def misspelt(name: str, known: Iterable[str], where: str) -> ConfigError:
    """The error for an option that nothing reads."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return ConfigError(
        f"unknown option {where}{name}",
        hint=f"did you mean {where}{near[0]}?" if near else f"known: {', '.join(known) or 'none'}",
        field=f"{where}{name}",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if os.environ.get(CONFIG):
            raise ConfigError(
                f"there is no settings file {path}", hint=f"correct {CONFIG}", field=CONFIG
            ) from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(
            f"{path} does not read: {error}", hint="correct the file", field=str(path)
        ) from error


def _check_variables(environment: Iterable[str]) -> None:
    """A misspelt variable would be ignored in silence; say so instead."""
    for name in environment:
        section = name.upper().removeprefix("BEFIT_").partition("__")[0].lower()
        if (
            name.upper().startswith("BEFIT_")
            and "__" in name
            and section not in Settings.model_fields
        ):
            raise misspelt(section, Settings.model_fields, "")


def _explained(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    *path, name = [str(part) for part in first["loc"]] or ["settings"]
    where = "".join(f"{part}." for part in path)
    if first["type"] == "extra_forbidden":
        return misspelt(name, _known(path), where)
    return ConfigError(
        f"{where}{name}: {first['msg']}", hint="correct the setting", field=where + name
    )


def _known(path: Iterable[str]) -> Iterable[str]:
    model: type[BaseModel] = Settings
    for part in path:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        model = annotation
    return model.model_fields
