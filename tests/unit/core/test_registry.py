"""Components by name or path, and what is said where one cannot be had."""

import subprocess
import sys

import pytest

from befit.core.errors import UnknownComponentError
from befit.core.registry import find, names
from befit.generate.toy import ToyPolicy


def test_a_component_is_found_by_name_and_by_path() -> None:
    assert find("policy", "toy") is find("policy", "befit.generate.toy:ToyPolicy") is ToyPolicy
    assert "toy" in names("policy")


@pytest.mark.parametrize(
    "name", ["toi", "befit.generate.toy:Toi", "befit.generate.toy:_WORD", "x:Y"]
)
def test_what_does_not_exist_is_named_with_what_does(name: str) -> None:
    with pytest.raises(UnknownComponentError, match=r"toi|Toi|_WORD|'x'") as caught:
        find("policy", name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("library", "extra", "command"),
    [
        ("torch", "local", ["respond", "ana", "Hello"]),
        ("uvicorn", "serve", ["serve", "--port", "0"]),
        ("matplotlib", "report", ["demo"]),
    ],
)
def test_a_missing_extra_is_named_with_the_line_that_installs_it(
    library: str, extra: str, command: list[str], tmp_path: object
) -> None:
    code = (
        "import sys\n"
        f"class Hidden:\n"
        f"    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {library!r}:\n"
        f"            raise ModuleNotFoundError(name, name=name)\n"
        f"sys.meta_path.insert(0, Hidden())\n"
        f"sys.argv = ['befit', *{command!r}]\n"
        "from befit.app.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{library} is not installed" in done.stderr
    assert f"way out: pip install 'befit[{extra}]'" in done.stderr
