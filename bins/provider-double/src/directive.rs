//! The directives a user's message may carry.

mod arguments;

use serde_json::Value;

use arguments::Arguments;

/// Every directive, for people.
pub const DIRECTIVES: &str = r#"Directives, written anywhere in the last message a user typed. What one reply says:
  [[say 200]]  [[say 200 tokens at 50/s]]     a text block: "tok0 tok1 tok2 …"
  [[say-utf8 100]]  [[say-utf8 100 at 50/s]]  the same with letters of several bytes
  [[clock 100]]  [[clock 100 at 50/s]]        tokens that say when they were sent: "t<nanoseconds since 1970> "
  [[text "any JSON string"]]                  a text block of your own
  [[think 20]]  [[think 20 at 50/s]]          signed thinking, if the request asks for it
  [[tool bash {"command":"ls"}]]              a tool call; several make one reply of them
  [[then]]                                    what follows is said after the tools' results
How it ends:
  [[max_tokens]]  [[max_tokens 10]]           stop reason max_tokens; or cut at 10 tokens
  [[refuse]]                                  stop reason refusal, with an explanation
  [[stop pause_turn]]                         any other stop reason
What goes wrong:
  [[http 401]]  [[http 429 retry-after 1]]    an HTTP error instead of an answer
  [[http 429 code enforced_spend_limit_reached]]  the same with an error_code
  [[http 529 times 2]]                        only the first 2 times a request is sent
  [[error 529]]  [[error 529 after 10]]       an HTTP error; or an error event after 10 tokens
  [[html]]                                    a web page with status 200
  [[stall]]  [[stall after 5]]                no answer at all; or silence after 5 tokens
  [[end after 10]]                            a tidy end after 10 tokens, but not a whole answer
  [[cut after 10]]  [[cut at-byte 1234]]      the connection dropped in the middle of an event
How it is sent:
  [[bytes 7]]                                 in pieces of 7 bytes, letters cut apart
  [[bom]]  [[crlf]]                           with a byte-order mark; with other line ends
  [[strange]]                                 with events, blocks and deltas nobody knows
A message without directives is echoed."#;

/// One thing the double is told to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Directive {
    Say(Spoken),
    SayUtf8(Spoken),
    Clock(Spoken),
    Think(Spoken),
    Text(String),
    Tool { name: String, input: Value },
    MaxTokens(Option<u64>),
    Stop(String),
    Http(Http),
    Fault { fault: Fault, after: u64 },
    Html,
    Never,
    CutAtByte(u64),
    Bytes(u64),
    Bom,
    Crlf,
    Strange,
}

/// How much to say, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub tokens: u64,
    pub rate: Option<u64>,
}

/// An HTTP error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Http {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub code: Option<String>,
    pub times: Option<u64>,
}

/// What goes wrong in the middle of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Error(u16),
    Stall,
    End,
    Cut,
}

/// The directives of a text, one list for each reply; or what is wrong with them.
pub(crate) fn parse(text: &str) -> Result<Vec<Vec<Directive>>, String> {
    let mut stages = vec![Vec::new()];
    let mut rest = text;
    while let Some((_, inner)) = rest.split_once("[[") {
        let (stage, after) = one(inner)?;
        rest = after;
        match (stage, stages.last_mut()) {
            (Some(directive), Some(last)) => last.push(directive),
            _ => stages.push(Vec::new()),
        }
    }
    Ok(stages)
}

/// Reads one directive, or none for `then`, and what follows it.
fn one(inner: &str) -> Result<(Option<Directive>, &str), String> {
    let end = inner
        .find(|letter: char| letter.is_whitespace() || letter == ']')
        .unwrap_or(inner.len());
    let (word, rest) = inner.split_at(end);
    match word {
        "text" => {
            let (value, rest) = json(rest)?;
            let text = value.as_str().ok_or("[[text …]] wants a JSON string")?;
            Ok((Some(Directive::Text(text.to_owned())), rest))
        }
        "tool" => {
            let (name, rest) = rest
                .trim_start()
                .split_once(char::is_whitespace)
                .ok_or("[[tool name {…}]] wants a name and an input")?;
            let (input, rest) = json(rest)?;
            Ok((
                Some(Directive::Tool {
                    name: name.to_owned(),
                    input,
                }),
                rest,
            ))
        }
        word => {
            let (arguments, rest) = rest
                .split_once("]]")
                .ok_or_else(|| format!("[[{word} is not closed"))?;
            let mut arguments = Arguments(arguments.split_whitespace().collect());
            let directive = plain(word, &mut arguments)?;
            arguments.finish(word)?;
            Ok((directive, rest))
        }
    }
}

fn plain(word: &str, arguments: &mut Arguments<'_>) -> Result<Option<Directive>, String> {
    Ok(Some(match word {
        "then" => return Ok(None),
        "say" => Directive::Say(arguments.spoken()?),
        "say-utf8" => Directive::SayUtf8(arguments.spoken()?),
        "clock" => Directive::Clock(arguments.spoken()?),
        "think" => Directive::Think(arguments.spoken()?),
        "max_tokens" => Directive::MaxTokens(arguments.optional_number()?),
        "refuse" => Directive::Stop("refusal".to_owned()),
        "stop" => Directive::Stop(arguments.word()?.to_owned()),
        "http" => Directive::Http(arguments.http()?),
        "error" => arguments.error()?,
        "html" => Directive::Html,
        "stall" => match arguments.keyed("after")? {
            Some(after) => Directive::Fault {
                fault: Fault::Stall,
                after,
            },
            None => Directive::Never,
        },
        "end" => Directive::Fault {
            fault: Fault::End,
            after: arguments.keyed("after")?.unwrap_or(0),
        },
        "cut" => match arguments.keyed("at-byte")? {
            Some(byte) => Directive::CutAtByte(byte),
            None => Directive::Fault {
                fault: Fault::Cut,
                after: arguments.keyed("after")?.unwrap_or(0),
            },
        },
        "bytes" => Directive::Bytes(arguments.number()?.max(1)),
        "bom" => Directive::Bom,
        "crlf" => Directive::Crlf,
        "strange" => Directive::Strange,
        _ => return Err(format!("there is no directive [[{word}]]")),
    }))
}

/// A JSON value and what follows the brackets behind it; the value may hold brackets of its own.
fn json(text: &str) -> Result<(Value, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values
        .next()
        .ok_or("a directive wants a JSON value")?
        .map_err(|error| error.to_string())?;
    let rest = text.get(values.byte_offset()..).unwrap_or("").trim_start();
    let rest = rest
        .strip_prefix("]]")
        .ok_or("a directive is not closed after its JSON value")?;
    Ok((value, rest))
}

#[cfg(test)]
mod tests;
