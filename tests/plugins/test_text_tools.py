"""The first-party plugin text-tools, run as the host runs it."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "plugins" / "text-tools"
SDK = ROOT / "runtimes" / "node"
# Two shared cores and a cold interpreter; a hang is the only thing this bounds.
PATIENCE_S = 60
HOST = {"experimental": {"plughost": {"version": "1.0.0", "features": []}}}


class TextTools:
    """The running plugin."""

    def __init__(self, stage: Path) -> None:
        scope = stage / "node_modules" / "@plughost"
        scope.mkdir(parents=True)
        (scope / "sdk").symlink_to(SDK)
        (stage / "runner.mjs").symlink_to(SDK / "runner.mjs")
        (stage / "plugin").symlink_to(PLUGIN)
        their_read, self._to = os.pipe()
        self._from, their_write = os.pipe()
        flags = ["--preserve-symlinks", "--preserve-symlinks-main"]
        self.process = subprocess.Popen(
            ["node", *flags, str(stage / "runner.mjs"), str(PLUGIN), "main.mjs"],
            cwd=PLUGIN,
            env={"PATH": os.environ["PATH"], "PLUGHOST_WIRE": f"{their_read},{their_write}"},
            stdin=subprocess.DEVNULL,
            pass_fds=(their_read, their_write),
        )
        os.close(their_read)
        os.close(their_write)
        self._buffer = b""
        self._numbers = count(1)
        self.receive(self.send("initialize", protocolVersion="2025-11-25", capabilities=HOST))
        self.receive(self.send("plughost/activate", settings={}, limits={}))
        listed = self.receive(self.send("tools/list"))["result"]["tools"]
        self.tools = {tool["name"]: tool for tool in listed}

    def send(self, method: str, **params: Any) -> int:
        number = next(self._numbers)
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._to, data) :]
        return number

    def receive(self, number: int) -> dict[str, Any]:
        while True:
            while b"\n" not in self._buffer:
                assert select.select([self._from], [], [], PATIENCE_S)[0], "it said nothing"
                chunk = os.read(self._from, 1 << 16)
                assert chunk, "it hung up"
                self._buffer += chunk
            line, _, self._buffer = self._buffer.partition(b"\n")
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == number:
                return answer

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return what the tool returned, which its own output schema must describe."""
        answer = self.receive(self.send("tools/call", name=tool, arguments=arguments))
        result = answer["result"]
        assert not result.get("isError"), result
        schema = self.tools[tool]["outputSchema"]
        Draft202012Validator(schema).validate(result["structuredContent"])
        wrapped = result.get("_meta", {}).get("plughost/wrapped")
        return result["structuredContent"]["result"] if wrapped else result["structuredContent"]

    def complaint(self, tool: str, **arguments: Any) -> str:
        answer = self.receive(self.send("tools/call", name=tool, arguments=arguments))
        if "error" in answer:
            assert answer["error"]["data"]["type"] == "invalid-arguments"
            return str(answer["error"]["message"])
        assert answer["result"]["isError"] is True
        return str(answer["result"]["content"][0]["text"])

    def links(self, markdown: str) -> list[tuple[str, str, str]]:
        found = self.call("extract_links", markdown=markdown)
        return [(link["kind"], link["text"], link["url"]) for link in found]

    def close(self) -> None:
        os.close(self._to)
        try:
            assert self.process.wait(timeout=PATIENCE_S) == 0
        finally:
            self.process.kill()
            os.close(self._from)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextTools]:
    if shutil.which("node") is None:
        pytest.skip("node is not on PATH; install nodejs >= 20")
    running = TextTools(tmp_path_factory.mktemp("stage"))
    yield running
    running.close()


