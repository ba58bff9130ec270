"""Tables to components to a `Cycle`: the only place that wires.

A component is its own configuration: a field typed with a protocol takes a nested table, a tuple of
one a list of tables, and every other option is validated against the annotation. What a table
leaves out and another part of the system already has (the encoder, the shelf, the space, the
upstream) is shared. Reads no file but through the components.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from befit.app.listening import Listener
from befit.app.rights import finder_of, heeding, heeding_journal
from befit.app.settings import Settings, Table, misspelt
from befit.belief.fold import Measure
from befit.core import protocols
from befit.core.dialogue import Conditioning, Context, Draft, Message
from befit.core.errors import ConfigError, MissingExtraError, ModelFileError
from befit.core.people import UserId
from befit.core.preference import PreferenceSpace
from befit.core.registry import find, names
from befit.cycle import Cycle
from befit.features.distil import Distils
from befit.features.style import measure
from befit.memory.spaces import load_space
from befit.values.audit import RewardProbe, Scores
from befit.values.boundary import Boundary

PROTOCOLS: dict[str, Any] = {
    "memory": protocols.Memory,
    "inferer": protocols.Inferer,
    "encoder": protocols.Encoder,
    "personalizer": protocols.Personalizer,
    "policy": protocols.Policy,
    "reward": protocols.RewardModel,
    "guard": protocols.Guard,
    "screen": protocols.Screen,
    "interpreter": protocols.Interpreter,
    "learner": protocols.Learner,
    "journal": protocols.Journal,
    "artifacts": protocols.ArtifactStore,
    "reader": Distils,
}
KINDS = {protocol: kind for kind, protocol in PROTOCOLS.items()}

# by name: their libraries come with an extra
_CACHED = "befit.features.cached_encoder:CachedEncoder"
_READERS = {
    "grammar": "befit.app.listening:Grammar",
    "distiller": "befit.features.distil:Distiller",
    "model": "befit.features.distil:AskedDistiller",
}
_LEARNED = "befit.reward.hierarchical:HierarchicalReward"

_NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)  # a probe is asked by nobody on no day

_TASTE = {name for name in vars(protocols.Taste) if not name.startswith("_")}


def build_cycle(settings: Settings) -> Cycle:
    """The cycle that the settings describe.

    Raises:
        ConfigError: A component is unknown, misplaced or has an option that nothing reads.
    """
    return Workshop(settings).cycle()


@dataclass(frozen=True)
class Workshop:
    """Builds components from one `Settings`, each shared one once.

    Attributes:
        settings: What the deployment says.
    """

    settings: Settings

    def cycle(self) -> Cycle:
        """All components, wired; memory and journal heed what their people allowed."""
        kept = self.build("memory", self.settings.memory, "memory")
        memory = heeding(kept, self.settings.memory, finder_of(self.settings.finder))
        return Cycle(
            memory=memory,
            personalizer=self.build("personalizer", self.settings.personalizer, "personalizer"),
            policy=self.policy,
            boundary=self.boundary,
            interpreter=self.build("interpreter", self.settings.interpreter, "interpreter"),
            journal=heeding_journal(self.journal, memory),
            artifacts=self.artifacts,
            candidates=self.settings.candidates,
        )

    @cached_property
    def space(self) -> PreferenceSpace:
        """The coordinates that every component shares."""
        return load_space(str(self.settings.memory.get("space", "style")))

    @property
    def measure(self) -> Measure:
        """What the fold measures on texts."""
        return measure

    @cached_property
    def encoder(self) -> protocols.Encoder | None:
        """The encoder with its cache; None where its extra is not installed."""
        try:
            encoder = self.build("encoder", self.settings.encoder, "encoder")
        except MissingExtraError:
            return None
        cached: protocols.Encoder = find("encoder", _CACHED)(encoder=encoder)
        return cached

    @cached_property
    def journal(self) -> protocols.Journal:
        """The record of turns, beside the memory."""
        made: protocols.Journal = self._beside("journal")
        return made

    @cached_property
    def artifacts(self) -> protocols.ArtifactStore:
        """The shelf of what was learned, beside the memory."""
        made: protocols.ArtifactStore = self._beside("artifacts")
        return made

    def _beside(self, kind: str) -> Any:
        """The component of that kind where the memory is; of its options those that it has too."""
        table = self.settings.memory
        while isinstance(table.get("memory"), Mapping):  # one memory around another
            table = table["memory"]
        use = table.get("use")
        component = find(kind, use if use in names(kind) else "sqlite")
        known = {f.name for f in fields(component) if f.init}
        given = {name: option for name, option in table.items() if name in known}
        return self.build(
            kind, {"use": f"{component.__module__}:{component.__name__}", **given}, kind
        )

    @cached_property
    def reader(self) -> Distils:
        """Finds what a chat turn states."""
        table = dict(self.settings.reader)
        table["use"] = _READERS.get(str(table.get("use")), table.get("use"))
        made: Distils = self.build("reader", table, "reader")
        return made

    def listener(self, cycle: Cycle) -> Listener:
        """What hears people's turns, for a cycle of this workshop."""
        return Listener(cycle=cycle, reader=self.reader, encoder=self.encoder)

    @cached_property
    def reward(self) -> protocols.RewardModel:
        """The personal reward, shared by the decoder and the memory."""
        made: protocols.RewardModel = self.build("reward", self.settings.reward, "reward")
        return made

    @cached_property
    def policy(self) -> protocols.Policy:
        """What proposes drafts: the upstream, or a decoder around it."""
        made: protocols.Policy = self.build("policy", self.settings.policy, "policy")
        return made

    @cached_property
    def upstream(self) -> protocols.Policy:
        """The language model: the server at ``upstream.url``, else the embedded model."""
        wanted = self.settings.upstream
        table: Table = {"use": "hf", **({"model": wanted.model} if wanted.model else {})}
        if wanted.url:
            table = {
                "use": "openai_http",
                "url": wanted.url,
                "model": wanted.model,
                "key_env": wanted.key_env,
                "read_seconds": wanted.timeout_s,
            }
        made: protocols.Policy = self.build("policy", table, "upstream")
        return made

    @cached_property
    def boundary(self) -> Boundary:
        """The three gates."""
        wanted = self.settings.boundary
        return Boundary(
            guards=self._convert(tuple[protocols.Guard, ...], wanted.guards, "boundary.guards"),
            screens=self._convert(tuple[protocols.Screen, ...], wanted.screens, "boundary.screens"),
            probe=RewardProbe(scorer=self._scores, incumbent=self._incumbent),
        )

    def _scores(self, folder: Path) -> Scores:
        """How the population of a learned reward scores replies to a prompt."""
        learned = self._learned(folder)

        def score(prompt: str, texts: Sequence[str]) -> Sequence[float]:
            asked = Context(user=UserId(""), messages=(Message("user", prompt),), at=_NO_DAY)
            drafts = [Draft(text=text, policy="probe") for text in texts]
            return learned.score(asked, Conditioning(), drafts)

        return score

    def _learned(self, folder: Path) -> protocols.RewardModel:
        kind: Any = find("reward", _LEARNED)
        learned: protocols.RewardModel = kind.load(folder, self.encoder)
        return learned

    def _incumbent(self) -> Path | None:
        """The reward in force; one that does not read is not, and does not bar the next."""
        active = self.artifacts.active(None, "reward")
        if active is None:
            return None
        folder = self.artifacts.folder(active.id)
        try:
            self._learned(folder)
        except ModelFileError:
            return None
        return folder

    def build(self, kind: str, table: Table | str, where: str) -> Any:
        """One component of a kind of the registry, from its table.

        Raises:
            ConfigError: The component is unknown, misplaced, or an option makes no sense.
        """
        options = {"use": table} if isinstance(table, str) else dict(table)
        component = _find(kind, options, where)
        made = component(**self._options(component, options, where))
        if not isinstance(made, PROTOCOLS[kind]):
            raise ConfigError(
                f"{component.__name__} is no {kind}",
                hint="use a component of that kind",
                field=f"{where}.use",
            )
        return made

    def _options(self, component: type, given: Table, where: str) -> Table:
        """The constructor's arguments: what is given, converted, and what is shared."""
        hints = get_type_hints(component)
        known = {f.name: f for f in fields(component) if f.init}
        for name in given:
            if name not in known:
                raise misspelt(name, known, f"{where}.")
        options = {}
        for name, option in known.items():
            shared = None if name in given else self._share(hints[name], option, where)
            if name in given:
                options[name] = self._convert(hints[name], given[name], f"{where}.{name}")
            elif shared is not None:
                options[name] = shared
            elif _is_required(option):
                raise ConfigError(
                    f"{where} lacks the option {name}",
                    hint=f"set {where}.{name}",
                    field=f"{where}.{name}",
                )
        return options

    def _share(self, hint: Any, option: Field[Any], where: str) -> object:
        """What the system already has, where the option asks for it; else None."""
        asked = _unwrapped(hint)
        if not _is_required(option) and option.default is not None:
            return None
        if asked is protocols.Policy:
            return None if where == "upstream" else self.upstream
        if asked is protocols.Taste:
            # by the class: reading the properties of an instance would open its store
            offers = set(dir(type(self.reward))) >= _TASTE
            return self.reward if offers else None
        if asked is Context:  # who asks a model on the system's own behalf
            return Context(user=UserId(""), messages=(), at=_NO_DAY, incognito=True)
        if asked is protocols.Inferer:
            return self.build("inferer", self.settings.inferer, "inferer")
        shared: dict[Any, str] = {
            protocols.Encoder: "encoder",
            protocols.RewardModel: "reward",
            protocols.ArtifactStore: "artifacts",
            protocols.Journal: "journal",
            PreferenceSpace: "space",
            Measure: "measure",
        }
        return getattr(self, shared[asked]) if asked in shared else None

    def _convert(self, hint: Any, value: Any, where: str) -> Any:
        """A table to a component, a name to a space, anything else by its annotation."""
        asked = _unwrapped(hint)
        if asked in KINDS and isinstance(value, (str, Mapping)):
            return self.build(
                KINDS[asked], dict(value) if isinstance(value, Mapping) else value, where
            )
        if asked is PreferenceSpace:
            return load_space(str(value))
        item = get_args(asked)[0] if get_origin(asked) is tuple else None
        if item in KINDS:
            return tuple(
                self.build(KINDS[item], table, f"{where}.{index}")
                for index, table in enumerate(value)
            )
        try:
            return TypeAdapter(hint).validate_python(value)
        except ValidationError as error:
            raise ConfigError(
                f"{where}: {error.errors()[0]['msg']}", hint="correct the setting", field=where
            ) from error


def _find(kind: str, options: Table, where: str) -> type:
    name = options.pop("use", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"{where} names no component", hint=f'set {where}.use = "..."', field=f"{where}.use"
        )
    component = find(kind, name)
    if not is_dataclass(component):
        raise ConfigError(
            f"{name} is no dataclass, so its options are unknown",
            hint="make it a frozen dataclass",
            field=f"{where}.use",
        )
    return component


def _unwrapped(hint: Any) -> Any:
    """``Encoder | None`` to ``Encoder``; anything else as it is."""
    inner = [each for each in get_args(hint) if each is not NoneType]
    return inner[0] if NoneType in get_args(hint) and len(inner) == 1 else hint


def _is_required(option: Field[Any]) -> bool:
    return option.default is MISSING and option.default_factory is MISSING
