"""Which changes are shown in a warning, at which line, and how filters decide it; no call is made here."""

from __future__ import annotations

import _thread
import sysconfig
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from tess_openai import TessAnswerWarning, TessConfigurationWarning, TessRequestWarning
from tess_openai.core.changes import Change, summarize
from tess_openai.edge import caller_warnings as room
from tess_openai.edge.caller_warnings import warn, warn_changes

SEED: Final = Change("stripped", "seed", "1", "", "Tess does not have it", warn="request")
SEED_7: Final = Change("stripped", "seed", "7", "", "Tess does not have it", warn="request")
USER: Final = Change("stripped", "user", '"ada"', "", "Tess does not have it", warn="request")
EMPTY: Final = Change("noticed", "content", "", "", "the answer has no text", warn="answer")
UNSEEN: Final = Change("mapped", "model", "", "", "Tess has another name for it")
INSTALLED: Final = Path(sysconfig.get_path("purelib"))
PROGRAM: Final = """
def call(show):
    show()
    show()
def call_again(show):
    show()
"""
Caught = list[warnings.WarningMessage]


@pytest.fixture
def caught() -> Any:
    """Record warnings, each as often as it is shown."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def functions(path: Path | str, module: str | None, source: str = PROGRAM) -> dict[str, Any]:
    """Return the functions of a module that is in this file."""
    names: dict[str, Any] = {} if module is None else {"__name__": module}
    exec(compile(source, str(path), "exec"), names)  # noqa: S102 - so that its lines belong to that module
    return names


def in_a_thread(function: Callable[..., object], *args: object) -> None:
    """Run a function where no line of this file is on the stack."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join(20)


def shown(changes: Sequence[Change]) -> Callable[[], object]:
    """Return a function that warns of changes, without a line of this file on the stack."""
    return warn_changes.__get__(changes)  # type: ignore[no-any-return] # a bound method is a callable


def texts(caught: Caught) -> list[str]:
    """Return the texts of warnings."""
    return [str(each.message) for each in caught]


def test_each_topic_has_one_warning_at_the_callers_line(caught: Caught) -> None:
    """The request comes first; a change without a topic is not shown."""
    assert warn_changes([EMPTY, SEED, UNSEEN, USER]) is None  # the line
    assert texts(caught) == [summarize([SEED, USER]), summarize([EMPTY])]
    assert [each.category for each in caught] == [TessRequestWarning, TessAnswerWarning]
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert {(each.filename, source[each.lineno - 1].endswith("# the line")) for each in caught} == {
        (__file__, True)
    }
    assert warn_changes([UNSEEN]) is None
    assert warn_changes([]) is None
    assert len(caught) == 2


@pytest.mark.parametrize(
    ("errors", "text", "warned"),
    [
        ([TessRequestWarning], summarize([SEED, USER]), [TessAnswerWarning]),
        ([TessAnswerWarning], summarize([EMPTY]), [TessRequestWarning]),
        ([TessAnswerWarning, TessRequestWarning], summarize([SEED, USER]), []),
    ],
)
def test_the_text_of_a_warning_that_is_an_error_is_returned(
    caught: Caught, errors: list[type[Warning]], text: str, warned: list[type[Warning]]
) -> None:
    """The caller gets it as the error of its call; the other topic is warned of."""
    for category in errors:
        warnings.simplefilter("error", category)
    assert warn_changes([SEED, USER, EMPTY]) == text
    assert [each.category for each in caught] == warned


def test_a_line_is_warned_once_of_each_parameter_and_reason(caught: Caught) -> None:
    """Another value is no reason to warn again; a new parameter is, without those that were shown."""
    warnings.simplefilter("default")
    other_reason = Change("stripped", "seed", "1", "", "the agent ignores it", warn="request")
    for changes in ([SEED], [SEED_7], [SEED_7, USER], [USER, SEED], [other_reason], [EMPTY], [EMPTY]):
        warn_changes(changes)
    assert texts(caught) == [summarize([each]) for each in (SEED, USER, other_reason, EMPTY)]
    warn_changes([SEED])
    assert len(caught) == 5


def test_filters_that_show_all_get_all(caught: Caught) -> None:
    """Each repetition, with its own values."""
    for changes in ([SEED], [SEED], [SEED_7, USER]):
        warn_changes(changes)
    assert texts(caught) == [summarize([SEED]), summarize([SEED]), summarize([SEED_7, USER])]


def test_a_filter_may_look_at_the_values(caught: Caught) -> None:
    """Then a change of another value may have another action."""
    warnings.simplefilter("default")
    warnings.filterwarnings("ignore", message="seed=1 ")
    for change in (SEED, SEED_7, SEED, SEED_7):
        warn_changes([change])
    assert texts(caught) == [summarize([SEED_7])]