def test_every_tool_describes_itself_and_each_of_its_arguments(tools: TextTools) -> None:
    assert set(tools.tools) == {"slugify", "word_count", "reading_time", "extract_links", "diff"}
    for tool in tools.tools.values():
        Draft202012Validator.check_schema(tool["inputSchema"])
        Draft202012Validator.check_schema(tool["outputSchema"])
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["annotations"]["idempotentHint"] is True
        for argument in tool["inputSchema"]["properties"].values():
            assert argument["description"].endswith(".")


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({"text": "Hello, World!"}, "hello-world"),
        ({"text": "  Crème brûlée & Straße — don't  "}, "creme-brulee-strasse-dont"),
        ({"text": "Ångström Œuvre Þór"}, "angstrom-oeuvre-thor"),
        ({"text": "Привет, мир", "separator": "_"}, "privet_mir"),
        ({"text": "Αθήνα"}, "athina"),
        ({"text": "ﬁne ①②"}, "fine-12"),
        ({"text": "日本語 テキスト", "unicode": True}, "日本語-テキスト"),
        ({"text": "İstanbul", "unicode": True}, "i̇stanbul"),
        ({"text": "a very long title", "max_length": 11}, "a-very-long"),
        ({"text": "a very long title", "max_length": 10}, "a-very"),
        ({"text": "unbreakable", "max_length": 5}, "unbre"),
        ({"text": "one two", "separator": ""}, "onetwo"),
        ({"text": "नमस्ते", "unicode": True, "max_length": 2}, "नम"),
    ],
)
def test_slugify(tools: TextTools, arguments: dict[str, Any], slug: str) -> None:
    assert tools.call("slugify", **arguments) == slug


def test_slugify_says_what_to_do_when_nothing_is_left(tools: TextTools) -> None:
    assert "unicode: true" in tools.complaint("slugify", text="日本語")
    assert "no letters or digits" in tools.complaint("slugify", text="?!")
    assert "does not match" in tools.complaint("slugify", text="a", separator="/")
    assert "minimum of 1" in tools.complaint("slugify", text="a", max_length=0)
    assert "is unknown" in tools.complaint("slugify", text="a", seperator="-")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0, 0, 0)),
        ("One two. Three!", (3, 15, 2, 1, 1)),
        ("Don't stop.\r\n\r\nNew paragraph\n", (4, 27, 2, 3, 2)),
        ("你好世界。今天天气很好。", (5, 12, 2, 1, 1)),
        ("family 👨‍👩‍👧‍👦 and 🇩🇪", (2, 14, 1, 1, 1)),
        ("e\u0301te\u0301", (1, 3, 1, 1, 1)),
        ("… — !", (0, 5, 0, 1, 1)),
        ("a\n \n\t\n\nb", (2, 8, 2, 5, 2)),
    ],
)
def test_word_count(tools: TextTools, text: str, counts: tuple[int, ...]) -> None:
    names = ("words", "characters", "sentences", "lines", "paragraphs")

    assert tools.call("word_count", text=text) == dict(zip(names, counts, strict=True))


def test_a_long_text_is_counted_without_holding_up_anything_else(tools: TextTools) -> None:
    sentence = "Wörter zählen, auch viele: “so”. "
    counting = tools.send("tools/call", name="word_count", arguments={"text": sentence * 20_000})
    ping = tools.send("ping")

    # `receive` drops other answers, so the ping being answered first is part of the test.
    assert tools.receive(ping)["result"] == {}
    counts = tools.receive(counting)["result"]["structuredContent"]

    assert counts["words"] == 5 * 20_000
    assert counts["sentences"] == 20_000
    assert counts["characters"] == len(sentence) * 20_000


def test_a_count_nobody_waits_for_stops(tools: TextTools) -> None:
    counting = tools.send("tools/call", name="word_count", arguments={"text": "é " * 500_000})
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    line = json.dumps({**message, "params": {"requestId": counting}}).encode() + b"\n"
    os.write(tools._to, line)

    assert tools.receive(counting)["error"]["code"] == -32800


def test_reading_time(tools: TextTools) -> None:
    text = "word " * 476

    assert tools.call("reading_time", text=text) == {
        "words": 476,
        "words_per_minute": 238,
        "seconds": 120,
        "minutes": 2,
    }
    assert tools.call("reading_time", text=text, words_per_minute=100)["minutes"] == 5
    assert tools.call("reading_time", text="")["minutes"] == 0
    assert "minimum of 1" in tools.complaint("reading_time", text="a", words_per_minute=0)


