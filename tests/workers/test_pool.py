"""Jobs on threads and in worker processes: the same results, the same errors, and nobody left behind."""

from __future__ import annotations

import gzip
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xxhash

from builders import compress, sha256
from cache.support import python, rich_layers
from cache.test_container import EVERYTHING, rows_of
from lamina.layers.index import LayerIndex
from lamina.layers.tarsplit import TarSplitJob
from lamina.model import Cancelled, LaminaError
from lamina.workers import pool
from lamina.workers import processes as worker_processes
from lamina.workers.file_range import FileRange, stamp_of
from lamina.workers.jobs import FileHashJob, HashJob, Job, Result, ScanJob
from lamina.workers.pool import Pool
from tars import file, header, layer_tar

WAYS = pytest.mark.parametrize("processes", [False, True], ids=["threads", "processes"])


def place(path: Path, data: bytes | None = None) -> FileRange:
    if data is not None:
        path.write_bytes(data)
    status = path.stat()
    return FileRange(str(path), 0, status.st_size, stamp_of(status))


def scan_job(path: Path, data: bytes, **options: Any) -> ScanJob:
    return ScanJob(place(path, data), f"layer {path.name}", **{"in_place": False, **options})


def endless_job(folder: Path, name: str = "endless") -> ScanJob:
    """A layer of 4 TB that takes no room: reading it never ends in a test."""
    path, size = folder / name, 1 << 42
    path.write_bytes(header(file("big"), size))
    os.truncate(path, 512 + size)
    return ScanJob(place(path), f"layer {name}", in_place=False, diff_id="sha256:" + "0" * 64)


def pool_of(processes: bool | None) -> Pool:
    """Workers that do all, threads that do all, or whatever is worth its while, with this process taking its share."""
    if processes is None:
        return Pool(processes=True, worth=pool.WORTH_PROCESSES)
    return Pool(processes=processes, joins=False, worth=0)


def ran(jobs: Sequence[Job], *, processes: bool | None) -> tuple[list[Any], int]:
    """The results of jobs as plain values, and the bytes that were told on the way."""
    results: dict[int, Result] = {}
    told = []
    here = threading.get_ident()

    def done(number: int, result: Result) -> None:
        assert number not in results
        assert threading.get_ident() == here
        results[number] = result

    def advance(count: int) -> None:
        assert threading.get_ident() == here
        told.append(count)

    pool_of(processes).run(jobs, threading.Event(), done, advance)
    assert sorted(results) == list(range(len(jobs)))
    return [rows_of(r) if isinstance(r := results[n], LayerIndex) else r for n in range(len(jobs))], sum(told)


class Recorder(subprocess.Popen[bytes]):
    """A process that is remembered."""

    started: list[Recorder]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.started.append(self)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    """The worker processes that are started from now on."""
    Recorder.started = []
    monkeypatch.setattr(subprocess, "Popen", Recorder)
    return Recorder.started


def all_gone(workers: Sequence[Recorder]) -> bool:
    """Whether each has ended and was waited for."""
    return all(worker.returncode is not None for worker in workers)


# -- the same results --------------------------------------------------------------------------------------------------


def many_jobs(folder: Path) -> list[Job]:
    below, above, last = rich_layers()
    everything = layer_tar(*EVERYTHING)
    (folder / "files" / "sub").mkdir(parents=True)
    (folder / "files" / "sub" / "one").write_bytes(b"1" * 3000)
    (folder / "files" / "two").write_bytes(b"")
    return [
        scan_job(folder / "a", below, diff_id=sha256(below)),
        scan_job(folder / "b", compress(above, "gzip"), diff_id=sha256(above)),
        scan_job(folder / "c", data := compress(last, "zstd"), digest=sha256(data)),
        scan_job(folder / "d", everything, in_place=True),
        scan_job(folder / "e", b"", in_place=True),
        HashJob(place(folder / "f", bytes(range(256)) * 8000), "layer f", [(0, 5), (7, 0), (100, 2_000_000)]),
        FileHashJob(str(folder / "files"), "layer g", [(b"sub/one", 3000), (b"two", 0)]),
    ]


def test_threads_and_processes_give_the_same(tmp_path: Path, workers: list[Recorder]) -> None:
    jobs = many_jobs(tmp_path)
    on_threads = ran(jobs, processes=False)
    assert not workers
    in_processes = ran(jobs, processes=True)
    assert workers
    assert all_gone(workers)
    assert in_processes == on_threads
    results, told = on_threads
    assert told == sum(job.place.size for job in jobs if isinstance(job, ScanJob)) + 2_000_005 + 3000
    data = bytes(range(256)) * 8000
    assert results[5] == [xxhash.xxh3_128_digest(data[a : a + n]) for a, n in ((0, 5), (7, 0), (100, 2_000_000))]
    assert results[6] == [xxhash.xxh3_128_digest(b"1" * 3000), xxhash.xxh3_128_digest(b"")]


