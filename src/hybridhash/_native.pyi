from typing import Any, Final

DICTIONARIES: Final[tuple[str, ...]]
MAX_DICTIONARIES: Final[int]
MAX_FUSED_DIM: Final[int]
MAX_HASHES: Final[int]
RULES: Final[dict[str, tuple[str, ...]]]

def isa() -> str: ...
def use_openmp_of(library: str) -> bool: ...
def spread_over_huge_pages(memory: Any) -> None: ...
def place_keys(keys: Any, dictionary: Any) -> bool: ...
def solve_ribbon(starts: Any, coefficients: Any, values: Any, value_bits: int, words: Any) -> bool: ...
def hash_integers(values: Any, keys: Any, salt: int, num_threads: int) -> None: ...
def hash_slices(data: Any, starts: Any, lengths: Any, keys: Any, seed: int, num_threads: int) -> None: ...
def hash_offsets(data: Any, offsets: Any, keys: Any, seed: int, num_threads: int) -> None: ...
def hash_fixed_bytes(data: Any, width: int, keys: Any, seed: int, num_threads: int) -> None: ...
def hash_fixed_text(points: Any, width: int, keys: Any, seed: int, num_threads: int) -> int: ...
def encode(
    keys: Any,
    dictionaries: list[Any],
    num_buckets: int,
    salts: list[int],
    padding_key: int | None,
    rows: Any,
    num_threads: int,
) -> None: ...
def forward(
    head: Any,
    tail: Any,
    rows: Any,
    offsets: Any,
    weights: Any | None,
    combine: int,
    mode: int,
    out: Any,
    argmax: Any | None,
    num_threads: int,
) -> None: ...
def encode_and_pool(
    keys: Any,
    dictionaries: list[Any],
    salts: list[int],
    padding_key: int | None,
    head: Any,
    tail: Any,
    offsets: Any,
    weights: Any | None,
    combine: int,
    mode: int,
    rows: Any | None,
    out: Any,
    argmax: Any | None,
    num_threads: int,
) -> None: ...
def packed_forward(
    head: list[Any],
    tail: Any,
    rows: Any,
    offsets: Any,
    weights: Any | None,
    combine: int,
    mode: int,
    out: Any,
    num_threads: int,
) -> None: ...
def packed_encode_and_pool(
    keys: Any,
    dictionaries: list[Any],
    salts: list[int],
    padding_key: int | None,
    head: list[Any],
    tail: Any,
    offsets: Any,
    weights: Any | None,
    combine: int,
    mode: int,
    rows: Any | None,
    out: Any,
    num_threads: int,
) -> None: ...
def weight_gradient(
    head: Any,
    tail: Any,
    rows: Any,
    offsets: Any,
    combine: int,
    grad: Any,
    out: Any,
    num_threads: int,
) -> None: ...
def update(
    head: Any,
    tail: Any,
    rows: Any,
    offsets: Any,
    weights: Any | None,
    combine: int,
    mode: int,
    grad: Any,
    argmax: Any | None,
    head_state: list[Any],
    tail_state: list[Any],
    rule: str,
    numbers: dict[str, float],
    num_threads: int,
) -> None: ...
def gradients(
    head: Any,
    tail: Any,
    rows: Any,
    offsets: Any,
    weights: Any | None,
    combine: int,
    mode: int,
    grad: Any,
    argmax: Any | None,
    num_threads: int,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]: ...

class Table:
    def __init__(
        self,
        dictionaries: list[Any],
        salts: list[int],
        head: list[Any],
        tail: Any,
        combine: int,
    ) -> None: ...
    @property
    def dim(self) -> int: ...
    def rows(self, keys: Any, padding_key: int | None, out: Any, num_threads: int) -> None: ...
    def pool(
        self,
        keys: Any,
        padding_key: int | None,
        offsets: Any,
        weights: Any | None,
        mode: int,
        out: Any,
        num_threads: int,
    ) -> None: ...
    def pool_rows(
        self, rows: Any, offsets: Any, weights: Any | None, mode: int, out: Any, num_threads: int
    ) -> None: ...
    def vectors(self, keys: Any, padding_key: int | None, out: Any, num_threads: int) -> None: ...

class ValueEncoder:
    def __init__(self, separator: str) -> None: ...
    def add(
        self,
        name: str,
        values: int,
        is_list: bool,
        salt: int,
        null_key: int,
        edges: list[float],
        parts: list[int],
    ) -> None: ...
    def rows(self, rows: Any, fallback: Any) -> tuple[Any, Any] | None: ...
    def columns(
        self, columns: list[Any], is_shared: list[bool], num_rows: int, fallback: Any
    ) -> tuple[Any, Any]: ...
