"""The spool: what is written down is found again, whatever happens to the file or the process."""

from __future__ import annotations

import os
import stat
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.capture import lines
from flask_checkout_case.capture.leftovers import Leftovers, quarantined
from flask_checkout_case.capture.spool import TRUNCATE_AT, Receipt, Spool
from flask_checkout_case.types import Event, Origin
from tests.support.processes import run_python

AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def make_event(number: int, **values: object) -> Event:
    return Event(
        id=f"event-{number}",
        name="payment_failed",
        at=AT,
        checkout_ref=f"c-{number}",
        checkout={"ref": f"c-{number}", "lines": [{"title": "Tasche ✓"}]},
        data={"decline_code": "insufficient_funds", **values},
        origin=Origin.GATEWAY,
    )


def test_an_event_is_read_back_as_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(make_event(1))
    (path,) = spool.paths
    (found,) = lines.parse(path.read_bytes()).events
    assert found.event == make_event(1)


def test_directory_and_file_belong_to_this_user_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "instance" / "spool")
    spool.append(make_event(1))
    (path,) = spool.paths
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_acknowledged_event_is_done_with(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    receipts = [spool.append(make_event(number)) for number in range(3)]
    spool.acknowledge([receipts[0], receipts[2]])
    (path,) = spool.paths
    assert [one.event.id for one in lines.parse(path.read_bytes()).events] == ["event-1"]
    assert spool.outstanding == 1


def test_what_is_done_with_takes_no_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    big = make_event(1, message="x" * 20_000)
    for _ in range(3 * TRUNCATE_AT // 20_000):
        spool.acknowledge([spool.append(big)])
    (path,) = spool.paths
    assert path.stat().st_size < TRUNCATE_AT
    assert len(list(tmp_path.glob("*.spool"))) == 1


def test_a_long_outage_fills_several_files_up_to_a_limit(tmp_path: Path) -> None:
    spool = Spool(tmp_path, rotate_at=10_000, limit=50_000)
    receipts: list[Receipt] = []
    with pytest.raises(OSError, match="limit"):  # noqa: PT012
        while True:
            receipts.append(spool.append(make_event(len(receipts))))
    assert len(spool.paths) > 3
    assert sum(path.stat().st_size for path in spool.paths) < 60_000
    spool.acknowledge(receipts)
    assert len(list(tmp_path.glob("*.spool"))) == 1
    spool.append(make_event(1))


def test_at_its_limit_it_looks_what_drains_have_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path, rotate_at=10_000, limit=30_000)
    while sum(path.stat().st_size for path in spool.paths) < 30_000:
        spool.append(make_event(1))
    leftovers = Leftovers(tmp_path, grace_ms=-1)
    for path in spool.paths:
        with leftovers.opened(path) as leftover:
            assert leftover is not None
            leftover.acknowledge(one.number for one in leftover.content.events)
    for _ in range(20):
        spool.append(make_event(2))
    assert spool.outstanding == 20


def test_a_directory_that_is_deleted_is_made_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append(make_event(1))
    for path in spool.paths:
        path.unlink()
    spool.append(make_event(2))
    found = [
        one.event.id
        for path in (tmp_path / "spool").glob("*.spool")
        for one in lines.parse(path.read_bytes()).events
    ]
    assert found == ["event-2"]


def test_closing_removes_what_is_empty_and_keeps_the_rest(tmp_path: Path) -> None:
    done, left = Spool(tmp_path / "done"), Spool(tmp_path / "left")
    done.acknowledge([done.append(make_event(1))])
    left.append(make_event(2))
    done.close()
    left.close()
    assert list((tmp_path / "done").glob("*.spool")) == []
    assert len(list((tmp_path / "left").glob("*.spool"))) == 1


def test_a_living_process_is_told_from_a_dead_one(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(make_event(1))
    (path,) = spool.paths
    leftovers = Leftovers(tmp_path)
    with leftovers.opened(path) as leftover:
        assert leftover is not None
        assert leftover.alive
        assert leftover.content.events == []  # it was written a moment ago
    spool.close()
    with leftovers.opened(path) as leftover:
        assert leftover is not None
        assert not leftover.alive
        assert [one.event.id for one in leftover.content.events] == ["event-1"]


def test_only_one_drain_at_a_time(tmp_path: Path) -> None:
    with Leftovers(tmp_path).alone() as first, Leftovers(tmp_path).alone() as second:
        assert (first, second) == (True, False)


# --- damage ---


def written(tmp_path: Path, count: int) -> bytes:
    spool = Spool(tmp_path)
    for number in range(count):
        spool.append(make_event(number))
    (path,) = spool.paths
    return path.read_bytes()


def test_a_truncated_file_costs_its_last_line_alone(tmp_path: Path) -> None:
    whole = written(tmp_path, 3)
    content = lines.parse(whole[:-20])
    assert [one.event.id for one in content.events] == ["event-0", "event-1"]
    assert content.tail


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_costs_one_line_and_is_never_believed(position: int, bit: int) -> None:
    good = [lines.event_line(number, 0, make_event(number)) for number in range(4)]
    raw = bytearray(b"".join(good))
    position %= len(raw)
    raw[position] ^= 1 << bit
    content = lines.parse(bytes(raw))
    # A flipped line feed joins two lines; nothing else ever touches a second one.
    assert len(content.events) >= 2
    for one in content.events:
        assert one.event == make_event(int(one.event.id.removeprefix("event-")))


def test_an_older_or_newer_version_is_set_aside_not_guessed(tmp_path: Path) -> None:
    current = lines.event_line(0, 0, make_event(1))
    content = lines.parse(current.replace(b"cc1", b"cc0") + current.replace(b"cc1", b"cc2"))
    assert content.events == []
    assert [bad.reason for bad in content.bad] == ["not a line of this version"] * 2


@given(st.binary(max_size=300))
def test_rubbish_raises_nothing(raw: bytes) -> None:
    assert lines.parse(raw + b"\n").events == []


def test_the_quarantine_keeps_a_bad_line_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "dead.spool"
    path.write_bytes(b"cc0 what an older release wrote\n" + lines.event_line(0, 0, make_event(1)))
    leftovers = Leftovers(tmp_path)
    with leftovers.opened(path) as leftover:
        assert leftover is not None
        leftovers.quarantine(leftover, leftover.content.bad)
    assert quarantined(tmp_path) == 1
    assert "an older release" in (tmp_path / "quarantine.jsonl").read_text()
    with leftovers.opened(path) as leftover:
        assert leftover is not None
        assert leftover.content.bad == []
        assert len(leftover.content.events) == 1


# --- processes ---


def run_code(code: str, *arguments: str) -> str:
    return run_python("-c", textwrap.dedent(code), *arguments)


def test_a_fork_writes_to_a_file_of_its_own(tmp_path: Path) -> None:
    run_code(
        """
        import os, sys
        from pathlib import Path
        from tests.unit.test_spool import make_event
        from flask_checkout_case.capture.leftovers import Leftovers
        from flask_checkout_case.capture.spool import Spool

        spool = Spool(Path(sys.argv[1]))
        spool.append(make_event(1))
        (parents,) = spool.paths
        if os.fork() == 0:
            spool.append(make_event(2))
            (childs,) = spool.paths
            assert childs != parents
            os._exit(0)
        assert os.wait()[1] == 0
        assert spool.outstanding == 1
        with Leftovers(spool.directory).opened(parents) as leftover:
            assert leftover.alive, "the child's end must not free the parent's file"
        os._exit(0)
        """,
        str(tmp_path),
    )
    found = sorted(
        one.event.id
        for path in tmp_path.glob("*.spool")
        for one in lines.parse(path.read_bytes()).events
    )
    assert found == ["event-1", "event-2"]


def test_a_child_that_lives_on_doesnt_keep_its_dead_parents_file(tmp_path: Path) -> None:
    answer = run_code(
        """
        import os, sys, signal
        from pathlib import Path
        from tests.unit.test_spool import make_event
        from flask_checkout_case.capture.leftovers import Leftovers
        from flask_checkout_case.capture.spool import Spool

        ready, go = os.pipe(), os.pipe()
        parent = os.fork()
        if parent == 0:
            spool = Spool(Path(sys.argv[1]))
            spool.append(make_event(1))
            if os.fork() == 0:
                os.write(ready[1], b"x")
                os.read(go[0], 1)
                os._exit(0)
            os.read(ready[0], 1)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(parent, 0)
        leftovers = Leftovers(Path(sys.argv[1]))
        (path,) = leftovers.files()
        with leftovers.opened(path) as leftover:
            print("alive" if leftover.alive else "dead")
        os.write(go[1], b"x")
        """,
        str(tmp_path),
    )
    assert answer.strip() == "dead"


def test_a_disk_that_cuts_a_line_short_costs_no_other_line(tmp_path: Path) -> None:
    answer = run_code(
        """
        import resource, sys
        from pathlib import Path
        from tests.unit.test_spool import make_event
        from flask_checkout_case.capture.spool import Spool

        spool = Spool(Path(sys.argv[1]))
        spool.append(make_event(1))
        (path,) = spool.paths
        size = path.stat().st_size
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, hard))
        for number in (2, 3):
            try:
                spool.append(make_event(number))
            except OSError as error:
                print("refused")
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        spool.append(make_event(4))
        """,
        str(tmp_path),
    )
    assert answer.split() == ["refused", "refused"]
    (path,) = tmp_path.glob("*.spool")
    content = lines.parse(path.read_bytes())
    assert [one.event.id for one in content.events] == ["event-1", "event-4"]
    assert len(content.bad) == 1


def test_two_threads_never_share_a_number(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    spool = Spool(tmp_path, rotate_at=20_000)
    with ThreadPoolExecutor(4) as threads:
        receipts = list(threads.map(lambda number: spool.append(make_event(number)), range(400)))
    assert len({(one.segment.path, one.number) for one in receipts}) == 400
    found = {one.event.id for path in spool.paths for one in lines.parse(path.read_bytes()).events}
    assert found == {f"event-{number}" for number in range(400)}
    spool.acknowledge(receipts)
    assert spool.outstanding == 0


def test_a_directory_without_permission_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    spool = Spool(blocked / "spool")
    assert spool.check_writable()
    with pytest.raises(OSError, match=os.strerror(20)):
        spool.append(make_event(1))
    assert Spool(tmp_path / "spool").check_writable() is None
