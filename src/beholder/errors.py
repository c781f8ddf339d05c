"""Beholder's exceptions: few, under one base, each carrying one clear sentence."""


class BeholderError(Exception):
    """Base of every error that Beholder raises on purpose; its text is one clear sentence."""


class ConfigurationError(BeholderError):
    """An option, a mapping or a configuration that cannot be used as given."""


class StudyError(BeholderError):
    """A study, or the files a study is read from, that breaks its schema."""


class UnsupportedError(BeholderError):
    """Something asked of a study that this study cannot support."""


class RunError(BeholderError):
    """A run folder that is missing, unfinished, damaged or made for another study."""


class TrainingError(BeholderError):
    """Training that had to stop: the embeddings collapsed or the loss is not a number."""


class StoreError(BeholderError):
    """A store that is missing, damaged, of another schema, or being written by someone else."""
