"""The training room: lessons as text, who learns, and what can be seen of what they have done. Nobody is asked whether they have read."""

from lienthong.pipeline.training.acts import Classroom, begin, citizen_number, join, look, practice_file, seat
from lienthong.pipeline.training.checks import CHECKS
from lienthong.pipeline.training.lessons import Lesson, Step, read_lessons

__all__ = ["CHECKS", "Classroom", "Lesson", "Step", "begin", "citizen_number", "join", "look", "practice_file", "read_lessons", "seat"]
