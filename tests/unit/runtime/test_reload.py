from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costpol.errors import ProvisionError
from costpol.policy.loader import digest, load_bundle, read_bundle
from costpol.runtime.live import Handlers
from costpol.runtime.reload import Reloader, ReloadReport
from costpol.runtime.snapshot import Snapshot

SETTLE = 0.02


def snapshot_of(files: Mapping[str, bytes], generation: int, until: float | None = None) -> Snapshot:
    loaded = load_bundle(files)
    return Snapshot(
        generation=generation,
        bundle=loaded.require(),
        pipeline=None,  # type: ignore[arg-type]
        handlers=Handlers({}),
        endpoints={},
        findings=(),
        marked=frozenset(name for name, ended in loaded.explicit_end.items() if ended),
        prices="test",
        prices_until=until,
        embedder=None,
        loaded=0.0,
        release=lambda: None,
    )


class Build:
    """Builds snapshots of what loads, and counts."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.adopted: list[int] = []
        self.outage: str | None = None
        self.tried = 0

    async def __call__(self, files: Mapping[str, bytes], generation: int) -> Snapshot:
        self.tried += 1
        if self.outage is not None:
            raise ProvisionError(self.outage)
        snapshot = snapshot_of(files, generation)
        snapshot.wishes = (lambda: self.adopted.append(generation),)
        self.built.append(snapshot.digest)
        return snapshot


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def reloader_for(folder: Path, build: Build, **options: Any) -> Reloader:
    first = snapshot_of(read_bundle(folder), 1)
    return Reloader(first, lambda: read_bundle(folder), build, settle=SETTLE, interval=0.03, **options)


def with_reloader(
    folder: Path, scenario: Callable[[Reloader, Build], Awaitable[None]], **options: Any
) -> tuple[Reloader, Build]:
    """Run a scenario beside a polling reloader."""
    build = Build()

    async def main() -> Reloader:
        reloader = reloader_for(folder, build, **options)
        polling = asyncio.ensure_future(reloader.run())
        await scenario(reloader, build)
        polling.cancel()
        return reloader

    return asyncio.run(main()), build


async def until(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def changed(folder: Path, text: str = "default: strong\n") -> bytes:
    data = (folder / "routing.yaml").read_bytes()
    return data.replace(b"default: cheap\n", text.encode()).replace(b"default: strong\n", text.encode())


def save_in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def save_by_rename(path: Path, data: bytes) -> None:
    other = path.with_name(path.name + ".tmp")
    other.write_bytes(data)
    other.rename(path)


def save_as_vim_does(path: Path, data: bytes) -> None:
    backup = path.with_name(path.name + "~")
    (path.parent / "4913").write_bytes(b"")
    (path.parent / "4913").unlink()
    path.rename(backup)
    path.write_bytes(data)
    backup.unlink()


def save_by_deleting(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def save_with_old_time(path: Path, data: bytes) -> None:
    import os

    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "save", [save_in_place, save_by_rename, save_as_vim_does, save_by_deleting, save_with_old_time]
)
def test_every_way_of_saving_loads_the_final_bytes_exactly_once(
    policy_folder: Path, save: Callable[[Path, bytes], None]
) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        for target in ("strong", "cheap", "strong"):
            save(policy_folder / "routing.yaml", changed(policy_folder, f"default: {target}\n"))
            await until(lambda target=target: reloader.current.bundle.routing.default == target)  # type: ignore[misc]

    reloader, build = with_reloader(policy_folder, scenario)
    assert len(build.built) == 3
    assert reloader.current.generation == 4


def test_touching_and_changing_modes_reloads_nothing(policy_folder: Path) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        (policy_folder / "routing.yaml").touch()
        (policy_folder / "routing.yaml").chmod(0o600)
        reloader.hint()
        await asyncio.sleep(0.15)

    reloader, build = with_reloader(policy_folder, scenario)
    assert build.tried == 0
    assert reloader.current.generation == 1


def test_editors_side_files_are_no_part_of_the_policy(policy_folder: Path) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        for name in (".routing.yaml.swp", "routing.yaml~", "4913", "#routing.yaml#", ".#routing.yaml"):
            (policy_folder / name).write_bytes(b"kind: nonsense")
        await asyncio.sleep(0.15)

    _, build = with_reloader(policy_folder, scenario)
    assert build.tried == 0


def test_a_slow_writer_is_not_believed_before_the_end_marker(policy_folder: Path) -> None:
    whole = changed(policy_folder)
    seen: set[str] = set()

    async def scenario(reloader: Reloader, build: Build) -> None:
        path = policy_folder / "routing.yaml"
        for end in (20, len(whole) - 40, len(whole) - 4):
            path.write_bytes(whole[:end])
            await asyncio.sleep(0.15)
            seen.add(reloader.current.digest)
            assert reloader.error is not None
        path.write_bytes(whole)
        await until(lambda: reloader.current.generation == 2)

    reloader, build = with_reloader(policy_folder, scenario)
    assert len(build.built) == 1
    assert seen == {reloader_digest(policy_folder, whole, before=True)}
    assert reloader.error is None


def reloader_digest(folder: Path, whole: bytes, *, before: bool) -> str:
    files = dict(read_bundle(folder))
    if before:
        files[(folder / "routing.yaml").as_posix()] = whole.replace(b"default: strong\n", b"default: cheap\n")
    return digest(files)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_no_prefix_of_a_file_is_ever_taken_up(policy_files: dict[str, bytes], share: float) -> None:
    whole = policy_files["p/routing.yaml"]
    torn = policy_files | {"p/routing.yaml": whole[: int(len(whole) * share)]}
    build = Build()

    async def main() -> ReloadReport:
        reloader = Reloader(snapshot_of(policy_files, 1), lambda: torn, build, settle=0)
        return await reloader._attempt(asked=False, dry_run=False)

    report = asyncio.run(main())
    whole_but_for_a_line_end = whole[: int(len(whole) * share)].rstrip() == whole.rstrip()
    assert (report.result == "reloaded") == whole_but_for_a_line_end


def test_a_removed_end_marker_is_reported_and_taken_up_when_asked(policy_folder: Path) -> None:
    path = policy_folder / "routing.yaml"

    async def scenario(reloader: Reloader, build: Build) -> None:
        path.write_bytes(changed(policy_folder).replace(b"...\n", b""))
        await until(lambda: reloader.error is not None)
        assert reloader.error is not None
        assert reloader.error.report.result == "half-written"
        assert reloader.current.generation == 1
        assert (await reloader.reload()).result == "reloaded"

    reloader, _ = with_reloader(policy_folder, scenario)
    assert reloader.error is None
    assert reloader.current.generation == 2


def test_a_mounted_folder_that_swaps_is_never_seen_half_old_half_new(
    tmp_path: Path, policy_files: dict[str, bytes]
) -> None:
    """As Kubernetes mounts a ConfigMap: files are links through `..data`, which is replaced by rename."""
    mount = tmp_path / "mount"
    mount.mkdir()

    def swap(number: int) -> None:
        version = mount / f"..{number}"
        version.mkdir()
        for name, data in policy_files.items():
            marked = data.replace(b"...\n", b"# version %d\n...\n" % number)
            (version / Path(name).name).write_bytes(marked)
        (mount / "..data_tmp").symlink_to(version.name)
        (mount / "..data_tmp").rename(mount / "..data")
        if number:
            shutil.rmtree(mount / f"..{number - 1}")

    swap(0)
    for name in policy_files:
        (mount / Path(name).name).symlink_to(Path("..data") / Path(name).name)
    versions: list[set[str]] = []

    async def scenario(reloader: Reloader, build: Build) -> None:
        for number in range(1, 11):
            swap(number)
            await asyncio.sleep(0.015)
        await until(lambda: "# version 10\n" in reloader.current.bundle.files[(mount / "routing.yaml").as_posix()])

    def observe(report: ReloadReport) -> None:
        if report.result == "reloaded":
            texts = reloaders[0].current.bundle.files.values()
            versions.append({line for text in texts for line in text.splitlines() if line.startswith("# version")})

    reloaders: list[Reloader] = []

    async def main() -> None:
        reloaders.append(reloader_for(mount, Build(), observe=observe))
        polling = asyncio.ensure_future(reloaders[0].run())
        await scenario(reloaders[0], Build())
        polling.cancel()

    asyncio.run(main())
    assert versions
    assert all(len(seen) == 1 for seen in versions)


def test_a_folder_that_is_replaced_or_away_for_a_while_is_found_again(policy_folder: Path, tmp_path: Path) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        policy_folder.rename(tmp_path / "away")
        await until(lambda: reloader.error is not None)
        assert reloader.current.generation == 1
        shutil.copytree(tmp_path / "away", policy_folder)
        (policy_folder / "routing.yaml").write_bytes(changed(policy_folder))
        await until(lambda: reloader.current.generation == 2)
        assert reloader.error is None

    with_reloader(policy_folder, scenario)


def test_many_saves_make_few_builds_and_the_last_wins(policy_folder: Path) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        for number in range(300):
            save_by_rename(policy_folder / "routing.yaml", changed(policy_folder) + b"# %d\n" % number)
            reloader.hint()
            if number % 20 == 0:
                await asyncio.sleep(0)
        await until(lambda: "# 299" in reloader.current.bundle.files[(policy_folder / "routing.yaml").as_posix()])

    _, build = with_reloader(policy_folder, scenario)
    assert len(build.built) <= 3


def test_a_revision_saved_during_a_slow_build_follows_it(policy_folder: Path) -> None:
    class Slow(Build):
        async def __call__(self, files: Mapping[str, bytes], generation: int) -> Snapshot:
            await asyncio.sleep(0.1)
            return await super().__call__(files, generation)

    build = Slow()

    async def main() -> Reloader:
        reloader = reloader_for(policy_folder, build)
        polling = asyncio.ensure_future(reloader.run())
        save_in_place(policy_folder / "routing.yaml", changed(policy_folder))
        await until(reloader._turn.locked)
        await asyncio.sleep(0.06)
        save_in_place(policy_folder / "routing.yaml", changed(policy_folder, "default: large\n"))
        await until(lambda: reloader.current.bundle.routing.default == "large")
        polling.cancel()
        return reloader

    reloader = asyncio.run(main())
    assert reloader.current.digest == digest(read_bundle(policy_folder))


BAD = {
    "syntax": b"kind: routing\ndefault: [cheap\n...\n",
    "schema": b"kind: routing\ndefautl: cheap\n...\n",
    "unknown model": b"kind: routing\ndefault: gpt-9\n...\n",
    "alias bomb": b"kind: routing\na: &a [x,x]\nb: &b [*a,*a]\ndefault: *b\n...\n",
    "not text": b"\xff\xfe\x00kind",
    "empty": b"",
    "much too long": b"# " + b"x" * (11 * 2**20),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_bad_files_leave_the_last_good_policy_and_the_next_good_one_loads(policy_folder: Path, data: bytes) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        path = policy_folder / "routing.yaml"
        path.write_bytes(data)
        report = await reloader.reload()
        assert report.failed
        assert report.message
        assert reloader.current.generation == 1
        path.write_bytes(b"kind: routing\ndefault: strong\n...\n")
        await until(lambda: reloader.current.generation == 2)

    reloader, _ = with_reloader(policy_folder, scenario)
    assert reloader.error is None


def test_what_is_no_file_leaves_the_last_good_policy(policy_folder: Path) -> None:
    import os

    async def scenario(reloader: Reloader, build: Build) -> None:
        path = policy_folder / "routing.yaml"
        good = path.read_bytes()
        for make in (path.mkdir, partial(os.mkfifo, path), partial(path.symlink_to, path)):
            path.unlink() if not path.is_dir() else path.rmdir()
            make()
            assert (await reloader.reload()).result == "unavailable"
        path.unlink()
        path.write_bytes(good)
        await until(lambda: reloader.error is None)

    reloader, build = with_reloader(policy_folder, scenario)
    assert reloader.current.generation == 1
    assert build.tried == 0


def test_a_bad_revision_is_built_once_until_its_bytes_change(policy_folder: Path) -> None:
    reports: list[ReloadReport] = []

    async def scenario(reloader: Reloader, build: Build) -> None:
        (policy_folder / "routing.yaml").write_bytes(BAD["unknown model"])
        await until(lambda: reloader.error is not None)
        await asyncio.sleep(0.2)
        assert build.tried == 1
        (policy_folder / "routing.yaml").write_bytes(BAD["schema"])
        await until(lambda: build.tried == 2)

    with_reloader(policy_folder, scenario, observe=reports.append)
    assert [report.result for report in reports] == ["rejected", "rejected"]


def test_the_old_bytes_clear_the_error_without_a_new_generation(policy_folder: Path) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        good = (policy_folder / "routing.yaml").read_bytes()
        (policy_folder / "routing.yaml").write_bytes(BAD["schema"])
        await until(lambda: reloader.error is not None)
        (policy_folder / "routing.yaml").write_bytes(good)
        await until(lambda: reloader.error is None)

    reloader, build = with_reloader(policy_folder, scenario)
    assert reloader.current.generation == 1
    assert build.built == []


def test_an_outage_is_tried_again_ever_more_rarely(policy_folder: Path) -> None:
    clock, build = Clock(), Build()
    build.outage = "the embedder does not answer"
    reports: list[ReloadReport] = []

    async def main() -> None:
        reloader = reloader_for(policy_folder, build, clock=clock, observe=reports.append)
        (policy_folder / "routing.yaml").write_bytes(changed(policy_folder))
        tries = []
        for _ in range(40):
            await reloader._attempt(asked=False, dry_run=False)
            tries.append(build.tried)
            clock.now += 1
        assert tries[:4] == [1, 2, 2, 3]
        assert tries[-1] <= 7
        build.outage = None
        clock.now += 60
        await reloader._attempt(asked=False, dry_run=False)
        assert reloader.current.generation == 2

    asyncio.run(main())
    assert [report.result for report in reports] == ["unavailable", "reloaded"]


def test_a_dry_run_changes_nothing_and_says_what_would_be(policy_folder: Path) -> None:
    build = Build()

    async def main() -> None:
        reloader = reloader_for(policy_folder, build)
        (policy_folder / "routing.yaml").write_bytes(changed(policy_folder))
        report = await reloader.reload(dry_run=True)
        assert (report.result, report.generation) == ("valid", 1)
        assert build.adopted == []
        (policy_folder / "routing.yaml").write_bytes(BAD["schema"])
        assert (await reloader.reload(dry_run=True)).result == "rejected"
        assert reloader.current.generation == 1
        assert reloader.error is None
        assert build.adopted == []
        (policy_folder / "routing.yaml").write_bytes(b"kind: routing\ndefault: strong\n...\n")
        assert (await reloader.reload()).result == "reloaded"
        assert build.adopted == [2]

    asyncio.run(main())


def test_a_defect_while_building_does_not_end_the_watch(policy_folder: Path) -> None:
    class Defective(Build):
        async def __call__(self, files: Mapping[str, bytes], generation: int) -> Snapshot:
            self.tried += 1
            if self.tried == 1:
                raise LookupError("defect")
            return await super().__call__(files, generation)

    build = Defective()

    async def main() -> None:
        reloader = reloader_for(policy_folder, build)
        polling = asyncio.ensure_future(reloader.run())
        (policy_folder / "routing.yaml").write_bytes(changed(policy_folder))
        await until(lambda: reloader.current.generation == 2)
        polling.cancel()

    asyncio.run(main())
    assert build.tried == 3


def test_expired_prices_rebuild_the_same_policy(policy_folder: Path) -> None:
    clock, build = Clock(), Build()

    async def main() -> None:
        files = read_bundle(policy_folder)
        reloader = Reloader(
            snapshot_of(files, 1, until=2000.0), lambda: read_bundle(policy_folder), build, settle=0, clock=clock
        )
        assert (await reloader.reload()).result == "unchanged"
        clock.now = 2000.0
        assert (await reloader.reload()).result == "reloaded"
        assert reloader.current.generation == 2

    asyncio.run(main())


def test_a_vanished_file_counts_only_after_a_while(policy_folder: Path) -> None:
    async def scenario(reloader: Reloader, build: Build) -> None:
        path = policy_folder / "prompts.yaml"
        data = path.read_bytes()
        path.unlink()
        await asyncio.sleep(SETTLE * 4)
        path.write_bytes(data)
        await asyncio.sleep(SETTLE * 15)
        assert reloader.current.generation == 1
        path.unlink()
        await until(lambda: reloader.current.bundle.prompts is None)

    with_reloader(policy_folder, scenario)


def test_requests_keep_the_snapshot_they_took(policy_folder: Path) -> None:
    released = []

    async def main() -> None:
        reloader = reloader_for(policy_folder, Build())
        old = reloader.current
        old.release = lambda: released.append(old.generation)
        old.enter()
        (policy_folder / "routing.yaml").write_bytes(changed(policy_folder))
        await reloader.reload()
        assert reloader.current is not old
        assert released == []
        old.leave()
        assert released == [1]

    asyncio.run(main())
