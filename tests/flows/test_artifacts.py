"""What Prefect's page shows of a run: all counts, and texts from outside as they are."""

from flows.artifacts import ledger_markdown, plain, table
from pipeline.ledger import Ledger, SetCount, StageCount


def test_account_shows_every_fate_and_whether_the_sums_agree() -> None:
    sets = {
        "t2i": SetCount(exported=5, rejected={"no_label": 2}, quarantined={"probe": {"corrupt": 1}}, pending=0),
        "t2v": SetCount(exported=1200, rejected={}, quarantined={}, pending=0),
    }
    stages = {"probe": StageCount(ok=7, failed={"corrupt": 1}, pending=0, seconds=1.26)}
    ledger = Ledger(8, {}, {}, {}, 0, False, ["t2i: 1 row too many"], sets, stages)
    shown = ledger_markdown("data/root", ledger)
    assert "| exported |  | 5 | 1,200 |" in shown
    assert "| rejected | no\\_label | 2 | 0 |" in shown
    assert "| quarantined | probe\\: corrupt | 1 | 0 |" in shown
    assert "| probe | 7 | 1 | 0 | 1.3 |" in shown
    assert "**The sums disagree.** t2i\\: 1 row too many" in shown


def test_text_from_outside_is_neither_markdown_nor_html_nor_a_new_line() -> None:
    hostile = "<script>alert(1)</script> [a](http://x) | ![b](c)\n# **d** \x1b[31m`e`"
    shown = plain(hostile)
    assert "<" not in shown
    assert ">" not in shown
    assert "\n" not in shown
    assert "\x1b" not in shown
    for mark in "[]()|!#*`":
        assert shown.count(mark) == shown.count("\\" + mark), f"{mark} is escaped everywhere"


def test_long_text_is_cut_and_a_cell_cannot_leave_its_row() -> None:
    assert len(plain("x" * 1_000_000)) == 200
    assert table(("a",), [["1 | 2\n| 3"]]).count("\n") == 2
