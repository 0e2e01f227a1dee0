"""Keys to rows: dictionaries of head keys, and hashes for the others."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor

_LOW_HALF: Final = 0xFFFFFFFF
_LINE_KEYS: Final = 8  # of a dictionary
_EXACT_BITS: Final = 64
_SALT_BYTES: Final = 8
_RIBBON_WIDTH: Final = 64
# torch has no arithmetic on uint64: the multipliers of SplitMix64 as the signed words with the same bits.
_MULTIPLIER_1: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_MULTIPLIER_2: Final = 0x94D049BB133111EB - (1 << 64)


class Dictionary(NamedTuple):
    """Some keys of the head, and their rows.

    Attributes:
        places: int64, from ``hashing.place_keys``, or uint8, from ``hashing.place_fingerprints``, or int64, from
            ``hashing.build_ribbon``; empty without keys.
        key_bits: 64, or those of a fingerprint; of a ribbon, its check bits.
        codes: uint8, from ``packing.pack_integers``: per position the row of the key there, which keys may share;
            empty where the position is the row, and with a ribbon, which holds the codes itself. A code beyond the rows
            reads the last.
        code_bits: The bits of a code, in [1, 31]; 0 without codes.
        num_rows: Rows that it names: its positions, or the number of different codes.
        kind: Name of the kind of dictionary, in `FINDERS`; the three kinds of the compiled engine are known by their
            arrays if it is not given.
    """

    places: Tensor
    key_bits: int
    codes: Tensor
    code_bits: int
    num_rows: int
    kind: str = ""

    @property
    def is_ribbon(self) -> bool:
        """Whether it holds codes and no keys."""
        return bool(self.code_bits) and not self.codes.numel()


class Rows(NamedTuple):
    """Where the vectors of N keys stand; a key is in the head or in the tail.

    Attributes:
        counted: bool[N], whether the key is not the padding key.
        in_head: bool[N], whether the key has a row of its own; the padding key may.
        in_tail: bool[N], whether it reads shared rows; the padding key does not.
        head: int64[number in head], head rows of those keys, in order.
        tail: int64[number in tail, H], tail rows of those keys, in order, counted from 0.
    """

    counted: Tensor
    in_head: Tensor
    in_tail: Tensor
    head: Tensor
    tail: Tensor


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Shift 64-bit words right with zeros coming in, which int64 alone does not."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def mix64(x: Tensor) -> Tensor:
    """SplitMix64's finaliser of int64 words, equal to ``hashing.mix.mix64`` bit for bit.

    Args:
        x: int64, any shape.

    Returns:
        int64, the same shape.
    """
    x = (x ^ _shift_right(x, 30)) * _MULTIPLIER_1
    x = (x ^ _shift_right(x, 27)) * _MULTIPLIER_2
    return x ^ _shift_right(x, 31)


def hash_buckets(keys: Tensor, num_buckets: int, salts: Tensor) -> Tensor:
    """Give every key one bucket per salt, equal to ``hashing.hash_buckets`` bit for bit.

    Args:
        keys: int64[N].
        num_buckets: M, in [1, 2**31].
        salts: int64[H], the bits of ``hashing.bucket_salts``.

    Returns:
        int64[N, H], each in [0, M).
    """
    return _reduce(mix64(keys[:, None] + salts), num_buckets)


def _reduce(h: Tensor, num_buckets: int) -> Tensor:
    """Return the high word of ``h * num_buckets``, for at most 2**31 buckets."""
    # high * num_buckets stays below 2**63 and the carry below 2**31, so 63 bits hold the sum.
    carry = ((h & _LOW_HALF) * num_buckets) >> 32
    return (_shift_right(h, 32) * num_buckets + carry) >> 32


def encode(
    keys: Tensor,
    dictionaries: Sequence[Dictionary],
    num_buckets: int,
    salts: Tensor,
    padding_key: int | None = None,
) -> Rows:
    """Find the rows of keys.

    The first dictionary that has a key gives its head row; the rows of the dictionaries stand one after another. A
    key that none has reads rows of the tail.

    Args:
        keys: int64[N].
        dictionaries: The dictionaries in the order in which they are asked.
        num_buckets: M, rows of the tail.
        salts: int64[H], one per hash function.
        padding_key: A key that stands for nothing.

    Returns:
        The rows; ``head`` in [0, rows of all dictionaries), ``tail`` in [0, M).
    """
    counted = torch.ones_like(keys, dtype=torch.bool) if padding_key is None else keys != padding_key
    row = torch.full_like(keys, -1)
    first_row = 0
    for dictionary in dictionaries:
        own = _rows_in(keys, dictionary)
        row = torch.where((row < 0) & (own >= 0), own + first_row, row)
        first_row += dictionary.num_rows
    in_head = row >= 0
    in_tail = counted & ~in_head
    return Rows(counted, in_head, in_tail, row[in_head], hash_buckets(keys[in_tail], num_buckets, salts))


def _rows_in(keys: Tensor, dictionary: Dictionary) -> Tensor:
    """Return int64[N], rows counted from the dictionary's first, or -1."""
    found = FINDERS[_kind(dictionary)](keys, dictionary)
    if dictionary.codes.numel():
        code = read_integers(dictionary.codes, dictionary.code_bits, found.clamp_min(0))
        found = torch.where(found < 0, -1, code)
    return found.clamp_max(dictionary.num_rows - 1) if dictionary.code_bits else found


def _kind(dictionary: Dictionary) -> str:
    if dictionary.kind:
        return dictionary.kind
    if dictionary.is_ribbon:
        return "ribbon"
    return "exact" if dictionary.key_bits == _EXACT_BITS else "fingerprints"


