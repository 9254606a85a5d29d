"""Break one rule at a time in a copy of the desk, and see that its tests notice: `python tests/mutants/run.py [WORD]`.

Exit status 1 where a mutant survives. Each line of MUTANTS is a rule that somebody could take away by mistake.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

DESK = Path(__file__).parents[2] / "plugins" / "desk"
SECONDS = 600


@frozen
class Mutant:
    """A rule, the module that has it, what stands there and what is put in its place, and the tests that must fail."""

    rule: str
    module: str
    text: str
    instead: str
    tests: str


MUTANTS = (
    Mutant("the grant of a channel", "grants.py", "connection in by.connections if queue is None",
           "True if queue is None", "test_conversations.py"),
    Mutant("only the assignee acts", "grants.py", "seen.assignee == by.id)", "True)", "test_conversations.py"),
    Mutant("nothing is granted to the disabled", "grants.py", "access in by.access and not by.disabled",
           "access in by.access", "test_people.py"),
    Mutant("the expected version", "states.py", "version is not None and version != seen.version", "False",
           "test_conversations.py"),
    Mutant("the expected version of what administrators set", "errors.py", "seen is not None and seen != found",
           "False", "test_catalogue.py"),
    Mutant("the clock in auto-close", "states.py", "or now > _deadline(seen)", "", "test_conversations.py"),
    Mutant("the second look before it closes", "states.py", "if not is_over(seen, now):", "if False:",
           "test_conversations.py"),
    Mutant("the short description", "conversations.py", 'require_described(by, seen, "closed")', "pass",
           "test_conversations.py"),
    Mutant("each agent's own interval of work", "states.py", "and after.assignee == seen.assignee", "",
           "test_conversations.py"),
    Mutant("a wrap-up takes no messages", "sql.py", "c.place = '' AND c.ended_at IS NULL",
           "c.place = '' AND c.closed_at IS NULL", "test_conversations.py"),
    Mutant("the customer's word ends the waiting", "sql.py", "c.state <> 'waiting' AND ", "", "test_conversations.py"),
    Mutant("the dedupe key", "sql.py", "VALUES (?,?,?,?,'in','',?,?,?,?,?) ON CONFLICT DO NOTHING",
           "VALUES (?,?,?||random(),?,'in','',?,?,?,?,?)", "test_intake.py"),
    Mutant("the first-level comment", "rules.py", "if thread.depth > 1 and thread.parent else external_id",
           "if thread.depth > 1 and thread.parent else thread.root", "test_intake.py"),
    Mutant("an invitation is answered in time", "people.py", "invitation = ? AND invited_until >= ?",
           "invitation = ? AND ? > 0", "test_people.py"),
    Mutant("the narrower policy", "policies.py", "key=lambda one: (not one.connection, not one.queue)",
           "key=lambda one: (not one.queue, not one.connection)", "test_policies.py"),
    Mutant("the bar", "intake.py", "        if barred:", "        if False:", "test_customers.py"),
    Mutant("a file is sent by who may read it", "documents.py", "kept = require_readable(db, by, file.ref)",
           "kept = require_readable(db, grants.SYSTEM, file.ref)", "test_files.py"),
    Mutant("an action stays in its conversation", "conversations.py", "found is None or found[1] != seen.id",
           "found is None", "test_conversations.py"),
    Mutant("a past that is somebody else's", "conversations.py", 'if _is_past(db, by, conversation) else ""', "",
           "test_details.py"),
    Mutant("what a visitor types proves nothing", "recognition.py", "(told, False)", "(told, True)",
           "test_customers.py"),
    Mutant("erasure reaches edits", "erasure.py", "changes.forget_edits(db, connection, said)", "pass",
           "test_erasure.py"),
    Mutant("erasure reaches what came meanwhile", "erasure.py",
           "mentioned = mentions(db, profiles, customer, mentioned)", "pass", "test_erasure.py"),
    Mutant("a key of ours is none of the provider's", "calls.py", 'f"{OURS}{outbound.key}"', "outbound.key",
           "test_conversations.py"),
    Mutant("a key that the provider forgets", "rules.py", "now - doubted_at >= REPEATED_WITHIN", "False",
           "test_outbox.py"),
    Mutant("the last six messages", "mood.py", "WINDOW = 6", "WINDOW = 7", "test_enrichment.py"),
    Mutant("the neutral prior", "mood.py", "(len(scored) + PRIOR)", "len(scored)", "test_enrichment.py"),
)  # fmt: skip


def survives(mutant: Mutant) -> bool:
    """Run a mutant's tests against a desk that has it; tell whether they all pass."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "channelry_desk")
        shutil.copytree(DESK / "channelry_desk", package)
        module = package / mutant.module
        source = module.read_text()
        if mutant.text not in source:
            raise SystemExit(f"{mutant.rule}: {mutant.module} has no {mutant.text!r} any more; write the mutant anew")
        module.write_text(source.replace(mutant.text, mutant.instead))
        words = ["-q", "-x", "-p", "no:cacheprovider", "-k", "not postgresql", mutant.tests]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=DESK / "tests",
            env={**os.environ, "PYTHONPATH": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        if done.returncode > 1:
            raise SystemExit(f"{mutant.rule}: pytest ended with {done.returncode}, which is no test that failed")
        return done.returncode == 0


def main(words: list[str]) -> int:
    alive = 0
    if not survives(Mutant("nothing", "states.py", "", "", "test_conversations.py")):
        raise SystemExit("the tests fail without any mutant")
    for mutant in MUTANTS:
        if all(word in mutant.rule for word in words):
            survived = survives(mutant)
            alive += survived
            print(f"{'SURVIVES' if survived else 'caught':9}{mutant.rule}", flush=True)
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
