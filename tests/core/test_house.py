"""Rules of the house, each a test that says what to do."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines

ROOT = Path(settings.BASE_DIR)
CODE = ("creditplatform", "records", "sanctions", "repair", "publicity", "benchmarks", "tests")
PRODUCT = CODE[:-2]
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
TEXT = {
    ".py",
    ".toml",
    ".md",
    ".html",
    ".css",
    ".js",
    ".yml",
    ".yaml",
    ".sh",
    ".cfg",
    ".lock",
    ".txt",
    ".csv",
    ".po",
    "",
}
NOT_OURS = {".git", ".venv", "var", "node_modules", "__pycache__", ".hypothesis", ".mypy_cache", ".ruff_cache"}
NOT_OURS |= {".pytest_cache", ".import_linter_cache"}

# Imports inside functions that are allowed, each with its reason.
LOCAL_IMPORTS = {
    "apps.py": "models may be imported only once every app is known",
    "tests/services.py": "the services start before Django reads its settings",
    "benchmarks/delivery.py": "a process of its own that sets up Django first",
    "benchmarks/report_maker.py": "a process of its own that sets up Django first",
    "tests/campaigns/mutate.py": "a process of its own that sets up Django first",
    "tests/faults/upload.py": "a process of its own that sets up Django first",
}
# Where `print` speaks to the person at the terminal.
SPEAKING = (
    "creditplatform/embedded/",
    "benchmarks/",
    "tests/campaigns/",
    "tests/faults/upload.py",
    "tests/core/test_embedded.py",
)


@cache
def files(*suffixes: str) -> list[Path]:
    """Our files with these endings, nothing generated or installed."""
    found = []
    for path in sorted(ROOT.rglob("*")):
        parts = set(path.relative_to(ROOT).parts)
        if path.is_file() and path.suffix in suffixes and not parts & NOT_OURS:
            found.append(path)
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python(*folders: str, migrations: bool = False) -> list[Path]:
    wanted = folders or CODE
    return [
        p for p in files(".py") if name(p).split("/")[0] in wanted and (migrations or "/migrations/" not in name(p))
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def outer(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Functions and classes of a module and methods of its classes, by their public name."""

    def inside(body: list[ast.stmt], before: str) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield f"{before}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from inside(node.body, f"{before}{node.name}.")

    yield from inside(tree(path).body, "")


def test_there_is_something_to_look_at() -> None:
    assert len(python(*PRODUCT)) > 100
    assert len(files(".html")) > 5


# --- size --------------------------------------------------------------------------------------------


def test_no_file_is_too_long() -> None:
    long = {
        name(path): lines
        for path in [*python(), *files(".html", ".css", ".js")]
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}, f"split these files by topic, into a package of the same name: {long}"


