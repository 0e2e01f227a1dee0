"""Counting, selection and the artefact: which keys deserve a row of their own."""

from hybridhash.vocabulary.artefact import FORMAT, VERSION, Vocabulary
from hybridhash.vocabulary.chunks import count_key_chunks, count_keys
from hybridhash.vocabulary.count import count
from hybridhash.vocabulary.counts import Counts
from hybridhash.vocabulary.curve import FrequencyCurve
from hybridhash.vocabulary.importance import IMPORTANCE, Importance, recurrence
from hybridhash.vocabulary.outlook import Outlook
from hybridhash.vocabulary.profile import FeatureProfile

__all__ = [
    "FORMAT",
    "IMPORTANCE",
    "VERSION",
    "Counts",
    "FeatureProfile",
    "FrequencyCurve",
    "Importance",
    "Outlook",
    "Vocabulary",
    "count",
    "count_key_chunks",
    "count_keys",
    "recurrence",
]
