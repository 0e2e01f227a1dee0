"""How often hashed keys collide, in formulas: the paper's equations and what they leave out."""

from hybridhash.theory.birthday import (
    birthday_probability,
    birthday_probability_pairs,
    birthday_probability_square,
)
from hybridhash.theory.collisions import (
    collision_rate,
    double_collision_rate,
    expected_collisions,
    frequency_collision_rate,
    half_collision_rate,
    hybrid_collision_rate,
)
from hybridhash.theory.cost import MethodCost, method_cost
from hybridhash.theory.fingerprints import false_positive_rate
from hybridhash.theory.loss import (
    CODING,
    CODING_SLOPE,
    HALF_LEARNED,
    NORMAL_ERROR,
    UNSHARED_DIRECTIONS,
    coding_loss,
    learned_share,
    rounding_loss,
)
from hybridhash.theory.recurrence import expected_recurrence
from hybridhash.theory.shares import KeyShares, TrafficShares, key_shares, traffic_shares
from hybridhash.theory.vectors import Combine, expected_vector_collisions, num_vectors

__all__ = [
    "CODING",
    "CODING_SLOPE",
    "HALF_LEARNED",
    "NORMAL_ERROR",
    "UNSHARED_DIRECTIONS",
    "Combine",
    "KeyShares",
    "MethodCost",
    "TrafficShares",
    "birthday_probability",
    "birthday_probability_pairs",
    "birthday_probability_square",
    "coding_loss",
    "collision_rate",
    "double_collision_rate",
    "expected_collisions",
    "expected_recurrence",
    "expected_vector_collisions",
    "false_positive_rate",
    "frequency_collision_rate",
    "half_collision_rate",
    "hybrid_collision_rate",
    "key_shares",
    "learned_share",
    "method_cost",
    "num_vectors",
    "rounding_loss",
    "traffic_shares",
]
