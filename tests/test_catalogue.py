"""The Chinese catalogue says everything the sources say: complete, current, with the same placeholders."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation.template import templatize

from creditplatform import library_words

ROOT = Path(settings.BASE_DIR)
SOURCES = ("creditplatform", "records", "sanctions", "repair", "publicity")
PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
RUN = (
    "\nThen run (it needs gettext, which `apt-get install gettext` or `brew install gettext` brings):\n"
    "  .venv/bin/python manage.py makemessages -l zh_Hans --no-obsolete --add-location file"
    " -i .venv -i tests -i benchmarks -i var\n"
    "  .venv/bin/python manage.py compile_catalogues"
)
# What each function takes: where its context, its text and its plural stand.
FUNCTIONS = {
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
CALL_IN_TEMPLATE = re.compile(r"""(?:\w*gettext|\b_)\((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^()'"])*\)""", re.S)
PLACEHOLDER = re.compile(r"%\(\w+\)[#0 +-]*\d*(?:\.\d+)?[a-z]|%[a-z%]|\{\w*\}")
CJK = re.compile(r"[\u3400-\u9fff]")
HALF_WIDTH = re.compile(r"[\u3400-\u9fff][,;:!?](?!\d)|[\u3400-\u9fff]\.(?:\s|$)|[(][\u3400-\u9fff]|[\u3400-\u9fff][)]")
TAG = re.compile(r"<(/?[a-z]+[^>]*)>")

Key = tuple[str | None, str]


class NotALiteral(Exception):
    """A text that is put together while the program runs, so that no catalogue can know it."""


# --- what the sources say ------------------------------------------------------------------------


def called(node: ast.Call, names: dict[str, str]) -> str | None:
    """Which of gettext's functions a call means, by the names the file imports them under."""
    if isinstance(node.func, ast.Name):
        return names.get(node.func.id)
    if isinstance(node.func, ast.Attribute) and node.func.attr in FUNCTIONS:
        return node.func.attr
    return None


def imported(tree: ast.AST) -> dict[str, str]:
    """Local name → function of gettext."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in FUNCTIONS
    }


def literal(node: ast.expr) -> str | None:
    """The text of an argument; None for a variable, whose texts stand elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call):
        raise NotALiteral(ast.unparse(node))
    return None


def texts(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[Key, str | None]]:
    """Context, text and plural of every call that marks a text."""
    for node in ast.walk(tree):
        function = called(node, names) if isinstance(node, ast.Call) else None
        if function is None:
            continue
        context, text, plural = FUNCTIONS[function]
        found = literal(node.args[text])
        if found is not None:
            yield (
                (literal(node.args[context]) if context is not None else None, found),
                literal(node.args[plural]) if plural is not None else None,
            )


def texts_of_template(source: str, origin: str) -> Iterator[tuple[Key, str | None]]:
    """The same for a template, through Django's own translation of templates into calls."""
    names = {name: name for name in FUNCTIONS} | {"_": "gettext"}
    for call in CALL_IN_TEMPLATE.findall(templatize(source, origin=origin)):
        yield from texts(ast.parse(call, mode="eval"), names)


def collect() -> dict[Key, tuple[str | None, str]]:
    """Every text of the sources: its plural and the file it stands in."""
    found: dict[Key, tuple[str | None, str]] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            found |= {key: (plural, str(path.relative_to(ROOT))) for key, plural in texts(tree, imported(tree))}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        name = str(path.relative_to(ROOT))
        found |= {key: (plural, name) for key, plural in texts_of_template(path.read_text("utf-8"), name)}
    return found


@pytest.fixture(scope="module")
def wanted() -> dict[Key, tuple[str | None, str]]:
    return collect()


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def messages(catalogue: Catalog) -> dict[Key, Message]:
    """The catalogue by context and text."""
    return {(m.context, m.id[0] if isinstance(m.id, tuple) else m.id): m for m in catalogue if m.id}


def translations(message: Message) -> list[str]:
    """Every form of a translation; Chinese has one."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


# --- the extraction itself -----------------------------------------------------------------------


def test_texts_are_found_in_python_under_every_name_and_over_several_lines():
    tree = ast.parse(
        "from django.utils.translation import gettext as g, pgettext_lazy, ngettext\n"
        "from django.utils import translation\n"
        "a = g('one '\n      'two')\nb = pgettext_lazy('where', 'three')\nc = ngettext('%(n)s x', '%(n)s xs', n)\n"
        "d = translation.gettext('four')\ne = g(variable)\n"
    )
    assert set(texts(tree, imported(tree))) == {
        ((None, "one two"), None),
        (("where", "three"), None),
        ((None, "%(n)s x"), "%(n)s xs"),
        ((None, "four"), None),
    }


def test_a_text_put_together_at_run_time_is_refused():
    tree = ast.parse("from django.utils.translation import gettext as _\n_(f'hello {name}')")
    with pytest.raises(NotALiteral):
        list(texts(tree, imported(tree)))


def test_texts_are_found_in_templates_of_every_form():
    source = (
        "{% load i18n %}<p title='it is'>Don't {% translate \"It's (one)\" %}</p>{{ x|default:_('two') }}"
        "{% blocktranslate trimmed with a=b.c %}\n  three {{ a }},\n  100 % sure\n{% endblocktranslate %}"
        "{% blocktranslate count n=m %}{{ n }} four{% plural %}{{ n }} fours{% endblocktranslate %}"
        "{% translate 'five' context 'where' %}"
    )
    assert set(texts_of_template(source, "test")) == {
        ((None, "It's (one)"), None),
        ((None, "two"), None),
        ((None, "three %(a)s, 100 %% sure"), None),
        ((None, "%(n)s four"), "%(n)s fours"),
        (("where", "five"), None),
    }


# --- the catalogue -------------------------------------------------------------------------------


def test_every_text_has_its_chinese(wanted, catalogue):
    known = messages(catalogue)
    missing = [f"{where}: {key[1]!r}" for key, (_plural, where) in wanted.items() if key not in known]
    empty = [repr(key[1]) for key, m in known.items() if not all(translations(m)) or not translations(m)]
    fuzzy = [repr(key[1]) for key, m in known.items() if m.fuzzy]
    assert not missing + empty + fuzzy, "Translate in " + "\n".join(
        [f"{PO.relative_to(ROOT)}: not there", *missing, "empty", *empty, "fuzzy (to be checked)", *fuzzy, RUN]
    )


def test_the_plural_is_that_of_the_source(wanted, catalogue):
    known = messages(catalogue)
    for key, (plural, _where) in wanted.items():
        if key in known:
            found = known[key].id
            assert (found[1] if isinstance(found, tuple) else None) == plural, key


def test_nothing_is_left_over(wanted, catalogue):
    unused = [repr(key[1]) for key in messages(catalogue) if key not in wanted]
    unused += [f"{m} (obsolete)" for m in catalogue.obsolete]
    assert not unused, "No source says these any more; drop them from the catalogue:\n" + "\n".join([*unused, RUN])


def test_placeholders_are_the_same_in_both_languages(catalogue):
    for key, message in messages(catalogue).items():
        source = message.id[-1] if isinstance(message.id, tuple) else message.id
        for text in translations(message):
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)), f"{key[1]!r} → {text!r}"
            assert sorted(TAG.findall(text)) == sorted(TAG.findall(source)), f"{key[1]!r} → {text!r}"


def test_source_texts_are_english(wanted):
    assert not [key[1] for key in wanted if CJK.search(key[1])]


def test_chinese_is_punctuated_as_chinese(catalogue):
    wrong = [text for m in messages(catalogue).values() for text in translations(m) if HALF_WIDTH.search(text)]
    assert not wrong, "Half-width punctuation beside Chinese characters:\n" + "\n".join(wrong)


def test_the_header_names_nobody_and_no_machine():
    head = PO.read_text("utf-8").split("\n#: ", 1)[0]
    assert "nplurals=1; plural=0;" in head
    assert not re.search(r"@|Last-Translator|Language-Team|Bugs-To: [^\\\\]|/home/|/root|AUTHOR|fuzzy", head), head


def test_words_of_libraries_are_listed_only_while_the_libraries_lack_them(settings):
    settings.LOCALE_PATHS = []
    with translation.override("zh-hans"):
        known = [word for word in library_words.WORDS if translation.gettext(word) != word]
        known += [str(word) for word in library_words.COUNTED_WORDS if CJK.search(str(word))]
    assert not known, f"The library speaks Chinese by now; drop from creditplatform/library_words.py: {known}"


# --- the pages -----------------------------------------------------------------------------------


class Words(HTMLParser):
    """What a page says: its texts and spoken attributes, without what is marked as another language."""

    SPOKEN = ("aria-label", "placeholder", "title", "alt")
    EMPTY = frozenset({"meta", "link", "input", "br", "img", "hr", "rect", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = tag != "html" and (given.get("lang") or "").startswith("en")
        silent = tag in {"script", "style", "code"} or foreign
        if not any([*self.open, silent]):
            self.said += [value for name in self.SPOKEN if (value := given.get(name))]
        if tag not in self.EMPTY:
            self.open.append(silent)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open) and data.strip():
            self.said.append(" ".join(data.split()))


def words_of(page: str) -> list[str]:
    """Every text of a page."""
    parser = Words()
    parser.feed(page)
    return parser.said


@pytest.fixture
def compiled(catalogue, settings, tmp_path):
    """The catalogue as it stands now, whatever was compiled before."""
    target = tmp_path / "zh_Hans" / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / "django.mo").open("wb") as file:
        write_mo(file, catalogue)
    settings.LOCALE_PATHS = [tmp_path]
    with translation.override("zh-hans"):
        yield


ENGLISH = re.compile(r"[A-Za-z]{3,}")
# Names that are the same in Chinese.
NAMES = re.compile(r"\b(?:ICP|CSV|XLSX?|JSON|XML|WCAG|Web|Cookie|Tab)\b")


def english_in(page: str) -> list[str]:
    """Texts of a Chinese page in which English words stand."""
    return [text for text in words_of(page) if ENGLISH.search(NAMES.sub("", text))]


def test_words_of_a_page_leave_out_what_is_marked_as_english():
    page = "<p title='One'>二<br><span lang='en'>Three <b>four</b></span>Five</p><script>six</script><code>x1abc</code>"
    assert english_in(page) == ["One", "Five"]


def page_of(client: Client, address: str) -> str:
    """A page that must say something in Chinese."""
    answer = client.get(address)
    assert answer.status_code == (404 if "nowhere" in address else 200)
    page: str = answer.content.decode()
    assert any(CJK.search(text) for text in words_of(page))
    return page


GUIDES = tuple(f"services/{topic}/" for topic in ("objection", "repair", "reconsideration", "report"))
SITE_PAGES = ("", "search/", "registers/", "services/", "nowhere/", *GUIDES)
ABOUT_PAGES = tuple(f"about/{topic}/" for topic in ("privacy", "accessibility", "corrections"))
OPEN_PAGES = (
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    *(f"/huizhou/{page}" for page in SITE_PAGES),
    *(f"/gansu/{page}" for page in ABOUT_PAGES),
)


@pytest.mark.django_db
@pytest.mark.parametrize("address", OPEN_PAGES)
def test_open_pages_speak_chinese(compiled, address):
    assert not english_in(page_of(Client(), address))


PAGES_OF = {
    "person": (
        "/me/",
        "/me/records/",
        "/me/looks/",
        "/me/notices/",
        "/accounts/password/",
        "/accounts/logout/",
    ),
    "unbound": ("/me/bind/",),
    "clerk": ("/admin/", "/desk/deliveries/new/", "/admin/records/quarantinedrow/", "/desk/set-aside/"),
    "centre": ("/desk/set-aside/",),
}


def test_pages_of_those_signed_in_speak_chinese(compiled, cast):
    for who, addresses in PAGES_OF.items():
        client = Client()
        client.force_login(getattr(cast, who))
        for address in addresses:
            assert set(english_in(page_of(client, address))) <= {who}, address


@pytest.mark.django_db
def test_what_is_wrong_with_a_password_is_said_in_chinese(compiled):
    answer = Client().post("/accounts/signup/", {"username": "someone", "password1": "x1", "password2": "x1"})
    said = " ".join(words_of(answer.content.decode()))
    assert "密码太短，至少须有 10 个字符。" in said


@pytest.mark.django_db
def test_a_page_in_english_is_seen_as_english(compiled):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "Sign in" in english_in(client.get("/accounts/login/").content.decode())
