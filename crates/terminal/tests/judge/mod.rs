//! Reads terminal output as a terminal does and complains of everything a viewer must never get. It shares no code with
//! the gate: it decodes characters first and keeps no more than the state machine of the VT500 needs.

/// A reader of what came through the gate.
pub struct Judge {
    side: u64,
    pub clipboard: bool,
    state: State,
    partial: Vec<u8>,
    marks: usize,
    /// What the sequences so far cost the one who shows them.
    pub steps: usize,
}

enum State {
    Ground,
    Escape,
    Intermediate,
    Csi(String),
    /// A string and the character that opened it, as after an escape.
    Text(char, String),
}

impl Judge {
    pub fn new(side: u64) -> Self {
        Self {
            side,
            clipboard: false,
            state: State::Ground,
            partial: Vec::new(),
            marks: 0,
            steps: 0,
        }
    }

    /// The last of the output.
    pub fn finish(&mut self, bytes: &[u8]) {
        self.look(bytes);
        assert!(
            matches!(self.state, State::Ground),
            "the output ends inside a sequence"
        );
    }

    /// The next piece of output; what is no UTF-8 is passed over.
    pub fn look(&mut self, bytes: &[u8]) {
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let (valid, bad) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), 0),
                Err(error) => {
                    let valid = error.valid_up_to();
                    let unfinished = rest.len() - valid;
                    if error.error_len().is_none() {
                        self.partial = rest[valid..].to_vec();
                    }
                    (valid, error.error_len().unwrap_or(unfinished))
                }
            };
            for char in std::str::from_utf8(&rest[..valid]).unwrap().chars() {
                self.see(char);
            }
            rest = &rest[valid + bad..];
        }
    }

    fn see(&mut self, char: char) {
        assert_ne!(char, '\u{5}', "answerback");
        if let State::Text(kind, text) = &mut self.state {
            let ends = matches!(char, '\u{1b}' | '\u{9c}') || (char == '\u{7}' && *kind == ']');
            if ends {
                let (kind, text) = (*kind, std::mem::take(text));
                self.string(kind, &text);
                self.state = if char == '\u{1b}' {
                    State::Escape
                } else {
                    State::Ground
                };
                return;
            }
            assert!(!char.is_control(), "{char:?} inside a string");
            text.push(char);
            assert!(text.len() <= 64 * 1024, "a string that is too long");
            return;
        }
        match char {
            '\u{1b}' => self.state = State::Escape,
            '\u{90}' => self.state = State::Text('P', String::new()),
            '\u{9d}' => self.state = State::Text(']', String::new()),
            '\u{98}' | '\u{9e}' | '\u{9f}' => panic!("a string nobody shows"),
            '\u{9b}' => self.state = State::Csi(String::new()),
            '\u{18}' | '\u{1a}' | '\u{80}'..='\u{9f}' => self.state = State::Ground,
            _ => self.more(char),
        }
    }

    fn more(&mut self, char: char) {
        match &mut self.state {
            State::Ground => self.printed(char),
            State::Escape => match char {
                '\0'..='\u{1f}' | '\u{7f}' => {}
                '[' => self.state = State::Csi(String::new()),
                ']' | 'P' => self.state = State::Text(char, String::new()),
                'X' | '^' | '_' => panic!("a string nobody shows"),
                ' '..='/' => self.state = State::Intermediate,
                _ => self.state = State::Ground,
            },
            State::Intermediate => {
                if ('0'..='~').contains(&char) {
                    self.state = State::Ground;
                }
            }
            State::Csi(body) => match char {
                '\0'..='\u{1f}' | '\u{7f}' => {}
                '@'..='~' => {
                    let body = std::mem::take(body);
                    self.state = State::Ground;
                    self.sequence(&body, char);
                }
                _ => body.push(char),
            },
            State::Text(..) => {}
        }
    }

    fn printed(&mut self, char: char) {
        match char {
            '\u{300}'..='\u{36f}' | '\u{600}'..='\u{603}' | '\u{200b}'..='\u{200f}' => {
                self.marks += 1;
            }
            '\r' => self.marks = 0,
            _ if char.is_control() => {}
            _ => self.marks = 0,
        }
        assert!(self.marks <= 16, "too many marks on a cell");
    }

    fn sequence(&mut self, body: &str, last: char) {
        let numbers = body.split(|char: char| !char.is_ascii_digit());
        let largest = numbers
            .filter(|digits| !digits.is_empty())
            .map(|digits| digits.parse().unwrap_or(u64::MAX))
            .max()
            .unwrap_or(1);
        let counts = "LMSTbIZ@PX^}~".contains(last);
        let most = if counts { self.side } else { 65_535 };
        assert!(largest <= most, "CSI {body} {last}");
        if counts {
            self.steps += usize::try_from(largest).unwrap();
        }
        let intermediate = body.ends_with(|char| (' '..='/').contains(&char));
        let title =
            body == "22" || body == "23" || body.starts_with("22;") || body.starts_with("23;");
        assert!(last != 't' || intermediate || title, "CSI {body} t");
        assert_ne!(last, 'i', "printing");
    }

    fn string(&self, kind: char, text: &str) {
        if kind == 'P' {
            let known =
                text.contains("$q") || text.contains("+q") || text == "=1s" || text == "=2s";
            assert!(known && !text.starts_with('q'), "DCS {text}");
            return;
        }
        let (number, rest) = text.split_once(';').unwrap_or((text, ""));
        match number.parse::<u32>().unwrap() {
            0..=2 => assert!(rest.chars().count() <= 256),
            8 => {
                let (_, address) = rest.split_once(';').unwrap_or_default();
                let lower = address.to_lowercase();
                let web = lower.starts_with("http://") || lower.starts_with("https://");
                assert!(
                    address.is_empty() || (web && address.len() <= 2_048),
                    "{rest}"
                );
            }
            52 => assert!(self.clipboard && !rest.contains('?'), "OSC 52;{rest}"),
            9 | 99 | 777 | 1337 | 5113 => panic!("OSC {text}"),
            _ => {}
        }
    }
}
