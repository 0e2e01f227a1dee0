import numpy as np
import pyarrow as pa
import pytest

from hybridhash.data import Discretiser, Feature, Schema, encode_batch, encode_columns
from hybridhash.errors import DataError
from hybridhash.hashing import cross_keys, hash_keys, null_key

SCHEMA = Schema(
    (
        Feature("user", "categorical", "int"),
        Feature("price", "numeric", "float"),
        Feature("tags", "list", "string"),
        Feature("user*price", "cross", "key", ("user", "price")),
    ),
    seed=5,
)
DISCRETISER = Discretiser({"price": np.array([1.0, 2.0])})
ROWS = {"user": [1, None, 3], "price": [0.5, None, float("nan")], "tags": ["a|b", None, []], "other": [1]}


def test_keys_are_those_of_the_hashing_room() -> None:
    user, price, tags, cross = encode_columns(ROWS, SCHEMA, DISCRETISER)
    assert user.keys.tolist() == hash_keys([1, None, 3], "user", 5).tolist()
    # 0.5 is bin 0; NaN and null are the null.
    expected = [*hash_keys([0], "price", 5), null_key("price", 5), null_key("price", 5)]
    assert price.keys.tolist() == [int(key) for key in expected]
    assert tags.keys.tolist() == [*hash_keys(["a", "b"], "tags", 5).tolist(), null_key("tags", 5)]
    assert tags.offsets is not None
    assert tags.offsets.tolist() == [0, 2, 3, 3]
    assert cross.keys.tolist() == cross_keys([user.keys, price.keys], "user*price", 5).tolist()


def test_a_batch_has_the_features_one_after_another() -> None:
    batch = encode_batch(ROWS, SCHEMA, DISCRETISER)
    bags = encode_columns(ROWS, SCHEMA, DISCRETISER)
    assert batch.keys.tolist() == [key for item in bags for key in item.keys.tolist()]
    assert batch.offsets.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9, 9, 10, 11, 12]
    assert batch.labels is None


def test_integer_lists_given_as_text_name_their_row() -> None:
    schema = Schema((Feature("ids", "list", "int"),))
    [bags] = encode_columns({"ids": ["1|2", None, "3"]}, schema, Discretiser({}))
    expected = encode_columns({"ids": pa.array([[1, 2], None, [3]])}, schema, Discretiser({}))[0]
    assert bags.keys.tolist() == expected.keys.tolist()
    with pytest.raises(DataError, match="column 'ids', row 13"):
        encode_columns({"ids": ["1|2", None, "3|x"]}, schema, Discretiser({}), first_row=10)


def test_missing_columns_and_other_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="did you mean 'user_'"):
        encode_columns({"user_": [1]}, SCHEMA, DISCRETISER)
    with pytest.raises(DataError, match="one length"):
        encode_columns({**ROWS, "user": [1]}, Schema(SCHEMA.features[:3]), DISCRETISER)
    with pytest.raises(DataError, match=r"column 'user'.*shape \(3, 2\)"):
        encode_columns({**ROWS, "user": np.zeros((3, 2), dtype=np.int64)}, SCHEMA, DISCRETISER)