@pytest.mark.parametrize(
    ("markdown", "links"),
    [
        ('[a](b "t")', [("inline", "a", "b")]),
        ("[a]()", [("inline", "a", "")]),
        ("[a](<b (c) d>)", [("inline", "a", "b (c) d")]),
        ("[a](b(c(d))e)", [("inline", "a", "b(c(d))e")]),
        ("[a](b\\)c&amp;d)", [("inline", "a", "b)c&d")]),
        ("[a](b c)", []),
        ("[a] (b)", []),
        ("\\[a](b)", []),
        ("[a\\](b)", []),
        ("[*em* `code` \\* **b**](u)", [("inline", "em code * b", "u")]),
        ("[snake_case_name](u)", [("inline", "snake_case_name", "u")]),
        ("[a [b] c](u)", [("inline", "a [b] c", "u")]),
        ("[a [b](in) c](out)", [("inline", "b", "in")]),
        ("![a [b](in)](out)", [("image", "a b", "out"), ("inline", "b", "in")]),
        ("[![alt](i.png)](u)", [("inline", "alt", "u"), ("image", "alt", "i.png")]),
        ("`[a](b)` ``[c](`d)``", []),
        ("`open [a](b)", [("inline", "a", "b")]),
        ("```\n[a](b)\n```\n[c](d)", [("inline", "c", "d")]),
        ("~~~ md\n[a](b)\n```\n[a](b)\n~~~~\n[c](d)", [("inline", "c", "d")]),
        ("````\n```\n[a](b)\n````", []),
        ("```\n[never closed](b)", []),
        ("text\n\n    [a](b)\n", []),
        ("text\n    [a](b)\n", [("inline", "a", "b")]),
        ("- item\n\n      [a](b)\n", [("inline", "a", "b")]),
        ("- ```\n  [a](b)\n  ```\n- [c](d)", [("inline", "c", "d")]),
        ("> ```\n> [a](b)\n\n[c](d)", [("inline", "c", "d")]),
        ("> [a](b\n> 'title')", [("inline", "a", "b")]),
        ("[a][r] [r][] [r]\n\n[R]: u", [("reference", t, "u") for t in ("a", "r", "r")]),
        ("[a][r]\n\n[r]: <u v>\n  'title'\n", [("reference", "a", "u v")]),
        ("[ẞ]\n\n[SS]: u", [("reference", "ẞ", "u")]),
        ("[r]\n\n[r]: one\n[r]: two", [("reference", "r", "one")]),
        ("[r]\n\ntext\n[r]: u", []),
        ("[r]\n\n```\n[r]: u\n```", []),
        ("![r]\n\n[r]: i.png", [("image", "r", "i.png")]),
        ("note[^1]\n\n[^1]: https://x.org", [("autolink", "https://x.org", "https://x.org")]),
        ("<https://x.org/?b=c>", [("autolink", "https://x.org/?b=c", "https://x.org/?b=c")]),
        ("<me@x.org>", [("autolink", "me@x.org", "mailto:me@x.org")]),
        ("see https://x.org/a_(b).", [("autolink", "https://x.org/a_(b)", "https://x.org/a_(b)")]),
        ("(https://x.org/a)", [("autolink", "https://x.org/a", "https://x.org/a")]),
        ("www.x.org, ok", [("autolink", "www.x.org", "http://www.x.org")]),
        ("xhttps://x.org", []),
        ("[https://x.org](u)", [("inline", "https://x.org", "u")]),
        ('<a href="u?a&amp;b" title=x>*t* <b>t</b></a>', [("html", "t t", "u?a&b")]),
        ("<img alt='A' src=i.png>", [("html", "A", "i.png")]),
        ("<a name=x>t</a>", []),
        (
            '<div>\n[a](b) <a href="c">d</a>\n</div>\n\n[e](f)',
            [("html", "d", "c"), ("inline", "e", "f")],
        ),
        ("<!-- [a](b)\n\n[c](d) -->\n[e](f)", [("inline", "e", "f")]),
        ("text <!-- [a](b) --> [c](d)", [("inline", "c", "d")]),
        ('[a](b) <x y="[c](d)">', [("inline", "a", "b")]),
        ("# [a](b)\n***\n[c](d)\n===", [("inline", "a", "b"), ("inline", "c", "d")]),
        ("[a](b\n\nc)", []),
        ("[a\n\nb](c)", []),
    ],
)
def test_extract_links(tools: TextTools, markdown: str, links: list[tuple[str, str, str]]) -> None:
    assert tools.links(markdown) == links


def test_links_carry_title_and_line(tools: TextTools) -> None:
    markdown = (
        "# Head\n\n> text\n> [a](b 'it''s')\n\n"
        '1. [c][d] and\n   [e\n   f](g "h \\"i\\"")\n\n[d]: u (t)\n'
    )

    assert [
        (link["text"], link["title"], link["line"])
        for link in tools.call("extract_links", markdown=markdown)
    ] == [("c", "t", 6), ("e f", 'h "i"', 7)]