def test_the_bytes_decide_where_jobs_run(
    tmp_path: Path, workers: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = many_jobs(tmp_path)[:2]
    ran(jobs, processes=None)
    assert not workers, "small jobs need no process"
    monkeypatch.setattr(pool, "WORTH_PROCESSES", 1)
    ran(jobs[:1], processes=None)
    assert not workers, "one job needs no process beside this one"
    ran(jobs, processes=None)
    assert workers


def test_no_jobs_are_no_work(workers: list[Recorder]) -> None:
    for processes in (None, False, True):
        assert ran([], processes=processes) == ([], 0)
    assert not workers


# -- forked workers ----------------------------------------------------------------------------------------------------

FORKED = """
import os, signal, sys, threading
os.environ["OPENBLAS_NUM_THREADS"] = "1"
from lamina.workers.pool import Pool
from lamina.workers import processes as worker_processes
from lamina.workers.jobs import ScanJob
from lamina.workers.file_range import FileRange, stamp_of
jobs = []
for path in sys.argv[2:]:
    status = os.stat(path)
    jobs.append(ScanJob(FileRange(path, 0, status.st_size, stamp_of(status)), path, in_place=False))
threads = int(sys.argv[1])
resting = threading.Event()
for _ in range(threads):
    threading.Thread(target=resting.wait, daemon=True).start()
started = []
class Worker(worker_processes.Worker):
    def __init__(self):
        super().__init__()
        started.append(self)
worker_processes.Worker = Worker
held = open(sys.argv[2])  # a worker closes it for itself alone
counts = {}
Pool(3, processes=True, worth=0).run(
    jobs, threading.Event(), lambda n, layer: counts.update({n: layer.count}), lambda _: None
)
resting.set()
kinds = [type(worker.process).__name__ for worker in started]
print(sorted(counts.items()), kinds, bool(held.read(1)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how many threads a process has")
@pytest.mark.parametrize(("threads", "kind"), [(0, "Forked"), (1, "Popen")])
def test_workers_are_forked_by_a_process_of_one_thread_only(threads: int, kind: str, tmp_path: Path) -> None:
    paths = []
    for n, data in enumerate(rich_layers() * 3):
        paths.append(tmp_path / f"layer{n}")
        paths[-1].write_bytes(data)
    child = python(FORKED, str(threads), *map(str, paths))
    said = child.communicate(timeout=60)[0].decode()

    expected = [(n, result["count"]) for n, result in enumerate(counts(paths))]
    assert said == f"{expected} {[kind] * 2} True\n"


# -- errors ------------------------------------------------------------------------------------------------------------


def bad_jobs(folder: Path) -> list[Job]:
    sound = layer_tar(*EVERYTHING)
    changed = scan_job(folder / "changed", sound)
    (folder / "changed").write_bytes(sound + bytes(512))
    gone = scan_job(folder / "gone", sound)
    (folder / "gone").unlink()
    grown = place(folder / "grown", sound)
    return [
        scan_job(folder / "cut", sound[:6000]),
        scan_job(folder / "cut in place", sound[:6000], in_place=True),
        scan_job(folder / "cut gzip", compress(sound, "gzip")[:-30]),
        scan_job(folder / "rubbish", b"rubbish" * 200),
        scan_job(folder / "digest", sound, digest="sha256:" + "1" * 64),
        scan_job(folder / "diff_id", sound, diff_id="sha256:" + "1" * 64),
        changed,
        gone,
        ScanJob(FileRange(grown.path, 0, grown.size + 10, grown.stamp), "layer grown", in_place=False),
        ScanJob(FileRange("no\0name", 0, 1, ()), "layer nul", in_place=False),
        HashJob(place(folder / "short", b"12345"), "layer short", [(0, 6)]),
        HashJob(place(folder / "before", b"12345"), "layer before", [(-1, 2)]),
        FileHashJob(str(folder / "none"), "layer none", [(b"a", 1)]),
        TarSplitJob(str(folder / "none"), "layer without record"),
    ]


def complaint(job: Job, *, processes: bool) -> str:
    with pytest.raises(LaminaError) as caught:
        pool_of(processes).run([job], threading.Event(), lambda *_: None, lambda _: None)
    return str(caught.value)


def test_an_error_is_the_same_wherever_it_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = bad_jobs(tmp_path)
    on_threads = [complaint(job, processes=False) for job in jobs]
    for job, text in zip(jobs, on_threads, strict=True):
        named = job.where if isinstance(job, ScanJob | HashJob) and job.where in text else ""
        assert named or str(tmp_path) in text or "layer" in text or "no\0name" in text, text
    # One worker for all of them: its errors come as answers, and it goes on.
    started = worker_processes.Worker()
    monkeypatch.setattr(worker_processes, "start", lambda _: [started])
    monkeypatch.setattr(started, "stop", lambda: None)
    try:
        assert [complaint(job, processes=True) for job in jobs] == on_threads
    finally:
        monkeypatch.undo()
        started.stop()


class NamesItsThread:
    """A job of so many bytes that tells where it was done."""

    def __init__(self, cost: int) -> None:
        self.cost = cost

    def run(self, cancel: threading.Event, advance: Callable[[int], None]) -> list[bytes]:
        """Do it."""
        del cancel, advance
        return [b"%d" % threading.get_ident()]


@pytest.mark.parametrize(("cost", "here"), [(pool.WORTH_THREADS - 1, True), (pool.WORTH_THREADS, False)])
def test_what_is_not_worth_a_thread_is_done_on_the_callers_own(cost: int, here: bool) -> None:
    # given work of so many bytes
    jobs = [NamesItsThread(1), NamesItsThread(cost - 1)]
    threads: dict[int, Result] = {}

    # when it is done by a pool for which all is too small for processes
    Pool(2, processes=True, worth=1 << 62).run(jobs, threading.Event(), threads.__setitem__, lambda _: None)

    # then no thread was started for what is done before one would be there
    mine = [b"%d" % threading.get_ident()]
    assert [threads[0] == mine, threads[1] == mine] == [here, here]


@WAYS
def test_the_first_error_ends_all(processes: bool, tmp_path: Path, workers: list[Recorder]) -> None:
    jobs: list[Job] = [endless_job(tmp_path), scan_job(tmp_path / "bad", b"rubbish" * 200)]
    with pytest.raises(LaminaError, match="layer bad"):
        pool_of(processes).run(jobs, threading.Event(), lambda *_: None, lambda _: None)
    assert all_gone(workers)


@WAYS
def test_what_the_caller_raises_comes_through(processes: bool, tmp_path: Path, workers: list[Recorder]) -> None:
    def done(number: int, result: Result) -> None:
        raise ZeroDivisionError

    jobs: list[Job] = [endless_job(tmp_path), scan_job(tmp_path / "small", layer_tar())]
    with pytest.raises(ZeroDivisionError):
        pool_of(processes).run(jobs, threading.Event(), done, lambda _: None)
    assert all_gone(workers)


def test_a_killed_worker_is_a_clear_error(tmp_path: Path, workers: list[Recorder]) -> None:
    def advance(_: int) -> None:
        for worker in workers:
            worker.send_signal(signal.SIGKILL)

    with pytest.raises(LaminaError, match=r"ended \(signal 9\): is there enough memory\?$"):
        pool_of(True).run([endless_job(tmp_path)], threading.Event(), lambda *_: None, advance)
    assert all_gone(workers)


def test_a_worker_that_can_not_even_start_is_a_clear_error(
    tmp_path: Path, workers: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    jobs = [scan_job(tmp_path / str(n), layer_tar()) for n in range(2)]
    with pytest.raises(LaminaError, match=r"ended \(exit code 1\)"):
        pool_of(True).run(jobs, threading.Event(), lambda *_: None, lambda _: None)
    assert all_gone(workers)


# -- leaving -----------------------------------------------------------------------------------------------------------


@WAYS
def test_a_cancel_answers_at_once(processes: bool, tmp_path: Path, workers: list[Recorder]) -> None:
    cancel, since = threading.Event(), 0.0

    def advance(count: int) -> None:
        nonlocal since
        if count and not cancel.is_set():
            for worker in workers:
                worker.send_signal(signal.SIGINT)  # ctrl-c in a terminal reaches all: they leave it to their parent
            since = time.monotonic()
            cancel.set()

    jobs = [endless_job(tmp_path, "one"), endless_job(tmp_path, "two")]
    with pytest.raises(Cancelled):
        pool_of(processes).run(jobs, cancel, lambda *_: None, advance)
    assert time.monotonic() - since < 0.5
    assert all_gone(workers)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lamina-layer")]


def zeros_packed(size: int) -> bytes:
    """A layer with one file of zeros as zstd packs it: some bytes stand for many thousands."""

    def block(kind: int, length: int, content: bytes) -> bytes:
        return (kind << 1 | length << 3).to_bytes(3, "little") + content

    begin = header(file("zeros"), size)
    frame = b"\x28\xb5\x2f\xfd\x00\x70"  # no length given, a window of 16 MB
    return frame + block(0, len(begin), begin) + block(1, 128 << 10, b"\0") * (size >> 17)


def test_a_cancel_answers_at_once_where_little_unpacks_to_much(tmp_path: Path) -> None:
    job = scan_job(tmp_path / "zeros", zeros_packed(8 << 30), diff_id="sha256:" + "0" * 64)
    cancel, since = threading.Event(), 0.0

    def advance(_: int) -> None:
        nonlocal since
        if not since:
            since = time.monotonic()
            cancel.set()

    with pytest.raises(Cancelled):
        pool_of(False).run([job], cancel, lambda *_: None, advance)
    assert time.monotonic() - since < 0.5


@WAYS
def test_what_is_cancelled_before_it_begins_does_nothing(
    processes: bool, tmp_path: Path, workers: list[Recorder]
) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        pool_of(processes).run([endless_job(tmp_path)], cancel, lambda *_: None, lambda _: None)
    assert all_gone(workers)


KILLED_PARENT = """
import sys, threading
from lamina.layers.tarsplit import TarSplitJob
from lamina.workers import processes as worker_processes
from lamina.workers.pool import Pool
path, threads = sys.argv[1:]
for _ in range(int(threads)):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
class Worker(worker_processes.Worker):
    def give(self, place, job):
        super().give(place, job)
        print(self.process.pid, flush=True)
worker_processes.Worker = Worker
Pool(1, processes=True, joins=False, worth=0).run([TarSplitJob(path, "x")], threading.Event(), print, print)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of another's child")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
@pytest.mark.parametrize("threads", [0, 1], ids=["forked", "started"])
def test_a_worker_ends_with_its_parent_whatever_it_does(threads: int, how: signal.Signals, tmp_path: Path) -> None:
    # Given a worker that has nothing to tell: it waits for a record that nobody writes
    record = tmp_path / "record"
    os.mkfifo(record)
    parent = python(KILLED_PARENT, str(record), str(threads))
    assert parent.stdout is not None
    said = parent.stdout.readline()
    assert said.strip().isdigit(), said + parent.stdout.read()
    end, writer = os.pidfd_open(int(said)), os.open(record, os.O_WRONLY)
    try:
        # when its parent is killed
        parent.send_signal(how)
        parent.wait(10)
        # then it ends too.
        assert select.select([end], [], [], 0.5)[0], "the worker goes on without anybody who wants to know"
        parent.communicate()
    finally:
        os.close(writer)
        os.close(end)


# -- machines that don't let us ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("executable", [None, "", "/nowhere/python", "/etc/passwd"])
def test_without_an_interpreter_to_start_threads_do_it(
    executable: str | None, tmp_path: Path, workers: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    jobs = many_jobs(tmp_path)
    assert ran(jobs, processes=True) == ran(jobs, processes=False)
    assert not workers


def test_fewer_processes_than_wanted_do_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = iter([worker_processes.Worker])

    def start() -> worker_processes.Worker:
        try:
            return next(starts)()
        except StopIteration:
            raise BlockingIOError(11, "Resource temporarily unavailable") from None

    jobs = many_jobs(tmp_path)
    on_threads = ran(jobs, processes=False)
    monkeypatch.setattr(pool, "cores", lambda: 3)
    monkeypatch.setattr(worker_processes, "Worker", start)
    assert ran(jobs, processes=True) == on_threads


NO_MORE_PROCESSES = """
import os, resource, sys, threading
import numpy
# Later nobody may not read them.
import lamina.layers.gzip_members, lamina.workers.dispatch, lamina.workers.here, lamina.workers.processes
import lamina.workers.threads
from lamina.workers.jobs import ScanJob
from lamina.workers.file_range import FileRange, stamp_of
from lamina.workers.pool import Pool
jobs = []
for path in sys.argv[1:]:
    status = os.stat(path)
    jobs.append(ScanJob(FileRange(path, 0, status.st_size, stamp_of(status)), path, in_place=False))
if os.geteuid() == 0:  # the limit binds everybody but root
    os.chmod(os.path.dirname(jobs[0].place.path), 0o755)
    os.chdir(os.path.dirname(jobs[0].place.path))
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    jobs = [
        ScanJob(
            FileRange(os.path.basename(job.place.path), job.place.offset, job.place.size, job.place.stamp),
            job.where,
            in_place=False,
        )
        for job in jobs
    ]
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
try:
    os.fork()
except OSError:
    pass
else:
    sys.exit("this test tests nothing: processes can be started")
for processes in (True, False):
    counts, told = {}, []
    pool = Pool(processes=processes, joins=False, worth=0)
    pool.run(jobs, threading.Event(), lambda n, layer: counts.update({n: layer.count}), told.append)
    print(sorted(counts.items()), sum(told))
"""


def test_where_neither_processes_nor_threads_can_be_started_it_is_done_here(tmp_path: Path) -> None:
    paths = []
    for n, data in enumerate(rich_layers()):
        paths.append(tmp_path / f"layer{n}")
        paths[-1].write_bytes(gzip.compress(data))
    child = python(NO_MORE_PROCESSES, *map(str, paths))
    said = child.communicate(timeout=60)[0].decode()
    expected = [(n, result["count"]) for n, result in enumerate(counts(paths))]
    line = f"{expected} {sum(path.stat().st_size for path in paths)}\n"
    assert said == 2 * line


def counts(paths: Sequence[Path]) -> list[dict[str, int]]:
    results, _ = ran([scan_job(path, path.read_bytes()) for path in paths], processes=False)
    return [{"count": len(result["kind"][1])} for result in results]


# -- the folder the user stands in -------------------------------------------------------------------------------------


def test_workers_run_nothing_of_the_folder_the_user_stands_in(
    tmp_path: Path, workers: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = many_jobs(tmp_path)[:2]
    on_threads = ran(jobs, processes=False)
    trap = tmp_path / "trap"
    trap.mkdir()
    for module in ("numpy", "signal", "xxhash", "lamina", "socket", "multiprocessing", "selectors"):
        (trap / f"{module}.py").write_text(f"open({str(trap / 'sprung')!r}, 'w').write({module!r})\n")
    monkeypatch.chdir(trap)
    assert ran(jobs, processes=True) == on_threads
    assert workers
    assert not (trap / "sprung").exists()


# -- the files an engine unpacked --------------------------------------------------------------------------------------


def link_out(root: Path) -> None:
    (root / "way").symlink_to("/dev")


def link_within(root: Path) -> None:
    (root / "real").mkdir()
    (root / "real" / "zero").write_bytes(b"12345")
    (root / "way").symlink_to("real")


def link_itself(root: Path) -> None:
    (root / "way").mkdir()
    (root / "way" / "zero").symlink_to("/dev/zero")


def a_device(root: Path) -> None:
    (root / "way").mkdir()
    try:
        os.mknod(root / "way" / "zero", 0o20666, os.makedev(1, 5))
    except PermissionError:
        os.mkfifo(root / "way" / "zero")


def a_pipe(root: Path) -> None:
    (root / "way").mkdir()
    os.mkfifo(root / "way" / "zero")


def a_folder(root: Path) -> None:
    (root / "way" / "zero").mkdir(parents=True)


def larger(root: Path) -> None:
    (root / "way").mkdir()
    (root / "way" / "zero").write_bytes(b"123456")


def smaller(root: Path) -> None:
    (root / "way").mkdir()
    (root / "way" / "zero").write_bytes(b"1234")


def nothing(root: Path) -> None:
    pass


@pytest.mark.parametrize(
    "make", [link_out, link_within, link_itself, a_device, a_pipe, a_folder, larger, smaller, nothing]
)
def test_only_files_of_the_layer_are_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path)
    job = FileHashJob(str(tmp_path), "layer 0", [(b"way/zero", 5)])
    with pytest.raises(LaminaError, match=r"^layer 0: a file .*engine's store"):
        job.run(threading.Event(), lambda _: None)


def test_files_of_a_layer_are_read_wherever_they_stand(tmp_path: Path) -> None:
    names = [b"top", b"a/b/c/deep", b"a/b/c/second", b"a/not-utf8-\xff/x", b"a/b/last", b"last", b"x" * 255]
    for name in names:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name * 1000)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    told: list[int] = []
    job = FileHashJob(str(tmp_path), "layer 0", [(name, len(name) * 1000) for name in names])
    assert job.run(threading.Event(), told.append) == [xxhash.xxh3_128_digest(name * 1000) for name in names]
    assert sum(told) == 1000 * sum(map(len, names))
    if before:
        assert len(os.listdir("/proc/self/fd")) == before
