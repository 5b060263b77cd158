"""Migrations, on a real database."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from tests.database import Database
from wafast.database import migrations


def folder_with(path: Path, **texts: str) -> Path:
    """The project's migrations and more."""
    folder = path / "migrations"
    shutil.copytree(migrations.folder(), folder)
    number = len(list(folder.glob("*.sql")))
    for offset, (name, text) in enumerate(texts.items(), 1):
        (folder / f"{number + offset:04}_{name}.sql").write_text(text, "utf-8")
    return folder


async def fetch(uri: str, query: str) -> object:
    connection = await asyncpg.connect(uri)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_of_several_starters_one_migrates_and_the_others_find_it_done(database: Database) -> None:
    uri = database.create(migrated=False)
    done = await asyncio.gather(*(migrations.migrate(uri) for _ in range(5)))
    names = [f"{migration.number:04}_{migration.name}" for migration in migrations.read()]
    assert sorted(done) == [[], [], [], [], names]
    assert await fetch(uri, "SELECT count(*) FROM migrations") == len(names)


async def test_a_file_changed_after_it_was_applied_is_refused(database: Database, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, extra="CREATE TABLE extra (id int)")
    assert await migrations.migrate(database.uri, folder) == [sorted(folder.glob("*_extra.sql"))[0].stem]
    next(folder.glob("*_extra.sql")).write_text("CREATE TABLE extra (id int8)", "utf-8")
    with pytest.raises(migrations.MigrationError, match="changed after it was applied"):
        await migrations.migrate(database.uri, folder)


async def test_a_database_of_a_newer_version_is_refused(database: Database, tmp_path: Path) -> None:
    await migrations.migrate(database.uri, folder_with(tmp_path, extra="CREATE TABLE extra (id int)"))
    with pytest.raises(migrations.MigrationError, match="newer version"):
        await migrations.migrate(database.uri)


async def test_a_migration_that_fails_leaves_nothing_and_can_be_tried_again(database: Database, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, extra="CREATE TABLE extra (id int); SELECT 1 / 0;")
    for _ in range(2):
        with pytest.raises(migrations.MigrationError, match="division by zero"):
            await migrations.migrate(database.uri, folder)
    assert await fetch(database.uri, "SELECT to_regclass('extra')") is None


def test_a_missing_number_is_named(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, extra="SELECT 1")
    file = next(folder.glob("*_extra.sql"))
    file.rename(folder / "0099_extra.sql")
    with pytest.raises(migrations.MigrationError, match="0099_extra"):
        migrations.read(folder)


async def test_what_goes_with_a_device_is_found_by_an_index(database: Database) -> None:
    read_whole = await fetch(
        database.uri,
        "SELECT array_agg(conrelid::regclass::text) FROM pg_constraint c"
        " WHERE contype = 'f' AND confrelid = 'devices'::regclass AND NOT EXISTS ("
        "SELECT FROM pg_index i WHERE indrelid = conrelid AND indpred IS NULL AND indkey[0] = conkey[1])",
    )
    assert read_whole is None


