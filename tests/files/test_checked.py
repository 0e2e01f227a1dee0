"""Checked files: whole or refused."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import save_file

from hybridhash.errors import (
    FileAccessError,
    FileFormatError,
    HybridHashError,
    InvalidTypeError,
    InvalidValueError,
)
from hybridhash.files import checked, format_of, read_checked, write_checked

DTYPES = ["bool", "float16", "float32", "float64"] + [
    f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64)
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    write_checked(path, {"a": np.arange(3), "b": np.ones((2, 1), np.float32)}, {"n": [1, None]}, "toy", 2)
    return path


@settings(max_examples=60, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(DTYPES))
def test_arrays_of_every_dtype_come_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, dtype: str
) -> None:
    shape = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    array = data.draw(hnp.arrays(dtype, shape))
    path = tmp_path_factory.getbasetemp() / "round.safetensors"
    write_checked(path, {"x": array, "flags": np.array([True])}, {}, "toy", 1)
    back = read_checked(path, "toy", 1).tensors["x"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_layout_and_byte_order_do_not_matter(tmp_path: Path) -> None:
    plain = np.arange(12, dtype=np.int32).reshape(3, 4)
    write_checked(tmp_path / "plain", {"x": plain.T.copy()}, {}, "toy", 1)
    write_checked(tmp_path / "transposed", {"x": plain.T}, {}, "toy", 1)
    write_checked(tmp_path / "swapped", {"x": plain.T.astype(">i4")}, {}, "toy", 1)
    expected = (tmp_path / "plain").read_bytes()
    assert (tmp_path / "transposed").read_bytes() == expected
    assert (tmp_path / "swapped").read_bytes() == expected


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    a, b = np.arange(4), np.ones(5, np.float32)
    write_checked(tmp_path / "1", {"a": a, "b": b}, {"x": 1, "y": 2}, "toy", 1)
    write_checked(tmp_path / "2", {"b": b, "a": a}, {"y": 2, "x": 1}, "toy", 1)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_the_safetensors_package_opens_it(small: Path) -> None:
    with safe_open(small, framework="np") as file:
        assert file.metadata()["format"] == "toy"
        assert file.metadata()["version"] == "2"
        assert json.loads(file.metadata()["metadata"]) == {"n": [1, None]}
        np.testing.assert_array_equal(file.get_tensor("a"), [0, 1, 2])


def test_tensors_start_aligned(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_checked(path, {"a": np.ones(3, np.uint8), "b": np.ones(1, np.int64)}, {}, "toy", 1)
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    assert (8 + length) % 8 == 0
    assert json.loads(raw[8 : 8 + length])["b"]["data_offsets"] == [0, 8]


def test_metadata_and_version_come_back(small: Path) -> None:
    checked = read_checked(small, "toy", 3)
    assert checked.metadata == {"n": [1, None]}
    assert checked.version == 2
    assert format_of(small) == "toy"


def test_metadata_that_looks_like_the_checksum_is_only_metadata(tmp_path: Path) -> None:
    metadata = {"sha256": "0" * 64, "text": '"sha256":"' + "0" * 64 + '"', "unicode": "é\u2028"}
    path = tmp_path / "x"
    write_checked(path, {"sha256": np.arange(2)}, metadata, "toy", 1)
    assert read_checked(path, "toy", 1).metadata == metadata


def test_every_flipped_bit_is_detected(small: Path) -> None:
    raw = bytearray(small.read_bytes())
    for position in range(len(raw)):
        for bit in range(8):
            raw[position] ^= 1 << bit
            small.write_bytes(raw)
            with pytest.raises(FileFormatError):
                read_checked(small, "toy", 2)
            raw[position] ^= 1 << bit
    small.write_bytes(raw)
    assert read_checked(small, "toy", 2).version == 2


def test_every_truncation_is_detected(small: Path) -> None:
    raw = small.read_bytes()
    for length in range(len(raw)):
        small.write_bytes(raw[:length])
        with pytest.raises(FileFormatError, match="cut short" if length > 40 else "expected a"):
            read_checked(small, "toy", 2)


def test_appended_bytes_are_detected(small: Path) -> None:
    small.write_bytes(small.read_bytes() + b"\0")
    with pytest.raises(FileFormatError, match="checksum"):
        read_checked(small, "toy", 2)


def test_a_safetensors_file_of_someone_else_is_refused(tmp_path: Path) -> None:
    save_file({"a": np.arange(3)}, tmp_path / "theirs", {"format": "pt"})
    with pytest.raises(FileFormatError, match="got a safetensors file that hybridhash did not write"):
        read_checked(tmp_path / "theirs", "toy", 1)
    save_file({"a": np.arange(3)}, tmp_path / "bare")
    with pytest.raises(FileFormatError, match="got a safetensors file that hybridhash did not write"):
        format_of(tmp_path / "bare")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04", "a zip file that is cut short"),
        (b"hello, world: this is no tensor", "a text file"),
        (b"\x02" + b"\0" * 7 + b"[]", "one that is cut short, altered or of another kind"),
        (b"\xff" * 100, "one that is cut short, altered or of another kind"),
    ],
)
def test_a_foreign_file_is_refused_by_its_kind(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"expected a .*, got {kind}"):
        read_checked(tmp_path / "x", "toy", 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are those of POSIX")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileAccessError, match="cannot be read: it is a device or a pipe"):
        format_of(tmp_path / "pipe")


def test_another_format_is_refused_by_name(small: Path) -> None:
    with pytest.raises(FileFormatError, match="expected a bundle file, got a toy file"):
        read_checked(small, "bundle", 2)


def test_a_newer_version_is_refused_by_name(small: Path) -> None:
    with pytest.raises(FileFormatError, match=r"got version 2, written by a newer hybridhash; upgrade"):
        read_checked(small, "toy", 1)


def test_a_checked_file_that_safetensors_cannot_read_is_refused(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(checked._DTYPES, "int64", "I65")  # type: ignore[misc]
    write_checked(small, {"a": np.arange(3)}, {}, "toy", 1)
    with pytest.raises(FileFormatError, match="safetensors cannot read it"):
        read_checked(small, "toy", 1)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"absent.*cannot be read: No such file") as caught:
        read_checked(tmp_path / "absent", "toy", 1)
    assert isinstance(caught.value, HybridHashError)
    assert isinstance(caught.value, OSError)


def test_a_folder_is_neither_read_nor_written(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="cannot be read"):
        read_checked(tmp_path, "toy", 1)
    with pytest.raises(FileAccessError, match="cannot be written: it is a folder"):
        write_checked(tmp_path, {}, {}, "toy", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="cannot be written: No such file"):
        write_checked(tmp_path / "no" / "x", {}, {}, "toy", 1)


def test_a_folder_that_is_a_file_is_a_clear_error(small: Path) -> None:
    with pytest.raises(FileAccessError, match="cannot be written: Not a directory"):
        write_checked(small / "x", {}, {}, "toy", 1)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileAccessError, match="cannot be written: Permission denied"):
            write_checked(tmp_path / "x", {}, {}, "toy", 1)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    small: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = small.read_bytes()
    monkeypatch.setattr(os, step, full)
    with pytest.raises(FileAccessError, match="No space left on device"):
        write_checked(small, {"a": np.arange(9)}, {}, "toy", 2)
    assert small.read_bytes() == before
    assert list(small.parent.iterdir()) == [small]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    before = small.read_bytes()
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_checked(small, {"a": np.arange(9)}, {}, "toy", 2)
    assert small.read_bytes() == before
    assert list(small.parent.iterdir()) == [small]


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path, small: Path) -> None:
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(small.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_dtype_that_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match=r"tensor 'x': expected one of bool, .* got object"):
        write_checked(tmp_path / "x", {"x": np.array([None])}, {}, "toy", 1)


def test_metadata_that_is_not_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTypeError, match="metadata: expected what JSON can hold"):
        write_checked(tmp_path / "x", {}, {"x": {1, 2}}, "toy", 1)  # type: ignore[dict-item]
    with pytest.raises(InvalidValueError, match="metadata: expected finite numbers"):
        write_checked(tmp_path / "x", {}, {"x": float("nan")}, "toy", 1)
    assert list(tmp_path.iterdir()) == []


def test_the_reserved_tensor_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="__metadata__"):
        write_checked(tmp_path / "x", {"__metadata__": np.arange(1)}, {}, "toy", 1)
