"""One request as programs write it: curl, Python, Java, C#. Where a token is needed, a place is left for it and never filled."""

from __future__ import annotations

import json
from collections.abc import Mapping

TOKEN = "TOKEN"  # noqa: S105 # a place to fill, not a secret


def samples(url: str, headers: Mapping[str, str], *, is_open: bool) -> list[dict[str, str]]:
    """(language, text) in the order they are shown."""
    sent = dict(headers) if is_open else {"Authorization": f"Bearer {TOKEN}", **headers}
    return [
        {"name": "curl", "text": _curl(url, sent)},
        {"name": "Python", "text": _python(url, sent)},
        {"name": "Java", "text": _java(url, sent)},
        {"name": "C#", "text": _csharp(url, sent)},
    ]


def _curl(url: str, headers: Mapping[str, str]) -> str:
    parts = [f"curl {_shell(url)}", *(f"  -H {_shell(f'{name}: {value}')}" for name, value in headers.items())]
    return " \\\n".join(parts)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _text(value: str) -> str:
    """A literal of a text; JSON's is one in Python, Java and C# alike."""
    return json.dumps(value, ensure_ascii=True)


def _python(url: str, headers: Mapping[str, str]) -> str:
    said = ",\n".join(f"    {_text(name)}: {_text(value)}" for name, value in headers.items())
    return f"import httpx\n\nanswer = httpx.get(\n  {_text(url)},\n  headers={{\n{said}\n  }},\n  timeout=10,\n)\nanswer.raise_for_status()\nprint(answer.json())"


def _java(url: str, headers: Mapping[str, str]) -> str:
    said = "".join(f"\n    .header({_text(name)}, {_text(value)})" for name, value in headers.items())
    return (
        f"HttpRequest request = HttpRequest.newBuilder(URI.create({_text(url)})){said}\n    .timeout(Duration.ofSeconds(10))\n    .build();\n"
        "HttpResponse<String> answer = HttpClient.newHttpClient()\n    .send(request, HttpResponse.BodyHandlers.ofString());\n"
        'System.out.println(answer.statusCode() + " " + answer.body());'
    )


def _csharp(url: str, headers: Mapping[str, str]) -> str:
    said = "".join(f"\nrequest.Headers.Add({_text(name)}, {_text(value)});" for name, value in headers.items())
    return (
        f"using var client = new HttpClient {{ Timeout = TimeSpan.FromSeconds(10) }};\nvar request = new HttpRequestMessage(HttpMethod.Get, {_text(url)});"
        f"{said}\nvar answer = await client.SendAsync(request);\nConsole.WriteLine(await answer.Content.ReadAsStringAsync());"
    )
