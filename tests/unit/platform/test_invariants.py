"""SPEC section 10: each invariant is held by tests that are named here, those of the whole source among them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from wafast.database import migrations, pool, turn
from wafast.doctor import database as doctor
from wafast.leads import importer

TESTS = Path(__file__).parents[2]
SOURCE = TESTS.parent / "python" / "wafast"

#: Of a worker's core, in rust/core: two that write, two that load what it asks for.
CORE_CONNECTIONS = 4
#: What migrations have ended; nobody adds a line whose data is nowhere else.
DROPPED = {
    *((16, f"DROP COLUMN {one}_{part}") for one in ("hour", "day") for part in ("start", "count")),
    (21, "DROP COLUMN activity"),
    (23, "TRUNCATE source_counts"),
}

HELD_BY = {
    1: (
        "integration/campaigns/test_planner.py::test_as_many_rows_as_the_preview_counted_and_each_person_once",
        "integration/sequences/test_walk.py::test_a_step_is_one_row_of_a_persons_way",
        "integration/sequences/test_walk.py::test_nobody_is_twice_in_one_sequence_at_a_time",
        "faults/test_campaign_killed.py::test_a_campaign_whose_processes_are_killed_reaches_everybody_once",
    ),
    2: (
        "unit/platform/test_invariants.py::test_one_statement_claims",
        "integration/devices/test_claims.py::test_many_claimers_never_get_one_row_twice",
        "integration/devices/test_claims.py::test_nothing_is_claimed_without_the_lease",
        "integration/devices/test_claims.py::test_sending_without_a_claim_is_impossible",
        "integration/devices/test_claims.py::test_two_workers_never_hold_one_device",
        "integration/campaigns/test_planner.py::test_two_planners_plan_it_once",
        "integration/platform/test_turn.py::test_of_two_one_works_and_the_other_does_nothing_until_its_turn",
        "integration/platform/test_turn.py::test_whoever_works_for_long_keeps_the_turn",
    ),
    3: (
        "integration/devices/test_outbox.py::test_a_send_for_a_device_that_is_offline_waits_for_it",
        "integration/campaigns/test_planner.py::test_a_planner_killed_in_the_middle_leaves_nothing_and_the_next_begins_again",
        "integration/campaigns/test_planner.py::test_a_planner_process_killed_at_random_instants_plans_each_person_once",
        "integration/sequences/test_walk.py::test_a_walk_that_is_cut_off_after_any_statement_leaves_nobody_behind",
        "faults/test_walk_killed.py::test_killed_jobs_lose_and_double_nothing",
    ),
    4: (
        "integration/devices/test_claims.py::test_a_row_that_is_late_expires_and_one_that_is_early_waits",
        "integration/sequences/test_claimed.py::test_a_step_that_is_too_late_expires_and_the_next_one_follows",
    ),
    5: (
        "unit/outbox/test_hours.py::test_a_local_time_is_one_instant",
        "integration/campaigns/test_planner.py::test_a_schedule_is_the_clock_of_its_place_over_changes_of_the_clock",
        "integration/platform/test_schema.py::test_every_instant_has_a_zone",
    ),
    6: (
        "integration/campaigns/test_states.py::test_a_paused_campaign_gives_nothing_to_the_next_claim_and_goes_on_where_it_was",
        "integration/campaigns/test_planner.py::test_a_started_campaign_is_planned_and_can_be_claimed_within_moments",
        "integration/campaigns/test_states.py::test_buckets_sum_to_the_total_in_every_look_while_rows_move",
        "integration/outbox/test_sources.py::test_only_rows_of_a_running_source_leave",
        "integration/sequences/test_walk.py::test_of_a_deleted_sequence_nothing_more_leaves",
    ),
    7: (
        "integration/api/test_leads.py::test_filters_mean_what_they_say",
        "integration/sequences/test_walk.py::test_tags_are_compared_whole_and_within_the_workspace",
        "unit/leads/test_files.py::test_tags_are_stored_as_they_compare",
    ),
    8: (
        "integration/api/test_policies.py::test_things_of_another_workspace_do_not_exist",
        "integration/api/test_policies.py::test_what_another_workspace_has_is_named_by_no_body",
        "integration/platform/test_schema.py::test_every_table_is_of_a_tenant",
        "integration/platform/test_schema.py::test_a_device_is_a_foreign_key",
    ),
    9: ("integration/core/test_storing.py::test_each_event_is_its_own_devices",),
    10: ("integration/devices/test_claims.py::test_who_a_line_is_changes_with_a_pairing_alone",),
    11: (
        "faults/test_workers.py::test_one_line_of_many_that_ends_is_its_own_affair",
        "faults/test_workers.py::test_a_killed_worker_loses_its_devices_to_others",
        "integration/core/test_storing.py::test_what_is_no_protobuf_is_set_aside_and_holds_nobody_up",
        "unit/api/test_hub.py::test_a_socket_that_falls_behind_is_cut",
    ),
    12: (
        "unit/platform/test_invariants.py::test_migrations_drop_nothing_that_is_nowhere_else",
        "integration/platform/test_migrations.py::test_a_migration_is_never_changed",
        "integration/platform/test_up.py::test_a_signal_stops_everything_and_it_starts_again",
    ),
    13: ("integration/core/test_storing.py::test_the_phones_own_messages_are_ours",),
    14: (
        "integration/api/test_campaigns.py::test_what_the_preview_counts_is_what_is_put_in",
        "integration/campaigns/test_planner.py::test_as_many_rows_as_the_preview_counted_and_each_person_once",
        "integration/campaigns/test_planner.py::test_a_planner_process_killed_at_random_instants_plans_each_person_once",
    ),
    15: ("integration/devices/test_claims.py::test_what_a_worker_asks_does_not_grow_with_its_devices",),
    16: ("unit/platform/test_invariants.py::test_connections_are_within_the_budget",),
    17: (
        "integration/api/test_policies.py::test_every_route_and_its_policy_is_listed",
        "integration/platform/test_log_lines.py::test_no_secret_is_in_the_log",
        "unit/platform/test_invariants.py::test_only_these_speak_to_other_machines",
    ),
    18: (
        "unit/platform/test_invariants.py::test_nothing_is_left_to_be_written",
        "integration/bench/test_scripts.py::test_a_bench_prints_its_rows_and_the_page_has_them",
    ),
}


@pytest.mark.parametrize("number", HELD_BY)
def test_each_invariant_has_its_tests(number: int) -> None:
    for name in HELD_BY[number]:
        file, _, test = name.partition("::")
        assert re.search(rf"^(async )?def {test}", (TESTS / file).read_text("utf-8"), re.MULTILINE), name


def test_every_invariant_is_here() -> None:
    assert list(HELD_BY) == list(range(1, 19))


def test_migrations_drop_nothing_that_is_nowhere_else() -> None:
    """Of invariant 12. Columns that went: counters that lanes have since, and an order that chat_order has; counts that
    were emptied are counted anew in the next statements."""
    ends = re.compile(r"\b(?:DROP (?:TABLE|COLUMN|SCHEMA|VIEW \S+ CASCADE)|TRUNCATE|DELETE FROM)\b[^;,\n]*")
    found = set()
    for one in migrations.read():
        text = re.sub(r"--[^\n]*|\$\$.*?\$\$", "", one.sql, flags=re.DOTALL)
        found |= {(one.number, ended.strip()) for ended in ends.findall(text)}
    assert found == DROPPED


def test_connections_are_within_the_budget() -> None:
    """Of invariant 16, with the two workers that 3,000 devices want: the pools, what listens and beats, the core's, a
    connection for each kind of job, two for each import and four for plans."""
    jobs = sum(type(value) is int for value in vars(turn).values())
    of_the_api = pool.API_CONNECTIONS + pool.JOB_CONNECTIONS + 2 + jobs
    of_a_worker = pool.WORKER_CONNECTIONS + 1 + 1 + CORE_CONNECTIONS
    for_a_while = 2 * (importer.MOST_AT_WORK + 1) + 4
    assert of_the_api + 2 * of_a_worker + for_a_while <= doctor.CONNECTIONS == 50


def test_only_these_speak_to_other_machines() -> None:
    """Of invariant 17: the AI endpoint has its one client; a tunnel is a line's, and others ask what runs here."""
    speak = {"aiohttp", "httpx", "requests", "urllib.request", "http.client", "urllib3", "open_connection"}
    found = {str(file.relative_to(SOURCE)) for file in SOURCE.rglob("*.py") if speak & _names(file)}
    assert found == {"ai_client.py", "demo.py", "devices/tunnel.py", "doctor/parts.py", "supervisor.py"}


def test_one_statement_claims() -> None:
    """Of invariant 2."""
    claims = re.compile(r"\bSET\s+state\s*=\s*'sending'|\b(?:THEN|ELSE)\s+'sending'")
    found = [
        f"{file.relative_to(SOURCE)}: {statement.split()[0]}"
        for file in SOURCE.rglob("*.sql")
        for statement in re.split(r"(?m)^-- name: ", file.read_text("utf-8"))[1:]
        if claims.search(statement)
    ]
    assert found == ["outbox/claim.sql: claim"]


def test_nothing_is_left_to_be_written() -> None:
    """Of invariant 18."""
    left = re.compile(r"NotImplementedError|\bTODO\b|\bFIXME\b|\btodo!\(|\bunimplemented!\(")
    root = SOURCE.parents[1]
    folders = [*(root / "rust").glob("*/src"), SOURCE, root / "web" / "src"]
    files = [
        file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".rs", ".ts", ".svelte")
    ]
    assert len(files) > 500
    assert [str(file) for file in files if "generated" not in file.parts and left.search(file.read_text("utf-8"))] == []


def _names(file: Path) -> set[str]:
    """What a module imports, and the attributes it uses."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found