@pytest.mark.parametrize(
    "part",
    [
        "[",
        "![",
        "[a](b",
        "[![",
        "`a``b```",
        '<a x="',
        "<!--",
        "[]((",
        "- ",
        "> ",
        "[a]: <",
        "*a _b ",
        "www.a)!",
    ],
)
def test_no_repetition_makes_link_extraction_explode(tools: TextTools, part: str) -> None:
    """Quadratic work on 400 KB would take minutes, and PATIENCE_S fails it."""
    tools.links(part * (400_000 // len(part)))


def test_links_of_a_real_document_are_those_a_reader_finds(tools: TextTools) -> None:
    readme = (ROOT / "contracts" / "wire" / "README.md").read_text(encoding="utf-8")

    assert tools.links(readme) == []  # its brackets are all code or plain text


def test_diff_is_what_patch_understands(tools: TextTools) -> None:
    before = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"
    after = "one\n2\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten"

    found = tools.call("diff", before=before, after=after, context=1)

    assert found == {
        "diff": "--- before\n+++ after\n"
        "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
        "@@ -9 +9,2 @@\n nine\n+ten\n\\ No newline at end of file\n",
        "added": 2,
        "removed": 1,
        "hunks": 2,
        "identical": False,
    }
    same = tools.call("diff", before=before, after=before)
    assert same == {"diff": "", "added": 0, "removed": 0, "hunks": 0, "identical": True}
    assert tools.call("diff", before="", after="a\n")["diff"].splitlines()[2] == "@@ -0,0 +1 @@"


def apply(diff: str, before: str) -> str:
    """Apply a unified diff, trusting none of its numbers without looking."""
    old = before.splitlines(keepends=True)
    new: list[str] = []
    at = 0
    lines = diff.split("\n")[2:-1]
    for index, line in enumerate(lines):
        bare = lines[index + 1 : index + 2] == ["\\ No newline at end of file"]
        text = line[1:] + ("" if bare else "\n")
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            target = int(start) - (length != "0")
            new += old[at:target]
            at = target
        elif line[0] in " -":
            assert old[at] == text
            at += 1
            new += [text] if line[0] == " " else []
        elif line[0] == "+":
            new.append(text)
    return "".join(new + old[at:])


def test_applying_a_diff_gives_the_new_text_whatever_the_texts_are(tools: TextTools) -> None:
    chance = random.Random(20)
    for _ in range(150):
        letters = "ab" if chance.random() < 0.5 else "abcdefgh"
        before, after = (
            "\n".join(chance.choices(letters, k=chance.randrange(40))) + chance.choice(["", "\n"])
            for _ in range(2)
        )
        context = chance.randrange(5)

        found = tools.call("diff", before=before, after=after, context=context)

        assert apply(found["diff"], before) == after
        marks = [line[0] for line in found["diff"].split("\n")[2:-1]]
        assert (marks.count("+"), marks.count("-")) == (found["added"], found["removed"])


def test_small_diffs_are_the_shortest(tools: TextTools) -> None:
    """Against the textbook's quadratic longest common subsequence."""
    chance = random.Random(7)
    for _ in range(60):
        before, after = (chance.choices("abc", k=chance.randrange(25)) for _ in range(2))
        row = [0] * (len(after) + 1)
        for left in before:
            previous = row[:]
            for index, right in enumerate(after):
                longest = max(previous[index + 1], row[index])
                row[index + 1] = previous[index] + 1 if left == right else longest
        text = ["".join(f"{line}\n" for line in lines) for lines in (before, after)]

        found = tools.call("diff", before=text[0], after=text[1])

        assert found["added"] == len(after) - row[-1]
        assert found["removed"] == len(before) - row[-1]


def test_twenty_thousand_lines_do_not_blow_up(tools: TextTools) -> None:
    chance = random.Random(3)
    numbers = list(range(20_000))
    shuffled = numbers[:]
    chance.shuffle(shuffled)
    braces = ["".join(f"{chance.choice('{}')}\n" for _ in range(20_000)) for _ in range(2)]
    pairs = [
        ("".join(f"a{n}\n" for n in numbers), "".join(f"b{n}\n" for n in numbers)),
        ("".join(f"{n}\n" for n in numbers), "".join(f"{n}\n" for n in shuffled)),
        (braces[0], braces[1]),
    ]

    for before, after in pairs:
        found = tools.call("diff", before=before, after=after)
        assert apply(found["diff"], before) == after
