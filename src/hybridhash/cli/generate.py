"""``hybridhash generate``."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hybridhash.cli.common import say, terminal
from hybridhash.cli.progress import TerminalListener


def generate(
    out: Path,
    /,
    *,
    preset: Annotated[str, Parameter(help="'demo', or 'ads' and 'timeline' at the paper's scale.")] = "demo",
    rows: Annotated[int | None, Parameter(help="How many rows; the preset's number if not given.")] = None,
    scale: Annotated[float, Parameter(help="Multiplies the preset's rows and ids.")] = 1.0,
    seed: Annotated[int, Parameter(help="Another seed is another stream.")] = 0,
) -> None:
    """Write a synthetic click log with a known teacher, to try things on.

    The column 'probability' is the teacher's; name it with --reference, never as a feature.

    Args:
        out: A file that ends in .parquet, .csv or .tsv, text also with .gz or .zst.
    """
    from hybridhash.data import SyntheticStream, stream_preset
    from hybridhash.data.synthetic.writing import check_stream_name

    settings = stream_preset(preset, scale, seed)
    check_stream_name(out)
    stream = SyntheticStream(settings if rows is None else replace(settings, num_rows=rows))
    console = terminal()
    with TerminalListener(console) as listener:
        stream.write(out, lambda done, total: listener.stage("generate", done, total))
    columns = stream.columns
    say(
        console,
        f"written: {out}, {stream.num_rows:,} rows; compare with\n"
        f"  hybridhash compare {shlex.quote(str(out))} --label {columns.label} "
        f"--categorical {','.join(columns.categorical)} --numeric {','.join(columns.numeric)} "
        f"--list {','.join(columns.lists)} --time {columns.time} --reference {columns.probability}",
    )
