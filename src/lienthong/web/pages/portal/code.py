"""One request as programs write it: curl, Python, Java, C#. Where a token is needed, a place is left for it and never filled."""

from __future__ import annotations

import json
from collections.abc import Mapping

TOKEN = "TOKEN"  # noqa: S105 # a place to fill, not a secret

_METHOD = {"GET": "HttpMethod.Get", "POST": "HttpMethod.Post", "PUT": "HttpMethod.Put", "DELETE": "HttpMethod.Delete"}


def samples(url: str, headers: Mapping[str, str], *, is_open: bool, verb: str = "GET", body: str = "") -> list[dict[str, str]]:
    """(language, text) in the order they are shown."""
    sent = dict(headers) if is_open else {"Authorization": f"Bearer {TOKEN}", **headers}
    return [
        {"name": "curl", "text": _curl(url, sent, verb, body)},
        {"name": "Python", "text": _python(url, sent, verb, body)},
        {"name": "Java", "text": _java(url, sent, verb, body)},
        {"name": "C#", "text": _csharp(url, sent, verb, body)},
    ]


def _curl(url: str, headers: Mapping[str, str], verb: str, body: str) -> str:
    parts = [
        f"curl {'' if verb == 'GET' else f'-X {verb} '}{_shell(url)}",
        *(f"  -H {_shell(f'{name}: {value}')}" for name, value in headers.items()),
    ]
    return " \\\n".join([*parts, f"  --data-raw {_shell(body)}"] if body else parts)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _text(value: str) -> str:
    """A literal of a text; JSON's is one in Python, Java and C# alike."""
    return json.dumps(value, ensure_ascii=True)


def _python(url: str, headers: Mapping[str, str], verb: str, body: str) -> str:
    said = ",\n".join(f"    {_text(name)}: {_text(value)}" for name, value in headers.items())
    call = "httpx.get(" if verb == "GET" else f"httpx.request(\n  {_text(verb)},"
    sent = f"\n  content={_text(body)}.encode()," if body else ""
    return f"import httpx\n\nanswer = {call}\n  {_text(url)},\n  headers={{\n{said}\n  }},{sent}\n  timeout=10,\n)\nanswer.raise_for_status()\nprint(answer.{'text' if verb != 'GET' else 'json()'})"


def _java(url: str, headers: Mapping[str, str], verb: str, body: str) -> str:
    said = "".join(f"\n    .header({_text(name)}, {_text(value)})" for name, value in headers.items())
    publisher = f"HttpRequest.BodyPublishers.ofString({_text(body)})" if body else "HttpRequest.BodyPublishers.noBody()"
    said += "" if verb == "GET" else f"\n    .method({_text(verb)}, {publisher})"
    return (
        f"HttpRequest request = HttpRequest.newBuilder(URI.create({_text(url)})){said}\n    .timeout(Duration.ofSeconds(10))\n    .build();\n"
        "HttpResponse<String> answer = HttpClient.newHttpClient()\n    .send(request, HttpResponse.BodyHandlers.ofString());\n"
        'System.out.println(answer.statusCode() + " " + answer.body());'
    )


def _csharp(url: str, headers: Mapping[str, str], verb: str, body: str) -> str:
    said = "".join(f"\nrequest.Headers.Add({_text(name)}, {_text(value)});" for name, value in headers.items() if name != "Content-Type")
    if body:
        media = headers.get("Content-Type", "application/json").partition(";")[0]
        said += f"\nrequest.Content = new StringContent({_text(body)}, Encoding.UTF8, {_text(media)});"
    return (
        f"using var client = new HttpClient {{ Timeout = TimeSpan.FromSeconds(10) }};\nvar request = new HttpRequestMessage({_METHOD.get(verb, f'new HttpMethod({_text(verb)})')}, {_text(url)});"
        f"{said}\nvar answer = await client.SendAsync(request);\nConsole.WriteLine(await answer.Content.ReadAsStringAsync());"
    )
