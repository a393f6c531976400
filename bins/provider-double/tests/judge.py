"""Reads a double with the official Anthropic client; prints "all good" or fails. Needs its base address."""

import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="k", max_retries=0, timeout=20)
TOOLS = [{"name": "bash", "description": "runs", "input_schema": {"type": "object"}}]


def request(*messages, **more):
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 5000,
        "messages": list(messages),
        "tools": TOOLS,
        "thinking": {"type": "adaptive", "display": "summarized"},
        **more,
    }


def user(text):
    return {"role": "user", "content": text}


def stream(*messages):
    """Names of the raw events, and the message the client put together of them."""
    with client.messages.stream(**request(*messages)) as events:
        names = [event.type for event in events]
        return names, events.get_final_message()


def fails(error, *messages):
    try:
        stream(*messages)
    except error as caught:
        return caught
    raise AssertionError(f"{messages} did not raise {error}")


def text_thinking_and_usage():
    names, message = stream(user('[[think 4]] [[say 10]] [[text "☃"]]'))
    assert names[0] == "message_start" and names[-1] == "message_stop", names
    assert [block.type for block in message.content] == ["thinking", "text", "text"], message
    assert message.content[0].thinking == "thought0 thought1 thought2 thought3", message
    assert message.content[0].signature.startswith("sig"), message
    assert message.content[1].text == " ".join(f"tok{n}" for n in range(10)), message
    assert message.content[2].text == "☃", message
    assert message.stop_reason == "end_turn", message
    assert message.usage.output_tokens == 15 and message.usage.input_tokens > 0, message.usage
    assert message.model == "claude-opus-5-5" and message.id.startswith("msg_"), message


def tools_in_two_replies():
    asked = user('[[think 2]] [[tool bash {"command": "ls"}]] [[tool bash {}]] [[then]] [[say 3]]')
    _, first = stream(asked)
    assert first.stop_reason == "tool_use", first
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"command": "ls"}, {}], calls
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "ok"} for call in calls]
    content = [block.model_dump(exclude_none=True) for block in first.content]
    _, second = stream(asked, {"role": "assistant", "content": content}, {"role": "user", "content": results})
    assert [block.text for block in second.content] == ["tok0 tok1 tok2"], second


def stop_reasons():
    _, message = stream(user("[[say 9]] [[max_tokens 3]]"))
    assert message.stop_reason == "max_tokens" and message.usage.output_tokens == 3, message
    _, message = stream(user("[[refuse]]"))
    assert message.stop_reason == "refusal" and message.stop_details.type == "refusal", message


def odd_wires():
    for way in ["[[bytes 1]]", "[[crlf]]", "[[bytes 7]] [[crlf]]"]:
        _, message = stream(user(f'{way} [[text "漢字 🦀"]]'))
        assert message.content[0].text == "漢字 🦀", (way, message)


def errors():
    error = fails(anthropic.RateLimitError, user("[[http 429 retry-after 1]]"))
    assert error.response.headers["retry-after"] == "1", error.response.headers
    assert error.body["error"]["type"] == "rate_limit_error", error.body
    fails(anthropic.AuthenticationError, user("[[http 401]]"))
    fails(anthropic.BadRequestError, user("[[http 400]]"))
    error = fails(anthropic.APIStatusError, user("[[say 9]] [[error 529 after 3]]"))
    assert error.body["error"]["type"] == "overloaded_error", error.body
    fails(anthropic.APIError, user("[[http 529]]"))


def other_paths():
    counted = client.messages.count_tokens(model="claude-opus-5-5", messages=[user("hello")])
    assert counted.input_tokens > 0, counted
    assert "claude-opus-5-5" in [model.id for model in client.models.list()]


for check in [text_thinking_and_usage, tools_in_two_replies, stop_reasons, odd_wires, errors, other_paths]:
    check()
print("all good")