def test_no_function_is_too_long() -> None:
    long = {
        f"{name(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in python()
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert long == {}, f"more than {LONGEST_FUNCTION} lines; name its parts: {long}"


def test_no_module_is_called_utils() -> None:
    wrong = [name(p) for p in python() if p.stem in {"utils", "helpers", "misc", "common"}]
    assert wrong == [], "name the topic instead"


# --- imports -----------------------------------------------------------------------------------------


def test_imports_stand_at_the_top() -> None:
    inside = [
        f"{name(path)}:{node.lineno}"
        for path in python()
        if not any(name(path).endswith(allowed) for allowed in LOCAL_IMPORTS)
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == [], f"move these imports to the top, or list the file in LOCAL_IMPORTS with its reason: {inside}"


def test_imports_run_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_rules_ask_neither_database_nor_web() -> None:
    wrong = [
        f"{name(path)}:{node.lineno} {node.module}"
        for path in python(*PRODUCT)
        if path.name == "rules.py" and path.parent.parent == ROOT and path.parent.name != "creditplatform"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        and re.match(r"django\.(db|http|shortcuts)|.*\.(models|services)", node.module or "")
    ]
    assert wrong == []


# --- one home ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "home"),
    [
        (r"\bGrant\(", "records/queries/grants.py"),
        (r"no-store", "creditplatform/core/unstored.py"),
        (r"secrets\.choice\(", "creditplatform/core/paper_codes.py"),
    ],
)
def test_what_has_one_home_is_written_there_alone(written: str, home: str) -> None:
    found = {name(path) for path in python(*PRODUCT) if re.search(written, path.read_text(encoding="utf-8"))}
    assert found <= {home, *(one for one in found if one.startswith("benchmarks/"))}, f"call {home} instead"


# --- words -------------------------------------------------------------------------------------------


def test_nothing_is_printed_but_to_the_person_at_the_terminal() -> None:
    prints = [
        f"{name(path)}:{node.lineno}"
        for path in python()
        if not name(path).startswith(SPEAKING)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == [], f"use the log, or self.stdout of a command: {prints}"


def _is_label(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return re.fullmatch(r"get_\w+_display", node.func.attr) is not None
    return isinstance(node, ast.Attribute) and node.attr in {"label", "name_en", "labels"}


def test_logic_never_compares_a_displayed_label() -> None:
    compared = [
        f"{name(path)}:{node.lineno}"
        for path in python(*PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Compare) and any(_is_label(side) for side in [node.left, *node.comparators])
    ]
    assert compared == [], f"compare the code; labels change with the language: {compared}"


def test_templates_compare_no_label_either() -> None:
    pattern = re.compile(r"{%\s*(?:el)?if[^%]*(?:get_\w+_display|\.label)\s*(?:==|!=|in\b)")
    assert [name(p) for p in files(".html") if pattern.search(p.read_text(encoding="utf-8"))] == []


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    found = [name(p) for p in files(".py", ".html", ".js", ".css") if words.search(p.read_text(encoding="utf-8"))]
    assert found == []


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/[\w.-]+|[A-Z]:\\\\Users")
    allowed = {"tests/core/test_house.py"}
    found = [
        f"{name(path)}: {match.group()}"
        for path in files(*TEXT)
        if name(path) not in allowed and path.stat().st_size < 2_000_000
        if (match := pattern.search(path.read_text(encoding="utf-8", errors="ignore")))
    ]
    assert found == []


def test_no_lock_file_names_an_index() -> None:
    for path in files(".lock"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text and "--index-url" not in text, name(path)
        assert "--hash=sha256:" in text, name(path)


# --- documentation and types -----------------------------------------------------------------------------


def _public(path_name: str) -> bool:
    return not any(part.startswith("_") or part == "Meta" for part in path_name.split("."))


def test_everything_public_says_what_it_is() -> None:
    silent = [
        f"{name(path)}:{node.lineno} {called}"
        for path in python(*PRODUCT, "benchmarks")
        for called, node in outer(path)
        if _public(called) and ast.get_docstring(node) is None
    ]
    assert silent == [], f"one line in the words of the field: {silent}"


def test_every_module_says_what_it_is() -> None:
    silent = [
        name(path)
        for path in python(*PRODUCT, "benchmarks")
        if path.stat().st_size and ast.get_docstring(tree(path)) is None
    ]
    assert silent == []


def _unannotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    bare = [a for a in arguments if a is not None and a.annotation is None and a.arg not in ("self", "cls")]
    return bool(bare) or (node.returns is None and node.name != "__init__")


def test_every_function_is_annotated() -> None:
    bare = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in python(*PRODUCT, "benchmarks")
        for node in functions(path)
        if _unannotated(node)
    ]
    assert bare == []


def test_no_business_hangs_on_signals() -> None:
    pattern = re.compile(r"@receiver\(|(?:pre|post)_(?:save|delete|init)\.connect")
    assert [name(p) for p in python(*PRODUCT) if pattern.search(p.read_text(encoding="utf-8"))] == []


# --- templates ---------------------------------------------------------------------------------------


def templates() -> dict[str, Path]:
    return {
        p.relative_to(ROOT / "templates").as_posix(): p for p in files(".html") if (ROOT / "templates") in p.parents
    }


def _as_pattern(node: ast.JoinedStr) -> str:
    return "".join(re.escape(v.value) if isinstance(v, ast.Constant) else r"[\w-]+" for v in node.values)


def _named_in_code() -> tuple[set[str], list[str]]:
    texts, patterns = set(), []
    for path in python(*PRODUCT):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.endswith((".html", ".txt"))
            ):
                texts.add(node.value)
            if isinstance(node, ast.JoinedStr) and _as_pattern(node).endswith(r"\.html"):
                patterns.append(_as_pattern(node))
    return texts, patterns


def _overrides_a_library(template: str) -> bool:
    folders = [Path(str(folder)) for folder in engines["django"].engine.template_loaders[0].get_dirs()]  # type: ignore[attr-defined]
    folders += [Path(str(f)) for loader in engines["django"].engine.template_loaders for f in loader.get_dirs()]  # type: ignore[attr-defined]
    return any((folder / template).exists() for folder in folders if folder != ROOT / "templates")


def test_every_template_is_used() -> None:
    texts, patterns = _named_in_code()
    within = re.compile(r"""{%\s*(?:extends|include)\s+["']([^"']+)["']""")
    for path in templates().values():
        texts |= set(within.findall(path.read_text(encoding="utf-8")))
    conventional = {"404.html", "403.html", "500.html", "400.html", "403_csrf.html"}
    unused = [
        template
        for template in templates()
        if template not in texts | conventional
        and not any(re.fullmatch(pattern, template) for pattern in patterns)
        and not _overrides_a_library(template)
    ]
    assert unused == [], f"remove these templates or use them: {unused}"


INLINE = re.compile(r"""<[^>]+\s(?:style|on[a-z]+)\s*=|<style\b|href\s*=\s*["']javascript:""", re.IGNORECASE)
INLINE_SCRIPT = re.compile(
    r"<script\b(?![^>]*\bsrc\s*=)(?![^>]*\bnonce\s*=)(?![^>]*type=.application/(?:ld\+)?json)", re.IGNORECASE
)


@pytest.mark.parametrize("pattern", [INLINE, INLINE_SCRIPT], ids=["attributes", "scripts"])
def test_templates_hold_no_inline_style_or_script(pattern: re.Pattern[str]) -> None:
    found = [
        f"{template}: {match.group()[-40:]}"
        for template, path in templates().items()
        if (
            match := pattern.search(
                re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", path.read_text(encoding="utf-8"), flags=re.S)
            )
        )
    ]
    assert found == [], f"the content security policy would stop these: {found}"


def test_templates_load_nothing_from_elsewhere() -> None:
    pattern = re.compile(
        r"""<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE
    )
    assert [t for t, p in templates().items() if pattern.search(p.read_text(encoding="utf-8"))] == []


def test_forms_that_post_carry_their_token() -> None:
    form = re.compile(r"<form\b[^>]*method\s*=\s*[\"']post[\"'][^>]*>.*?</form>", re.IGNORECASE | re.DOTALL)
    missing = [
        template
        for template, path in templates().items()
        for found in form.findall(path.read_text(encoding="utf-8"))
        if "csrf_token" not in found
    ]
    exempt = {template for template in missing if template in SEARCH_BOXES}
    assert sorted(set(missing) - exempt) == []


# Search changes nothing and is open to visitors without cookies.
SEARCH_BOXES = {"publicity/_seek.html", "publicity/_pages.html"}