#: The beginning of each file's SHA-256. A database that has a migration refuses a file that was changed since: a new
#: file gets a line here, and no line is ever changed.
RELEASED = {
    "0001_foundation.sql": "a5b3c8f22d7ff8fd",
    "0002_chats_without_an_order_index.sql": "19397fa7c3e98139",
    "0003_polls_and_merging.sql": "02a6c62a28b71dee",
    "0004_said_by_number.sql": "f889ca3ee703a6bb",
    "0005_media_fetches.sql": "ebf47c65bfee7df3",
    "0006_unreadable_messages_and_worker_figures.sql": "e8a425e94d15e155",
    "0007_merging_by_id.sql": "73d2946534388773",
    "0008_crashes_and_changes.sql": "35304ff9ae9bed76",
    "0009_what_goes_with_a_device.sql": "3acc3941e62fa849",
    "0010_exact_counts.sql": "4297f09e7830fd0b",
    "0011_vacuum_at_the_speed_of_ingest.sql": "724f8195d5dd493f",
    "0012_receipts_by_person.sql": "8bbc42b5ba6a60ef",
    "0013_search.sql": "316544189254f244",
    "0014_shared_work.sql": "f30be7fe8d6362f4",
    "0015_message_actions.sql": "a7037744429d52ec",
    "0016_pacing.sql": "c9bcb8776c6cf2db",
    "0017_leads.sql": "46ee59a906c24907",
    "0018_campaigns.sql": "226204939042ad58",
    "0019_sequences.sql": "e612567ba1f2320a",
    "0020_distribution.sql": "f12c5da0d5530f4c",
    "0021_order_behind_ingest.sql": "59df62527012d549",
    "0022_entry_of_many.sql": "d58800b438f8401c",
    "0023_what_has_changed.sql": "392d763f8c845de3",
    "0024_what_the_web_app_asks.sql": "e9599bc80eda1e6a",
    "0025_who_wants_nothing_more.sql": "56d81ee3540b7ec5",
    "0026_room_for_versions.sql": "a5128359149a4323",
    "0027_lists_of_one_person_and_films.sql": "2c870da708411f95",
    "0028_how_many_are_in_a_sequence.sql": "de1bf47ba2c905aa",
    "0029_reads_and_lids.sql": "f2a610b44b76aa5c",
    "0030_what_never_leaves.sql": "a4e663e2fbf88a56",
    "0031_what_only_the_holder_writes.sql": "794df7c8b9e857b8",
    "0032_scores_of_leads.sql": "76ec9f526070867e",
    "0033_homes_of_lines.sql": "3a1eff248d726e25",
    "0034_what_goes_over_with_a_chat.sql": "f2437f4dd224d3f7",
    "0035_unread_while_the_order_is_behind.sql": "2601b75b354b1b4a",
    "0036_closed_chats.sql": "b3f482254683ea1e",
    "0037_shares_of_chats.sql": "96ceab8ec21b6c1a",
    "0038_uploads_that_outlive_a_worker.sql": "28e46768dbd854b3",
    "0039_who_is_in_a_chat.sql": "2bb2097137842fe8",
    "0040_what_an_answer_answers.sql": "512a21095af162bd",
    "0041_read_by_all.sql": "5b777d6639ef6019",
    "0042_pins_that_end.sql": "261693ec1a6884db",
    "0043_what_has_ended_stays.sql": "832b0b2117282430",
    "0044_what_was_not_taken.sql": "c1d039a17bb1d9e7",
    "0045_steps_that_expire.sql": "53f69bbe666f1c48",
    "0046_devices_that_are_gone.sql": "be61b4fe2dc583cd",
    "0047_words_in_every_locale.sql": "1bb1640853baef03",
    "0048_zones_by_their_names.sql": "99c9421ab1720d01",
    "0049_what_the_audit_log_is_asked.sql": "33730e1e26c62e95",
    "0050_unread_of_what_lists_show.sql": "cf2066a1ea1ae25b",
    "0051_whatsapp_itself.sql": "9bb553788299a96c",
    "0052_what_is_taken_from_people.sql": "148693b1e983c184",
    "0053_numbers_named_otherwise.sql": "0cdd2a8f5bf214a9",
    "0054_when_steps_end.sql": "3874d00df9c2eec7",
    "0055_one_identity_a_pairing.sql": "d9ee4c07c5e4f071",
    "0056_what_was_taken_back.sql": "e66ad991a7228310",
    "0057_the_ends_of_long_texts.sql": "0975ff051d6e6b42",
    "0058_notices_by_number.sql": "a2b72ad557118206",
    "0059_why_whatsapp_holds_back.sql": "16b51540f58acd74",
    "0060_numbers_of_one_person.sql": "40aab47c3dc8d9bb",
    "0061_once_a_person.sql": "ff12982f3c6b65ac",
    "0062_leads_by_another_number.sql": "c77d21eacd5f0bbe",
    "0063_where_lids_stand.sql": "b1579ce30df3f1f9",
    "0064_keys_of_a_person.sql": "dd61f64f73e4be9d",
    "0065_a_step_under_way.sql": "d097bd893b4edf14",
    "0066_changes_of_very_many.sql": "e906cff07fb47a75",
    "0067_entered_again.sql": "6e579c574c782b16",
    "0068_all_numbers_of_a_person.sql": "6d5e1fb43695e797",
    "0069_receipts_of_few_groups.sql": "aa84c180a309b973",
    "0070_chats_named_otherwise.sql": "b5513b8d4ca87ef5",
    "0071_when_sequences_started.sql": "3e017ea3753e490f",
    "0072_files_that_are_due.sql": "cf03da6b83efd2f1",
    "0073_told_that_it_counts.sql": "09a237fd75aa29c0",
    "0074_leads_that_enter_by_portions.sql": "bdf427bddcd672dc",
    "0075_found_where_they_went.sql": "479c8035f4425fb2",
    "0076_nobody_stands_still.sql": "c8f7651d44b019a9",
    "0077_room_beside_chats.sql": "800b1859051681d7",
    "0078_given_by_files.sql": "9d8f5a91b3439f74",
    "0079_kinds_of_reasons.sql": "449d723422c857ea",
    "0080_kinds_of_reasons_before.sql": "3f62fc14d965b89d",
    "0081_room_for_fields.sql": "445197cb6b3d5d45",
    "0082_digits_of_names.sql": "5d1064724d35f3a4",
    "0083_causes_of_imports.sql": "444eba01f5411c32",
    "0084_one_way_through.sql": "63c252a27c09e904",
}


def test_a_migration_is_never_changed() -> None:
    found = {f"{one.number:04}_{one.name}.sql": one.checksum.hex()[:16] for one in migrations.read()}
    assert found == RELEASED
