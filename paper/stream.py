"""The 'ads' surface, read once and encoded, for the studies that need its rows or its keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from hybridhash.experiments import CompareSettings, Listener, merge_settings
from hybridhash.trials import Prepared, prepare_rows
from paper.rows import row_key
from paper.scale import Scale
from paper.study import work_folder
from paper.surfaces import ads

Keys = npt.NDArray[np.int64]


@contextmanager
def prepared_ads(
    folder: Path, scale: Scale, listener: Listener
) -> Iterator[tuple[Prepared, CompareSettings]]:
    """Read the 'ads' surface; its encoded rows are gone afterwards.

    Args:
        folder: Of the studies.
        scale: Of the stream.
        listener: Hears how far it is.

    Yields:
        The rows and counts, and the settings they were read with.
    """
    work = work_folder(folder)
    surface = ads(scale)
    settings = merge_settings(CompareSettings, {}, dict(surface.settings))
    file = surface.file(work, listener)
    with TemporaryDirectory(prefix="rows-", dir=work) as encoded:
        yield prepare_rows([str(file)], settings, Path(encoded), listener), settings


def ads_keys(folder: Path, scale: Scale, listener: Listener) -> Keys:
    """Return the distinct keys of the training span of 'ads', the most frequent first.

    Args:
        folder: Of the studies; the keys are kept in its work folder.
        scale: Of the stream.
        listener: Hears how far it is.

    Returns:
        int64[number of keys], in one joint space: a key carries its feature.
    """
    path = work_folder(folder) / f"ads-keys-{row_key(stream=ads(scale))}.npy"
    if not path.exists():
        with prepared_ads(folder, scale, listener) as (prepared, _):
            keys = prepared.counts.top(prepared.counts.num_keys).keys
        temporary = path.with_suffix(".tmp.npy")
        np.save(temporary, keys)
        temporary.replace(path)
    loaded: Keys = np.load(path)
    return loaded
