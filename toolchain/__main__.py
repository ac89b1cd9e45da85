"""The command line: make the toolchain, list it, check it, pin a release, tidy up."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from podnet.errors import PodnetError
from podnet.exit_codes import DONE, ERROR, INTERRUPTED, NOT_SO
from podnet.steps import duration
from toolchain import catalog as catalogs
from toolchain.catalog import Catalog
from toolchain.download import Limits
from toolchain.ensure import ensure
from toolchain.pin import pin
from toolchain.settings import SOURCES, Settings, from_environ
from toolchain.store import Store, damaged_files, manifest


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code (exit_codes)."""
    arguments = _parser().parse_args(argv)
    try:
        settings = from_environ(os.environ, arguments.source)
        catalog = catalogs.default(settings)
        return int(arguments.run(arguments, settings, catalog))
    except (PodnetError, OSError) as error:
        print(f"podnet: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("podnet: interrupted; the next run goes on from here", file=sys.stderr)
        return INTERRUPTED


def _make(arguments: argparse.Namespace, settings: Settings, catalog: Catalog) -> int:
    names = arguments.only or [*catalog.usual(), *arguments.extra]
    wanted = catalog.select([*names, *arguments.extra])
    store = Store(settings.toolchain)
    missing = [artifact for artifact in wanted if catalog.find(artifact, store, settings) is None]
    start = time.monotonic()
    toolchain = ensure([artifact.name for artifact in wanted], settings=settings, catalog=catalog)
    made = f"made {len(missing)} in {duration(time.monotonic() - start)}" if missing else "nothing to make"
    print(f"toolchain: all {len(wanted)} ready, {made}: {toolchain.path}")
    return DONE


def _list(_: argparse.Namespace, settings: Settings, catalog: Catalog) -> int:
    store = Store(settings.toolchain)
    for artifact in catalog.artifacts.values():
        place = catalog.find(artifact, store, settings)
        about = (manifest(place) if place else None) or {}
        state = f"{about.get('source'):8} {place}" if place else "missing"
        pinned = "pinned" if catalog.pinned(artifact) else "no pin"
        print(f"{artifact.title:28} {pinned:7} {state}")
    return DONE


def _verify(_: argparse.Namespace, settings: Settings, catalog: Catalog) -> int:
    store = Store(settings.toolchain)
    places = [place for a in catalog.artifacts.values() if (place := catalog.find(a, store, settings))]
    bad = {place: names for place in places if (names := damaged_files(place))}
    for place, names in bad.items():
        print(f"{place}: changed since it was made: {', '.join(names)}; delete the folder to have it made again")
    print(f"toolchain: {len(places) - len(bad)} of {len(places)} artifacts are as they were made")
    return NOT_SO if bad else DONE


def _pin(arguments: argparse.Namespace, _: Settings, catalog: Catalog) -> int:
    lines = pin(arguments.name, catalog, Limits())
    print("\n".join(lines) or f"{arguments.name}: pinned already, and what is published fits")
    return DONE


def _clean(_: argparse.Namespace, settings: Settings, catalog: Catalog) -> int:
    store = Store(settings.toolchain)
    with store.lock():
        store.sweep()
        keep = {catalog.find(artifact, store, settings) for artifact in catalog.artifacts.values()}
        old = [path for path in store.root.iterdir() if path.is_dir() and not _is_used(path, keep)]
        for path in [*old, settings.go_cache]:
            _remove(path)
    return DONE


def _is_used(path: Path, keep: set[Path | None]) -> bool:
    if path.name.startswith("bin-"):
        return all(link.resolve().parents[1] in keep for link in path.iterdir())
    return path in keep or path.name == "logs"


def _remove(path: Path) -> None:
    if path.exists():
        print(f"removing {path}")
        shutil.rmtree(path, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    parser.add_argument("--source", choices=SOURCES, help="where binaries may come from (PODNET_SOURCE, else auto)")
    parser.add_argument("--with", dest="extra", action="append", default=[], metavar="NAME", help="make this one too")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="make this and no other")
    parser.set_defaults(run=_make)
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, run, text in (
        ("list", _list, "what there is, and where it came from"),
        ("verify", _verify, "compare every file with its checksum"),
        ("clean", _clean, "remove old versions, Go's caches and what interrupted runs left"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    pinning = commands.add_parser("pin", help="download a release and record its checksum in releases.toml")
    pinning.add_argument("name", metavar="NAME")
    pinning.set_defaults(run=_pin)
    return parser


if __name__ == "__main__":
    sys.exit(main())
