"""Files written whole or not at all, checked when they are read, and removed when a process has left them behind."""

from hybridhash.files.checked import JSON, CheckedFile, format_of, read_checked, write_checked
from hybridhash.files.kinds import kind_of_content
from hybridhash.files.leftovers import remove_left_folders, remove_leftovers, scratch_folder
from hybridhash.files.locks import check_free, locked_folder
from hybridhash.files.whole import make_folder, replacing, write_text

__all__ = [
    "JSON",
    "CheckedFile",
    "check_free",
    "format_of",
    "kind_of_content",
    "locked_folder",
    "make_folder",
    "read_checked",
    "remove_left_folders",
    "remove_leftovers",
    "replacing",
    "scratch_folder",
    "write_checked",
    "write_text",
]
