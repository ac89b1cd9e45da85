"""The review as Markdown: whole, byte by byte; and that foreign text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podnet import config
from podnet.kinds import Kind
from podnet.markdown import block, code
from podnet.planning import ClusterPlan, plan
from podnet.review import markdown as module
from podnet.review.markdown import LONGEST, Review, markdown
from podnet.review.picture import picture
from podnet.review.steps import Action, InputChange, Step
from tests.conftest import Golden, dev_config

DEV = Path(__file__).parents[3] / "Pulumi.dev.yaml"
NODE3 = "    - {name: node3, role: worker, address: 10.100.198.203, podSubnet: 10.22.4.0/24, memory: 2048, cpus: 2}\n"
STEPS = (
    Step(Action.CREATE, "node3-vm", "command:local:Command", Kind.VAGRANT_MACHINE, "node3"),
    Step(
        Action.UPDATE,
        "node1-cni-conf",
        "command:remote:Command",
        Kind.NET_CONF,
        "node1",
        (InputChange("stdin", '{\n  "mtu": 1500,\n  "x": 1\n}\n', '{\n  "mtu": 1400,\n  "x": 1\n}\n'),),
    ),
    Step(
        Action.UPDATE,
        "deployment",
        "kubernetes:apps/v1:Deployment",
        None,
        "",
        (InputChange("spec.replicas", "2", "3"),),
    ),
    Step(Action.REPLACE, "verify", "command:local:Command", None, "", (), ("node1-cni-conf", "deployment")),
    Step(Action.DELETE, "old", "command:remote:Command"),
)


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture has tests of its own."""
    monkeypatch.setattr(module, "picture", lambda plan: f"flowchart LR\n  a[{len(plan.nodes)} nodes]\n")


@pytest.fixture
def before() -> ClusterPlan:
    return plan(config.from_stack_file(DEV))


@pytest.fixture
def after(tmp_path: Path) -> ClusterPlan:
    (tmp_path / "Pulumi.dev.yaml").write_text(dev_config() + NODE3 + "  podnet:cni: {mtu: 1400}\n")
    return plan(config.from_stack_file(tmp_path / "Pulumi.dev.yaml"))


def test_a_change(before: ClusterPlan, after: ClusterPlan, golden: Golden) -> None:
    golden("review/change.md", markdown(Review("origin/main (0123456789)", before, after, STEPS)))


def test_no_change(before: ClusterPlan, golden: Golden) -> None:
    golden("review/same.md", markdown(Review("origin/main (0123456789)", before, before, ())))


def test_a_new_stack(after: ClusterPlan, golden: Golden) -> None:
    golden("review/new.md", markdown(Review("origin/main (0123456789)", None, after, STEPS[:1])))


def test_a_base_that_cannot_be_planned(after: ClusterPlan, golden: Golden) -> None:
    why = "the config has 1 problem:\n  - podnet:nodes: ``` is not a list"
    golden("review/unplanned.md", markdown(Review("origin/main (0123456789)", None, after, None, why)))


def test_without_an_engine_no_resources_are_named(before: ClusterPlan, after: ClusterPlan) -> None:
    text = markdown(Review("a file", before, after))
    assert "### Routes" in text
    assert "Resources" not in text
    assert "disrupts" not in text


def test_the_picture_is_drawn_from_the_plan(before: ClusterPlan) -> None:
    assert "\nflowchart " in picture(before)  # behind the title
    for node in before.nodes:
        assert node.node.name in picture(before)
        assert str(node.node.pod_subnet) in picture(before)


def test_a_long_review_is_cut_and_says_so(before: ClusterPlan, after: ClusterPlan) -> None:
    long = "\n".join(str(number) for number in range(9000))
    step = Step(
        Action.UPDATE, "a", "command:remote:Command", changes=(InputChange("stdin", long, long.replace("7", "x")),)
    )
    text = markdown(Review("main", before, after, (step, replace(step, name="b"))))
    assert len(text) <= LONGEST
    assert "does not fit" in text
    many = tuple(Step(Action.CREATE, f"r{n}", "t") for n in range(250))
    text = markdown(Review("main", before, after, many))
    assert "… and 150 more." in text
    assert text.count("\n| +") == 100


def test_everything_foreign_is_text(before: ClusterPlan) -> None:
    hostile = "`a` | **b** <script>alert(1)</script> @everyone [x](http://e) ```\n# head\n| c"
    changes = (InputChange(hostile, hostile, hostile + "\n```\n</details>\n# more"), InputChange("p", "|", hostile))
    steps = (Step(Action.UPDATE, hostile, hostile, None, hostile, changes, (hostile,)),)
    text = markdown(Review(hostile, before, before, steps, hostile))
    rest = without_code(text)
    for word in ("script", "@everyone", "http", "**b**", "# head", "# more"):
        assert word not in rest, rest
    rows = [line for line in rest.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows), rows


def without_code(text: str) -> str:
    """Take out every code block and code span, as CommonMark finds them."""
    kept, fence = [], ""
    for line in text.splitlines():
        if fence:
            if line.strip() == fence:
                fence = ""
            continue
        opening = re.fullmatch(r"(`{3,})[a-z]*", line)
        if opening:
            fence = opening[1]
        else:
            kept.append(line)
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", "\n".join(kept))


@given(st.text())
def test_a_code_span_is_closed_by_its_own_fence_alone(text: str) -> None:
    shown = code(text)
    assert "\n" not in shown
    assert shown == "(empty)" or without_code(shown) == ""
    assert all(each.isprintable() for each in shown)


@given(st.text())
def test_a_code_block_is_closed_by_its_own_fence_alone(text: str) -> None:
    assert without_code(f"{block(text, 'diff')}\nrest") == "rest"


def test_what_cannot_be_seen_is_written_out() -> None:
    assert code("a\x1b[31m\u202eb\u200b") == "`a\\u001b[31m\\u202eb\\u200b`"
    assert code("`a") == "`` `a ``"
    assert code("a|b") == "`a\\|b`"
