"""What lamina takes at the most: generous for every real image, and little enough that none can exhaust a machine.

Whatever is above a limit ends in an error that names it. Sizes are bytes.
"""

PATH = 4096
"""Of one path, and of one link's target: no file system that an engine runs on takes more (PATH_MAX)."""

NAMES = 512 << 20
"""Of all paths of a layer together: those of six million files."""

IMPLIED = 256 << 20
"""Of all paths of directories that no layer lists, but that something stands in."""

EXTENSION = 16 << 20
"""Of an extended header's payload, and of a sparse file's map. Attributes and maps of real files stay far below."""

FILE = 1 << 42
"""That a file may claim to have: more is a damaged header."""

LAYER = 1 << 52
"""That all files of a layer may claim to have together, so that the sums of an image stay in 64 bits."""

ROUNDS = 1000
"""How often all layers of an image may come back to paths that they themselves have named already."""

ROWS = 8_000_000
"""Of all layers of an image together. A layer that stands twice counts twice."""

PAX_RECORDS = 100_000
"""Of one extended header. A file has some ten."""

LAYERS = 1024
"""Of an image. Docker's engine takes 127."""

DOCUMENT = 16 << 20
"""Of one JSON document: a real manifest or config has some kilobytes, an archive's table of many images some more."""

TOC = 256 << 20
"""Of a layer's table of contents, packed or not: that of a million files."""

VALUES = 1_000_000
"""Of one JSON document: it takes a hundred times its bytes where those are brackets."""

ARCHIVE_MEMBERS = 200_000
"""Of the tar around an image. Every image of a large engine in one archive has some 30,000."""

ANSWER = 60_000
"""Characters of an answer to a program that reasons, which has to read them all."""

ANSWER_TEXT = 2000
"""Characters of one text in such an answer: of an instruction, a label, a path."""

ANSWER_ROWS = 200
"""Of a list in such an answer; the next page has the next."""

ANSWER_FILE = 16 << 10
"""Of a file's content in such an answer."""

ANSWER_IMAGES = 20
"""That such a question may be about."""

CONFIGURATION_SIZE = 1 << 20
"""Of a file that holds settings."""

REPORT_SIZE = 1 << 30
"""Of a report that is read again: that of an image with eight million wasted files has as much."""

INSTRUCTIONS = 2000
"""Of a Dockerfile whose lines are looked for: an image has half as many layers at most."""

PACKAGE_RECORD = 64 << 20
"""Of one package's list of files."""

PACKAGE_DATABASE = 256 << 20
"""Of a database of all packages. rpm's of a large system has some 100 MB."""

PACKAGE_HEAD = 64 << 10
"""Of a description of one package: what is behind that is not looked at."""

PACKAGE_RECORDS = 512 << 20
"""Of all records of an image together, of all its layers."""

PROGRAMS = 1000
"""That belong to no package, and are looked at for what they were built from."""

ADVISED_HEAD = 4096
"""Of a file that advice may be about, its first: a program's loader is named there, and what kind of key it is."""

ADVISED_FILES = 2000
"""That advice looks into."""

ADVISED_PROGRAMS = 300
"""Whose sections are looked at, the largest."""

ADVISED_SECTIONS = 256 << 10
"""Of a program's table of sections, and of their names: real ones have some kilobytes."""
