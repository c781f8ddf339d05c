"""Ranking by the image alone: how much of a score is owed to content, not to the person."""

from beholder.features.gaze import ImageContent
from beholder.features.modalities import default_encoders
from beholder.model.methods.learnt import LearntSpaces, learn_base
from beholder.model.methods.method import Method, Setting
from beholder.study.tasks import Task


class ImageOnly(Method):
    """The base space of a gaze that is told its image and not where anyone looked."""

    name = "image-only"

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return why no image is known."""
        if lack := super().missing_for(setting, task):
            return lack
        if "gaze" not in task.pair:
            return f"image-only knows the image of a gaze, and {task.name} has no gaze"
        return None

    def fit(self, setting: Setting) -> LearntSpaces:
        """Learn the base space with what the image shows for the gaze."""
        modalities = dict.fromkeys(m for task in setting.tasks for m in task.pair)
        features = {
            modality: setting.features(modality) for modality in modalities if modality != "gaze"
        }
        known = default_encoders("gaze", images_are_known=setting.split.keeps_images)
        image = [encoder for encoder in known if isinstance(encoder, ImageContent)]
        return learn_base(setting, features | {"gaze": setting.features("gaze", *image)})
