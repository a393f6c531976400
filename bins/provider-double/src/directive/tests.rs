use serde_json::json;

use super::*;

#[test]
fn stages_are_parted_by_then() {
    let say = |tokens, rate| Directive::Say(Spoken { tokens, rate });
    let input = json!({"a": [["]]"]]});

    assert_eq!(
        parse(
            r#"please [[say 3 tokens at 50/s]] and [[tool bash {"a":[["]]"]]} ]][[then]] [[text "]]\n"]] x"#
        ),
        Ok(vec![
            vec![
                say(3, Some(50)),
                Directive::Tool {
                    name: "bash".to_owned(),
                    input
                }
            ],
            vec![Directive::Text("]]\n".to_owned())],
        ])
    );
}

#[test]
fn faults_may_name_their_place() {
    let http = Http {
        status: 429,
        retry_after: Some(1),
        code: None,
        times: Some(2),
    };

    assert_eq!(
        parse(
            "[[http 429 times 2 retry-after 1]] [[error 529 after 10]] [[cut at-byte 5]] [[stall]] [[cut after 2]]"
        ),
        Ok(vec![vec![
            Directive::Http(http),
            Directive::Fault {
                fault: Fault::Error(529),
                after: 10
            },
            Directive::CutAtByte(5),
            Directive::Never,
            Directive::Fault {
                fault: Fault::Cut,
                after: 2
            },
        ]])
    );
}

#[test]
fn a_mistake_is_named() {
    assert_eq!(
        parse("[[sing 3]]"),
        Err("there is no directive [[sing]]".to_owned())
    );
    assert_eq!(
        parse("[[say many]]"),
        Err("many is not a number".to_owned())
    );
    assert_eq!(
        parse("[[html now]]"),
        Err("[[html]] does not understand now".to_owned())
    );
    assert_eq!(parse("[[say 3"), Err("[[say is not closed".to_owned()));
    assert_eq!(
        parse("[[http 200]]"),
        Err("200 is not the status of an error".to_owned())
    );
}

#[test]
fn a_plain_text_has_no_directives() {
    assert_eq!(parse("a[0] = b[c[1]]"), Ok(vec![vec![]]));
}