def find_positions(keys: Tensor, dictionary: Tensor) -> Tensor:
    """Look keys up, equal to ``hashing.find_positions``.

    Args:
        keys: int64[N].
        dictionary: int64, from ``hashing.place_keys``.

    Returns:
        int64[N], the position of each key, or -1.
    """
    if not dictionary.numel():
        return torch.full_like(keys, -1)
    lines = dictionary[:-1].view(-1, _LINE_KEYS)
    chosen = _two_lines(mix64(keys + dictionary[-1]), lines.shape[0])
    return _first_match(lines[chosen], keys, chosen)


def find_fingerprints(keys: Tensor, dictionary: Tensor, bits: int) -> Tensor:
    """Look keys up, equal to ``hashing.find_fingerprints``.

    Args:
        keys: int64[N].
        dictionary: uint8, from ``hashing.place_fingerprints``.
        bits: The bits of a fingerprint.

    Returns:
        int64[N], the position of each key, or -1.
    """
    if not dictionary.numel():
        return torch.full_like(keys, -1)
    salt = dictionary[-_SALT_BYTES:].clone().view(torch.int64)
    h = mix64(keys + salt)
    chosen = _two_lines(h, (dictionary.numel() - _SALT_BYTES) // bits)
    places = chosen[:, :, None] * _LINE_KEYS + torch.arange(_LINE_KEYS, device=keys.device)
    wanted = _shift_right(mix64(h), 64 - bits).clamp_min(1)
    return _first_match(read_integers(dictionary, bits, places), wanted, chosen)


def find_in_ribbon(keys: Tensor, ribbon: Tensor, code_bits: int, check_bits: int) -> Tensor:
    """Look keys up, equal to ``hashing.find_in_ribbon``.

    Args:
        keys: int64[N].
        ribbon: int64, from ``hashing.build_ribbon``.
        code_bits: The bits of a code.
        check_bits: Behind it.

    Returns:
        int64[N], the code of each key, or -1.
    """
    if not ribbon.numel():
        return torch.full_like(keys, -1)
    words = ribbon[:-1].view(-1, code_bits + check_bits)
    h = mix64(keys + ribbon[-1])
    start = _reduce(h, words.shape[0] * _RIBBON_WIDTH - _RIBBON_WIDTH + 1)
    g = mix64(h)
    block, slot = start // _RIBBON_WIDTH, (start % _RIBBON_WIDTH)[:, None]
    # Shifted in two steps, as a shift by 64 bits is none; zeros must come in from above.
    lower = torch.where(slot == 0, words[block], _shift_right(words[block], 1) >> (slot - 1).clamp_min(0))
    upper = words[(block + 1).clamp_max(words.shape[0] - 1)] << 1 << (_RIBBON_WIDTH - 1 - slot)
    chosen = (lower | upper) & (g | 1)[:, None]
    for distance in (32, 16, 8, 4, 2, 1):
        chosen = chosen ^ (
            chosen >> distance
        )  # the sign that comes in from above never reaches the lowest bit
    shifts = torch.arange(code_bits + check_bits, device=keys.device)
    values = ((chosen & 1) << shifts).sum(dim=1)
    checks = _shift_right(mix64(g), 64 - check_bits) if check_bits else torch.zeros_like(values)
    return torch.where(values >> code_bits == checks, values & ((1 << code_bits) - 1), -1)


def _two_lines(h: Tensor, num_lines: int) -> Tensor:
    """Return the two lines that a key may stand in, int64[N, 2], from its hash."""
    return _reduce(torch.stack([h, (h << 32) | _shift_right(h, 32)], dim=1), num_lines)


def _first_match(stored: Tensor, wanted: Tensor, chosen: Tensor) -> Tensor:
    """Return the position of the first place that holds what is wanted, int64[N], or -1.

    Args:
        stored: int64[N, 2, 8], what the two lines of each key hold.
        wanted: int64[N].
        chosen: int64[N, 2], the numbers of those lines.
    """
    matches = (stored == wanted[:, None, None]).flatten(1)  # [N, 16], the positions of the first line first
    place = matches.byte().argmax(1)
    line = torch.where(place < _LINE_KEYS, chosen[:, 0], chosen[:, 1])
    return torch.where(matches.any(1), line * _LINE_KEYS + place % _LINE_KEYS, -1)


def read_integers(packed: Tensor, bits: int, indices: Tensor) -> Tensor:
    """Read packed integers, equal to ``packing.unpack_integers``.

    Args:
        packed: uint8, from ``packing.pack_integers``.
        bits: The bits of each integer.
        indices: int64, any shape: which to read.

    Returns:
        int64, the shape of ``indices``.
    """
    first_bit = indices * bits
    byte, shift = first_bit >> 3, first_bit & 7
    divides = bits % 8 == 0 or 8 % bits == 0
    num_bytes = -(-bits // 8) if divides else (bits + 14) // 8  # that an integer may touch
    word = torch.zeros_like(indices)
    for place in range(num_bytes):
        word |= packed[byte + place].long() << (8 * place)
    return (word >> shift) & ((1 << bits) - 1)


FINDERS: Final[dict[str, Callable[[Tensor, Dictionary], Tensor]]] = {
    "exact": lambda keys, one: find_positions(keys, one.places),
    "fingerprints": lambda keys, one: find_fingerprints(keys, one.places, one.key_bits),
    "ribbon": lambda keys, one: find_in_ribbon(keys, one.places, one.code_bits, one.key_bits),
}
"""By kind of dictionary: int64[N] keys and a dictionary to int64[N], positions or codes, -1 for keys not found."""
