"""Which programs, which account, which folders: found or copied, and never changed under somebody's feet."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from passerelle.store.installation import (
    OLDEST,
    DatabaseServerError,
    choose_account,
    find_programs,
    home_for,
    make_private,
    programs_for,
    reaches,
    socket_folder,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")


def test_programs_are_found_and_new_enough() -> None:
    programs = find_programs()
    assert programs.major >= OLDEST
    assert programs["postgres"].exists()
    assert programs["initdb"].exists()


def test_home_is_the_data_folder_where_it_can_be(folder: Path) -> None:
    assert home_for(folder, choose_account()) == folder


@as_root
def test_a_folder_made_again_after_deletion_gets_another_place(tmp_path: Path) -> None:
    account, data = choose_account(), tmp_path / "data"
    assert not reaches(account, tmp_path)
    places = []
    for _ in range(2):
        data.mkdir()
        places.append(home_for(data, account))
        assert home_for(data, account) == places[-1]
        shutil.rmtree(data)
    assert places[0] != places[1]
    for place in places:
        place.rmdir()


@as_root
def test_programs_out_of_reach_are_copied_once(tmp_path: Path, folder: Path) -> None:
    programs, account = find_programs(), choose_account()
    package = programs.root.parent
    hidden = tmp_path / package.name / "hidden"
    hidden.mkdir(parents=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        (tmp_path / libraries.name).symlink_to(libraries)
    for part in ("bin", "lib", "share"):
        (hidden / part).symlink_to(programs.root / part)
    found = type(programs)(hidden, programs.version)
    copied = programs_for(account, found, folder)
    place = folder / f"postgresql-{programs.version}"
    assert copied.root == place / package.name / "hidden"
    assert reaches(account, copied.root / "bin")
    assert os.access(copied["postgres"], os.X_OK)
    assert programs_for(account, found, folder) == copied
    assert list(folder.iterdir()) == [place]
    subprocess.run([copied["initdb"], "--version"], check=True, env={})  # with the libraries that it brings along


def test_programs_within_reach_stay_where_they_are(folder: Path) -> None:
    programs = find_programs()
    assert programs_for(None, programs, folder) == programs


def test_the_folder_of_the_socket_is_private_and_short(folder: Path) -> None:
    assert socket_folder(folder, None) == folder / "socket"
    deep = folder / ("deep" * 40)
    deep.mkdir()
    short = socket_folder(deep, None)
    assert short == socket_folder(deep, None)
    assert len(str(short)) < 80
    short.rmdir()


def test_a_folder_that_others_can_enter_is_not_taken_for_private(folder: Path) -> None:
    (folder / "open").mkdir(mode=0o755)
    (folder / "link").symlink_to(folder)
    for name in ("open", "link"):
        with pytest.raises(DatabaseServerError, match="not a private folder"):
            make_private(folder / name, None)
