"""Methods: what is compared. A user adds one by a file that defines a `Method`."""

from beholder.model.methods.method import Matcher, Method, Setting
from beholder.model.methods.registry import BUILT_IN, Registry
from beholder.model.methods.spaces import RunMatcher, SpaceMethod
from beholder.model.ranking import Scorer

__all__ = [
    "BUILT_IN",
    "Matcher",
    "Method",
    "Registry",
    "RunMatcher",
    "Scorer",
    "Setting",
    "SpaceMethod",
]
