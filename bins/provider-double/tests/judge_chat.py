"""Reads a double's chat completions with the official OpenAI client; prints "all good" or fails. Needs its base address."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="k", max_retries=0, timeout=20)
TOOLS = [{"type": "function", "function": {"name": "bash", "description": "runs", "parameters": {"type": "object"}}}]


def user(text):
    return {"role": "user", "content": text}


def stream(*messages):
    """All chunks of an answer."""
    answer = client.chat.completions.create(
        model="local",
        messages=list(messages),
        tools=TOOLS,
        stream=True,
        stream_options={"include_usage": True},
    )
    return list(answer)


def said(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def finish(chunks):
    return [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1]


def calls(chunks):
    """The calls as a client puts them together, by index."""
    found = []
    for chunk in chunks:
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            if call.index == len(found):
                found.append({"id": call.id, "name": call.function.name, "arguments": ""})
            found[call.index]["arguments"] += call.function.arguments or ""
    return found


def fails(error, *messages):
    try:
        stream(*messages)
    except error as caught:
        return caught
    raise AssertionError(f"{messages} did not raise {error}")


def text_thinking_and_late_usage():
    chunks = stream(user('[[think 3]] [[say 10]] [[text "☃"]]'))
    assert said(chunks) == " ".join(f"tok{n}" for n in range(10)) + "☃", said(chunks)
    thought = "".join(
        (chunk.choices[0].delta.model_extra or {}).get("reasoning_content") or "" for chunk in chunks if chunk.choices
    )
    assert thought == "thought0 thought1 thought2", thought
    assert finish(chunks) == "stop", chunks[-2]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 14, chunks[-1]
    assert chunks[-1].usage.prompt_tokens > 0 and chunks[0].choices[0].delta.role == "assistant", chunks[0]


def tools_in_two_replies():
    asked = user('[[say 2]] [[tool bash {"command": "ls"}]] [[tool bash {}]] [[then]] [[say 3]]')
    first = stream(asked)
    assert finish(first) == "tool_calls", first
    made = calls(first)
    assert [json.loads(call["arguments"] or "{}") for call in made] == [{"command": "ls"}, {}], made
    answer = {
        "role": "assistant",
        "content": said(first),
        "tool_calls": [
            {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"] or "{}"}}
            for call in made
        ],
    }
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in made]
    second = stream(asked, answer, *results)
    assert said(second) == "tok0 tok1 tok2" and finish(second) == "stop", second
    assert "must be followed by tool messages" in str(fails(openai.BadRequestError, asked, answer, user("next")))


def ends_and_errors():
    assert finish(stream(user("[[say 50]] [[max_tokens 5]]"))) == "length"
    limited = fails(openai.RateLimitError, user("[[http 429 retry-after 3]]"))
    assert limited.response.headers["retry-after"] == "3", limited.response.headers
    within = fails(openai.APIError, user("[[say 5]] [[error 529 after 2]]"))
    assert "told to fail with 529" in str(within), within
    try:
        stream(user("[[say 5]] [[cut after 2]]"))
    except Exception:  # a torn connection is whatever the transport calls it
        return
    raise AssertionError("a torn answer was taken for a whole one")


text_thinking_and_late_usage()
tools_in_two_replies()
ends_and_errors()
print("all good")
