"""Make a model ready to load: find it, check it, convert it once, and know when it is damaged.

The encoder is read where its package lies. A GGUF file is converted once into a transformers
folder in the user's cache, named by the checksum of what it was made from. It loads no model.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from befit.core.errors import BefitError, ModelFileError
from befit.core.registry import missing_extra
from befit.models.cache import cache_dir, locked, problem_of, publish, remembered_sha256
from befit.models.catalogue import CATALOGUE, ModelSpec, checked, spec

try:
    from safetensors.numpy import save_file

    from befit.models.gguf_reader import GgufModel
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

Progress = Callable[[str], None]
FORMAT = "1"  # of a converted folder; raise it when the conversion changes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """What is known of one embedded model after looking at every byte of it.

    Attributes:
        name: The model.
        role: What it does here.
        package: The distribution that carries it.
        installed: Whether that is installed.
        verified: Whether every file, original and prepared, has the right checksum.
        prepared: Whether it can be loaded at once.
        path: The folder to load from, where it is prepared.
        problem: What is wrong, and the way out; "" if nothing.
    """

    name: str
    role: str
    package: str
    installed: bool
    verified: bool
    prepared: bool
    path: Path | None
    problem: str


def prepared(name: str) -> Path:
    """The folder to load an embedded model from; prepared on first use, later checked by size.

    Raises:
        MissingExtraError: Its package is not installed.
        ModelFileError: No such model, or its files are damaged.
    """
    model = spec(name)
    weights = checked(model)
    return _converted(weights, name, full=False) if _needs_conversion(model) else weights.parent


def prepare(name: str, progress: Progress | None = None) -> Path:
    """Make an embedded model ready, reading every byte again; returns the folder to load from.

    A prepared folder that is damaged is made anew.

    Args:
        name: A name in the catalogue.
        progress: Told in words what is being done.

    Raises:
        MissingExtraError: Its package is not installed.
        ModelFileError: No such model, its files are damaged, or the cache cannot be written.
    """
    model = spec(name)
    _tell(progress, f"checking {model.package}")
    weights = checked(model, full=True)
    if not _needs_conversion(model):
        return weights.parent
    return _converted(weights, name, full=True, progress=progress)


def prepare_gguf(path: Path, progress: Progress | None = None) -> Path:
    """Convert any GGUF file of a supported family, once; returns the transformers folder.

    Raises:
        ModelFileError: The file is missing, damaged or of a family that is not supported.
    """
    return _converted(path, path.stem, full=False, progress=progress)


def resolve(model: str) -> Path:
    """The transformers folder of a model: a catalogue name, a folder, or a ``.gguf`` file.

    Raises:
        MissingExtraError: The package of an embedded model is not installed.
        ModelFileError: There is no such model, or its files are damaged.
    """
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        return prepare_gguf(path)
    if (path / "config.json").is_file():
        return path
    if path.is_dir():
        raise ModelFileError(
            f"{path.name} is a folder without config.json",
            hint="give a folder that transformers wrote",
            field="model",
        )
    return prepared(model)


def verify(name: str) -> ModelStatus:
    """Look at every byte of an embedded model and say how it stands; changes nothing.

    Raises:
        ModelFileError: The catalogue has no such model.
    """
    model = spec(name)
    installed, path, problem = model.folder() is not None, None, ""
    try:
        weights = checked(model, full=True)
        path = _folder(weights, name) if _needs_conversion(model) else weights.parent
        if _needs_conversion(model):
            problem = _damage(path, full=True)
            path = path if path.is_dir() else None
    except BefitError as error:
        problem = f"{error}; {error.hint}"
    return ModelStatus(
        name=name,
        role=model.role,
        package=f"{model.package}=={model.version}",
        installed=installed,
        verified=installed and not problem,
        prepared=path is not None and not problem,
        path=path,
        problem=problem,
    )


def statuses() -> tuple[ModelStatus, ...]:
    """How every embedded model stands."""
    return tuple(verify(model.name) for model in CATALOGUE)


def _needs_conversion(model: ModelSpec) -> bool:
    return model.weights.endswith(".gguf")


def _damage(folder: Path, *, full: bool) -> str:
    if not folder.is_dir():
        return ""
    problem = problem_of(folder, full=full)
    return problem and f"prepared files: {problem}; run befit models prepare"


def _folder(weights: Path, name: str) -> Path:
    return cache_dir() / "models" / f"{name}-{remembered_sha256(weights)[:16]}-v{FORMAT}"


def _converted(weights: Path, name: str, *, full: bool, progress: Progress | None = None) -> Path:
    folder = _folder(weights, name)
    if folder.is_dir() and not problem_of(folder, full=full):
        return folder
    with locked(folder.name):
        # another process may have done it while this one waited
        problem = problem_of(folder, full=full) if folder.is_dir() else "not there yet"
        if not problem:
            return folder
        _log.info("preparing %s: %s", name, problem)
        _tell(progress, f"converting {weights.name}")
        publish(
            folder,
            lambda draft: _convert(weights, draft),
            {"source": weights.name, "sha256": remembered_sha256(weights), "format": FORMAT},
        )
    return folder


def _convert(weights: Path, draft: Path) -> None:
    model = GgufModel(path=weights)
    for name, text in model.documents().items():
        (draft / name).write_text(text, encoding="utf-8")
    save_file(dict(model.tensors()), draft / "model.safetensors", metadata={"format": "pt"})


def _tell(progress: Progress | None, text: str) -> None:
    if progress is not None:
        progress(text)
