"""User-conditioned factorisation after Veit et al. (CVPR 2018), the paper's strongest rival."""

from beholder.model.methods.learnt import LearntSpaces, learn_base
from beholder.model.methods.method import Method, Setting
from beholder.study.tasks import Task


class Factorised(Method):
    """score(a, b | u) = Σ_k U_uk A(a)_k B(b)_k, where u asks; U of one never seen is the mean.

    After "Separating Self-Expression and Visual Content in Hashtag Supervision" (Veit et al.,
    CVPR 2018), with our towers as A and B and our objective, so that only the method differs.
    """

    name = "factorised"

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return why who asks cannot be told, or must not be."""
        if lack := super().missing_for(setting, task):
            return lack
        if "personality" in task.pair:
            return f"factorised is told who asks, which {task.name} must not know"
        if (setting.study.participant_codes[setting.split.rows("train")] < 0).any():
            return "factorised needs to know who made each sample, and some are unknown"
        return None

    def fit(self, setting: Setting) -> LearntSpaces:
        """Learn towers and the participants' weights together."""
        modalities = dict.fromkeys(m for task in setting.tasks for m in task.pair)
        features = {modality: setting.features(modality) for modality in modalities}
        return learn_base(setting, features, participants=setting.study.participant_codes)
