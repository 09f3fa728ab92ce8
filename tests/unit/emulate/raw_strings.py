r"""Texts as programs and people write them, full of backslashes, quotes and line breaks.

A model that copies one into JSON must escape it, and often does not. `generate` makes as many texts of each
kind as it is asked for, the same ones each time.
"""

# ruff: noqa: S608 - texts; none is run

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_NAMES = ("new", "test", "users", "bin", "Reports", "n", "t", "b", "f", "r", "u0041", "temp", "árvore", "x64")
_WORDS = ("alpha", "beta", "frac", "nabla", "rho", "tau", "theta", "bar", "text", "mathbb", "neq", "upsilon")
_VALUES = ("hello", "it's", "a, b", "x = 1", "100%", "{}", "[1, 2]", "", "é🙂", "a:b", "}}", '"', "\\n", "/x")
_KEYS = ("name", "class", "id", "text", "href", "query", "path", "value", "title", "key")


class _Maker:
    """Makes texts from one source of chance."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same texts each time

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    @property
    def name(self) -> str:
        return self.random.choice(_NAMES)

    @property
    def word(self) -> str:
        return self.random.choice(_WORDS)

    @property
    def value(self) -> str:
        return self.random.choice(_VALUES)

    @property
    def key(self) -> str:
        return self.random.choice(_KEYS)

    @property
    def number(self) -> int:
        return self.random.randrange(100)

    def lines(self, make: Callable[[], str], joint: str = "\n") -> str:
        return joint.join(make() for _ in range(self.random.randint(1, 4)))

    # One method for each kind.

    def windows_paths(self) -> str:
        root = self.pick("C:\\", "D:\\", "\\\\server\\", ".\\", "%APPDATA%\\", "C:\\Users\\")
        parts = [self.name for _ in range(self.random.randint(1, 4))]
        path = root + "\\".join(parts) + self.pick("", ".txt", "\\", ".tar.gz", f" {self.number}")
        return self.pick(path, f'"{path}"', f'copy "{path}" {path}', f"open {path}")

    def latex(self) -> str:
        return self.pick(
            f"\\frac{{\\{self.word}}}{{{self.number}}}",
            f"Schr\\\"odinger's ``{self.name}''\n\\{self.word}",
            f"\\begin{{{self.word}}}\nx &= \\{self.word}_{self.number} \\\\\n\\end{{{self.word}}}",
            f"$\\{self.word} \\{self.word}$, \\textbf{{{self.value}}}",
            f"\\{self.word}",
            f"\\newcommand{{\\{self.name}}}[1]{{\\{self.word}{{#1}}}}",
        )

    def regular_expressions(self) -> str:
        return self.pick(
            f"^\\d{{{self.number}}}\\s*[\\w.-]+$",
            f"\\b{self.name}\\b",
            f'"([^"\\\\]|\\\\.)*"{self.value}',
            f"(?P<{self.key}>\\{self.pick('n', 't', 'r', 'f', 'b', 'w', 'd')}+)",
            f"[\\\"']{self.name}\\1",
            f"/{self.name}\\/{self.word}/gi",
        )

    def shell(self) -> str:
        return self.pick(
            f'echo "{self.value}" > {self.name}.txt',
            f"docker run \\\n  -v /{self.name}:/x \\\n  {self.word}",
            f'git commit -m "{self.word}: {self.value}"',
            f'for f in *.{self.name}; do mv "$f" "${{f%.{self.name}}}"; done',
            f'export {self.name.upper()}="{self.value}", "{self.key}": "{self.value}"',
            f'ssh host \\"{self.name}\\"\nls',
            f'printf "%s\\n" "{self.word}"\nexit {self.number}',
        )

    def sed_and_awk(self) -> str:
        return self.pick(
            f"sed -e 's/{self.name}/\\n&/g' {self.word}",
            f"awk '{{print $1 \"\\t\" $2}}' {self.name}",
            f'awk -F"," \'{{print "{self.value}"}}\'',
            f"sed 's/\\({self.word}\\)/\\1/' | tr '\\n' ' '",
            f"awk 'BEGIN {{x = \"}}\"}} /{self.word}/ {{print x}}'",
        )

    def markdown(self) -> str:
        return self.pick(
            f'# {self.word}\n\n```json\n{{"{self.key}": "{self.value}"}}\n```\n',
            f'[{self.word}](http://x.y/{self.name} "{self.value}")\n- a\n- b',
            f"| a | b |\n|---|---|\n| \\| | `{self.value}` |",
            f"> {self.value}\n\n1\\. {self.word} \\*not bold\\*",
            f'He wrote "{self.value}", "{self.word}": and "left"',
        )

    def html(self) -> str:
        return self.pick(
            f'<div {self.key}="{self.name}" id="b">{self.value}</div>',
            f'<a href="{self.value}">{self.word}</a>\n<br/>',
            f"<script>var x = {{\"{self.key}\": '{self.word}'}};</script>",
            f'<input {self.key}="{self.name}" {self.key}={self.number}>',
            f'<p title="{self.word}", {self.key}="x">\n</p>',
        )

    def settings_files(self) -> str:
        return self.pick(
            f'[{self.word}]\n{self.key} = "{self.value}"\n{self.key} = {self.number}',
            f"{self.key}: \"{self.value}\"\n{self.key}: '{self.name}'",
            f'{self.key}:\n  - {self.value}\n  - "{self.word}"',
            f"{self.key.upper()}=\"{self.value}\"\n{self.name.upper()}='{self.word}'  # {self.value}",
            f'{self.key} = """\n{self.value}\n"""',
            f"path = \"C:\\\\{self.name}\"\n{self.key} = '{self.value}'",
        )

    def sql(self) -> str:
        return self.pick(
            f'SELECT "{self.key}", \'{self.value}\' FROM {self.word} WHERE a = "{self.name}"',
            f"INSERT INTO {self.word} VALUES ('{self.value}', \"{self.value}\");\nCOMMIT;",
            f"SELECT * FROM t -- \"{self.value}\"\nWHERE {self.key} LIKE '%\\_%' ESCAPE '\\'",
            f"UPDATE {self.word} SET {self.key} = '{self.value}', id = {self.number}",
            f'CREATE TABLE "{self.word}" ("{self.key}" text, "id" int);',
        )

    def json_in_json(self) -> str:
        return self.pick(
            f'{{"{self.key}": "{self.value}"}}',
            f'{{"{self.key}": {{"{self.key}": {self.number}}}, "x": ["{self.value}"]}}',
            f'["{self.value}", "{self.word}"]',
            f'{{"name": "note", "arguments": {{"text": "{self.word}"}}}}',
            f'{{"{self.key}": "say \\"{self.word}\\""}}',
            f'","{self.key}":"{self.word}',
            f'{{\n  "{self.key}": "C:\\\\{self.name}",\n  "y": null\n}}',
        )

    def python(self) -> str:
        return self.pick(
            f'open(p, "w", encoding="{self.value}")',
            f'print("{self.value}\\n")\nreturn {{"{self.key}": "{self.word}"}}',
            f'def {self.word}():\n    """Return {self.value}."""\n    return r"\\{self.name}"',
            f"x = '{self.word}' if y else \"{self.value}\"  # {self.value}",
            f'f("{self.word}", {self.key}="{self.value}", y={{"a": 1}})',
            f"re.sub(r'\\s+', ' ', \"{self.value}\")",
        )

    def javascript(self) -> str:
        return self.pick(
            f"const {self.word} = {{ {self.key}: \"{self.value}\", y: '{self.name}' }};",
            f'fetch("/{self.name}", {{method: "POST", body: `{self.value}`}}) // {self.word}',
            f'console.log("a\\tb", "{self.value}");\n}}',
            f'if (s === "}}") {{ return ["{self.word}"]; }}',
        )

    def c_and_go(self) -> str:
        return self.pick(
            f'#include "{self.name}.h"\nprintf("%d\\n", {self.number});',
            f'char *s = "{self.value}"; /* "{self.word}" */',
            f'fmt.Printf("%q: %v\\n", "{self.key}", map[string]int{{"{self.word}": {self.number}}})',
            f"char c = '\\{self.pick('n', 't', '0', 'x41')}'; char *p = \"{self.name}\";",
            f'type T struct {{\n\tName string `json:"{self.key}"`\n}}',
        )

    def java_and_rust(self) -> str:
        return self.pick(
            f'String {self.word} = "{self.value}" + "\\u00e9";',
            f'println!("{{}}: {self.value}", "{self.key}");\nlet s = r#"{self.word}"#;',
            f'@Path("/{self.name}") @Named(value="{self.key}")\nclass A {{}}',
            f'map.put("{self.key}", "{self.value}"); // "{self.word}"',
        )


KINDS = tuple(
    name
    for name, member in vars(_Maker).items()
    if callable(member) and name not in {"pick", "lines"} and not name.startswith("_")
)


def generate(each: int) -> Iterator[tuple[str, str]]:
    """Give this many different texts of each kind, with the kind."""
    for kind in KINDS:
        maker = _Maker(kind)
        make: Callable[[], str] = getattr(maker, kind)
        texts: dict[str, None] = {}
        while len(texts) < each:
            texts[maker.lines(make) if len(texts) % 3 == 2 else make()] = None
        yield from ((kind, text) for text in texts)