@pytest.mark.parametrize(
    ("action", "expected"), [("default", 3), ("module", 1), ("once", 1), ("ignore", 0), ("always", 4)]
)
def test_pythons_own_actions_are_obeyed(
    caught: Caught, action: Literal["default", "module", "once", "ignore", "always"], expected: int
) -> None:
    """`default` is once for each line, `module` once for each module, `once` once in all."""
    module = functions("/programs/a_program.py", "a_program")
    warnings.simplefilter(action)
    for _ in range(2):
        in_a_thread(module["call"], shown([SEED]))
        in_a_thread(module["call_again"], shown([SEED]))
    assert len(caught) == (6 if action == "always" else expected)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        pytest.param({"module": "a_program"}, [], id="its module"),
        pytest.param({"module": "another"}, [3, 4], id="another module"),
        pytest.param({"lineno": 3}, [4], id="one of its lines"),
        pytest.param({"category": TessRequestWarning}, [], id="the category"),
        pytest.param({"category": UserWarning, "message": "seed"}, [], id="its text"),
        pytest.param({"category": TessAnswerWarning}, [3, 4], id="another category"),
        pytest.param({"message": "top_p"}, [3, 4], id="another text"),
    ],
)
@pytest.mark.parametrize("action", ["always", "default"])
def test_a_filter_applies_where_all_its_conditions_hold(
    caught: Caught, options: dict[str, Any], lines: list[int], action: Literal["always", "default"]
) -> None:
    """The module is the one of the caller, as with any warning of its own."""
    warnings.simplefilter(action)
    warnings.filterwarnings("ignore", **options)
    in_a_thread(functions("/programs/file.py", "a_program")["call"], shown([SEED]))
    assert [(each.filename, each.lineno) for each in caught] == [("/programs/file.py", n) for n in lines]


def test_a_filter_that_shows_all_of_one_module_does_not_concern_the_others(caught: Caught) -> None:
    """Each line has the action of the first filter that matches it."""
    warnings.simplefilter("default")
    warnings.filterwarnings("always", module="one$")
    for name in ("one", "other"):
        module = functions(f"/programs/{name}.py", name)
        for _ in range(3):
            in_a_thread(module["call_again"], shown([SEED]))
    assert [each.filename for each in caught] == ["/programs/one.py"] * 3 + ["/programs/other.py"]


def test_filters_that_change_forget_what_was_shown(caught: Caught) -> None:
    """As in Python itself; a framework that restores the list of filters does not make them forget."""
    warnings.simplefilter("default")
    for change in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
        warn_changes([Change("stripped", "seed", str(change), "", "why", warn="request")])
    assert len(caught) == 1
    for other in (DeprecationWarning, ImportWarning):
        warnings.simplefilter("ignore", other)
        for _ in range(2):
            warn_changes([SEED])
    assert len(caught) == 3


def test_without_filters_a_line_is_warned_once(caught: Caught) -> None:
    """This is what Python does with any warning; a program may have removed all filters."""
    warnings.resetwarnings()
    for change in (SEED, SEED_7):
        warn_changes([change])
    assert texts(caught) == [summarize([SEED])]


def test_the_memory_of_lists_of_filters_is_bounded(caught: Caught) -> None:
    """Each context may have a list of its own, which is new for each call of some frameworks."""
    for _ in range(80):
        with warnings.catch_warnings():
            warnings.simplefilter("always", TessAnswerWarning)
            warn_changes([SEED])
    assert len(caught) == 80
    assert len(room._memories._memories) <= 64


LIBRARY: Final = "def call(show): show()"


@pytest.mark.parametrize(
    ("callers", "expected"),
    [
        pytest.param([("openai", "openai.client"), ("a", "a_framework")], "a", id="a framework"),
        pytest.param([("a", "a_framework"), ("b", "a_runner")], "a", id="the nearest library"),
        pytest.param([("a", None), ("b", "a_runner")], "a", id="code without a name"),
        pytest.param([("openai", "openai.client"), ("httpx", "httpx")], "openai", id="only the SDK"),
    ],
)
def test_without_a_line_of_the_program_it_is_a_librarys(
    caught: Caught, callers: list[tuple[str, str | None]], expected: str
) -> None:
    """The SDK and the standard library, which would tell the reader nothing, come last."""
    show = shown([SEED])
    for file, module in callers:
        call = functions(INSTALLED / f"{file}.py", module, LIBRARY)["call"]
        show = call.__get__(show)
    in_a_thread(show)
    assert [Path(each.filename) for each in caught] == [INSTALLED / f"{expected}.py"]


def test_without_any_library_it_is_the_standard_library(caught: Caught) -> None:
    """A thread whose function is the adapter's has no other lines."""
    in_a_thread(shown([SEED]))
    assert [Path(each.filename).name for each in caught] == ["threading.py"]


def test_without_any_line_the_warning_is_shown(caught: Caught) -> None:
    """A thread that another language starts may call the adapter directly."""
    _thread.start_new_thread(warn_changes, ([SEED, USER],))
    over = threading.Event()
    for _ in range(2000):
        if caught or over.wait(0.01):
            break
    assert [(str(each.message), each.category) for each in caught] == [
        (summarize([SEED, USER]), TessRequestWarning)
    ]


def test_a_message_is_shown_once_at_a_line(caught: Caught) -> None:
    """Another message is shown too, and filters that show all get all."""
    warnings.simplefilter("default")
    for message in ("one", "one", "two", "one"):
        warn(message, TessConfigurationWarning)
    assert texts(caught) == ["one", "two"]
    assert {(each.filename, each.category) for each in caught} == {(__file__, TessConfigurationWarning)}
    warnings.filterwarnings("always", message="three")
    warnings.simplefilter("ignore", TessAnswerWarning)
    for category in (TessConfigurationWarning, TessConfigurationWarning, TessAnswerWarning):
        warn("three", category)
    assert texts(caught) == ["one", "two", "three", "three"]
    warnings.simplefilter("error")
    with pytest.raises(TessConfigurationWarning, match="four"):
        warn("four", TessConfigurationWarning)
