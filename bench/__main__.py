"""All benches one after the other, their results kept, and RESULTS.md rendered from what is kept.

``python -m bench [--quick] [--render]``
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import msgspec

from bench import beside, report

FOLDER = Path(__file__).parent
#: Arguments of each measurement, in the order of the page; about 20 minutes in all.
BENCHES = {
    "decode": ["decode"],
    "spool": ["spool"],
    "ingest": ["ingest"],
    "ingest-full": ["ingest", "--full"],
    "ingest-paced": ["ingest", "--paced", "1000"],
    "latency": ["latency"],
    "histories": ["histories"],
    "kills": ["kills"],
    "campaign-kills": ["campaign_kills"],
    "search": ["search"],
    "inbox": ["inbox"],
    "leads": ["leads"],
    "outbox": ["outbox"],
    "planning": ["planning"],
    "broadcast": ["broadcast"],
    "first-message": ["first_message"],
    "browser": ["browser"],
    "fleet": ["fleet"],
    "drills": ["drills"],
    "pairing": ["pairing"],
    "sustained-inlet": ["sustained"],
    "sustained-sessions": ["sustained", "--sessions"],
}
#: Only when they are named: ten minutes more for each, and half an hour for search, inbox and outbox.
APART = {"fleet", "drills", "search", "inbox", "outbox", "planning", "pairing", "sustained-inlet", "sustained-sessions"}
HEAD = """\
# What was measured

Made by `python -m bench --render` from the files in `bench/results`, which `python -m bench` writes; never edited by
hand. Of several runs the median is shown, with the least and the most in brackets.
"""


def main() -> None:
    """Reads the arguments, runs, renders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("only", nargs="*", metavar="BENCH", help=f"of {', '.join(BENCHES)}; else the quick ones")
    parser.add_argument("--quick", action="store_true", help="seconds each; shows that it works, not how fast")
    parser.add_argument("--render", action="store_true", help="only make RESULTS.md anew")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results/ and RESULTS.md are")
    options = parser.parse_args()
    if unknown := set(options.only) - BENCHES.keys():
        parser.error(f"there is no bench {sorted(unknown)[0]!r}; there are {', '.join(BENCHES)}")
    if options.quick and options.folder == FOLDER:
        parser.error("--quick measures nothing worth keeping here: give it another --folder")
    results = options.folder / "results"
    for name in [] if options.render else options.only or [name for name in BENCHES if name not in APART]:
        script, *arguments = BENCHES[name]
        quick = ["--quick"] if options.quick else []
        print(f"==> {name}", flush=True)
        command = [sys.executable, "-m", f"bench.{script}", *arguments, *quick, "--save", str(results)]
        subprocess.run(command, cwd=FOLDER.parent, check=True)
    (options.folder / "RESULTS.md").write_text(page(results), "utf-8")


def page(results: Path) -> str:
    """RESULTS.md: every kept result, those named above first and in their order, then what is quoted, and one beside
    the other."""
    kept = {path.stem: report.read(path) for path in sorted(results.glob("*.json"))}
    ordered = [name for name in BENCHES if name in kept] + [name for name in kept if name not in BENCHES]
    measured = [report.render(kept[name]) for name in ordered]
    quoted = msgspec.json.decode((FOLDER / "quoted.json").read_bytes(), type=report.Table)
    return "\n".join([HEAD, *measured, report.markdown(beside.table(kept, quoted)), report.markdown(quoted)])


if __name__ == "__main__":
    main()
