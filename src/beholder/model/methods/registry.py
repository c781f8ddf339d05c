"""All methods by their names: those built in, and those of a user's own files."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from beholder.errors import ConfigurationError
from beholder.model.methods.chance import Chance
from beholder.model.methods.concepts import ConceptMethod
from beholder.model.methods.factorisation import Factorised
from beholder.model.methods.image_only import ImageOnly
from beholder.model.methods.method import Method
from beholder.model.methods.spaces import SPACE_NAMES, SpaceMethod
from beholder.study.tasks import MODALITIES

_ALL = tuple(MODALITIES.values())

BUILT_IN: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Chance(),
            ImageOnly(),
            Factorised(),
            *(SpaceMethod(space) for space in SPACE_NAMES),
            ConceptMethod(),
            *(SpaceMethod(space, joint=True) for space in SPACE_NAMES),
            *(SpaceMethod(space, privileged=_ALL) for space in SPACE_NAMES),
        )
    }
)


@dataclass(frozen=True)
class Registry:
    """Finds methods by name."""

    methods: Mapping[str, Method]

    @classmethod
    def of(cls, files: Sequence[Path] = ()) -> "Registry":
        """Return the methods built in and those that Python files define.

        A file's methods are the `Method` objects among its names. Raises ConfigurationError
        if a file cannot be loaded, holds none, or takes a name that is taken.
        """
        methods = dict(BUILT_IN)
        for file in files:
            for method in _methods_in(file):
                if method.name in methods:
                    raise ConfigurationError(f"{file}: a method {method.name!r} exists already")
                methods[method.name] = method
        return cls(MappingProxyType(methods))

    def named(self, name: str) -> Method:
        """Return a method, such as ``base``, ``ours-joint`` or ``ours+personality``.

        The modalities after a ``+`` are privileged: they teach and are absent at the test.
        """
        if name in self.methods:
            return self.methods[name]
        space, *privileged = name.split("+")
        if privileged and space in SPACE_NAMES and set(privileged) <= set(_ALL):
            kept = tuple(modality for modality in _ALL if modality in privileged)
            return SpaceMethod(space, privileged=kept)
        raise ConfigurationError(
            f"unknown method {name!r}, expected some of {', '.join(self.methods)}, or a space and "
            "privileged modalities such as ours+personality"
        )


def _methods_in(file: Path) -> list[Method]:
    spec = importlib.util.spec_from_file_location(f"beholder_methods_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises
        raise ConfigurationError(f"{file} cannot be loaded: {error!r}") from error
    methods = [value for value in vars(module).values() if isinstance(value, Method)]
    if not methods:
        raise ConfigurationError(
            f"{file} defines no method: put an object of a subclass of Method among its names"
        )
    return methods
