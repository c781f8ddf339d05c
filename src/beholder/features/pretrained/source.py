"""Where a pretrained model lies, and which one it is: a folder, or a name on the Hugging Face hub.

A name is looked for in the hub's local cache first, and only then downloaded. Weights are read
from safetensors alone, never from pickles, and no code that comes with a model is run.
"""

import contextlib
import hashlib
import importlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

from beholder.errors import ConfigurationError
from beholder.extras import needs

_FILES = (
    *("*.safetensors", "*.safetensors.index.json", "config.json"),
    *("modules.json", "config_sentence_transformers.json", "sentence_*_config.json"),
    "router_config.json",
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.*", "merges.txt", "*.model"),
    *("preprocessor_config.json", "processor_config.json"),
)
"""What a model's numbers follow from, by the files' names; nothing else is downloaded or hashed."""

_OTHER_FORMS = ("onnx", "openvino")
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Weights:
    """What a cached array of a pretrained model hangs on beside its input: never a path."""

    identity: str


def library(name: str) -> ModuleType:
    """Return a library of the extra; ConfigurationError names the extra where it is missing."""
    with needs("pretrained"):
        return importlib.import_module(name)


def locate(model: str) -> Path:
    """Return the folder of a model given by its folder or its name.

    Raises ConfigurationError if it is neither a folder nor in the hub's cache and cannot be
    downloaded, or if it holds no weights in safetensors.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or model.startswith((".", "~")):
            raise ConfigurationError(f"the encoder {model} is not there: no such folder")
        folder = _from_hub(model)
    if not _is_whole(folder):
        raise ConfigurationError(
            f"the encoder {model} cannot be used: {folder} holds no config.json, or not all "
            "weights as safetensors (pickled weights are never read)"
        )
    return folder


def lasting(model: str) -> str:
    """Return a folder's whole path, which holds wherever it is asked for, or a name as it is."""
    folder = Path(model).expanduser()
    return str(folder.resolve()) if folder.is_dir() else model


def identity(folder: Path) -> str:
    """Return the SHA-256 of a model's weights and configuration, wherever it lies."""
    whole = hashlib.sha256()
    for file in _files(folder):
        with file.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        whole.update(f"{file.relative_to(folder).as_posix()} {content}\n".encode())
    return whole.hexdigest()


def verified(model: str, expected: str) -> Path:
    """Return the folder of a model that has to be the very one that a run was trained with.

    Raises ConfigurationError if it is absent or its weights or configuration are others.
    """
    folder = locate(model)
    if (found := identity(folder)) != expected:
        raise ConfigurationError(
            f"the encoder {model} has other weights or another configuration than at the training: "
            f"expected {expected[:12]}, found {found[:12]}"
        )
    return folder


@contextlib.contextmanager
def loading(model: str) -> Iterator[None]:
    """Keep the libraries' notices and bars off the terminal, and say what fails in one sentence."""
    told = library("transformers").utils.logging
    verbosity, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    sentences = logging.getLogger("sentence_transformers")
    level = sentences.level
    told.set_verbosity_error()
    told.disable_progress_bar()
    sentences.setLevel(logging.ERROR)
    try:
        yield
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        RuntimeError,
    ) as e:
        reason = str(e).strip().partition("\n")[0]
        raise ConfigurationError(f"the encoder {model} cannot be loaded: {reason}") from e
    finally:
        sentences.setLevel(level)
        told.set_verbosity(verbosity)
        if bars:
            told.enable_progress_bar()


def _from_hub(name: str) -> Path:
    hub = library("huggingface_hub")
    wanted = {"allow_patterns": [f"*{pattern}" for pattern in _FILES]}
    wanted["ignore_patterns"] = [f"{form}/*" for form in _OTHER_FORMS]
    try:
        with contextlib.suppress(hub.errors.LocalEntryNotFoundError):
            cached = Path(hub.snapshot_download(name, local_files_only=True, **wanted))
            # A download that was cut short, or one of other files, has left less than all.
            if _is_whole(cached):
                return cached
        return Path(hub.snapshot_download(name, etag_timeout=_TIMEOUT_S, **wanted))
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigurationError(
            f"the encoder {name} is neither a folder nor in the local cache, and it cannot be "
            f"downloaded: {reason}"
        ) from error


def _files(folder: Path) -> list[Path]:
    """Return a model's files, the same ones in the same order on every machine."""
    found = []
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        is_other = parts[0] in _OTHER_FORMS or any(part.startswith(".") for part in parts)
        if not is_other and any(fnmatch(file.name, one) for one in _FILES) and file.is_file():
            found.append(file)
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder has a configuration and all of its weights as safetensors."""
    files = _files(folder)
    if not any(file.name in ("config.json", "modules.json") for file in files):
        return False
    for index in (file for file in files if file.name.endswith(".index.json")):
        try:
            parts = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError):
            return False
        if not all((index.parent / part).is_file() for part in parts):
            return False
    return any(file.suffix == ".safetensors" for file in files)
