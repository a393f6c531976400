//! Finds what looks like a secret: tokens with a known beginning, and private keys.

use super::REDACTED;

/// How a token looks: how it begins, and how many characters of which kind follow at least.
struct Pattern {
    prefix: &'static [u8],
    least: usize,
    kind: fn(u8) -> bool,
}

const fn pattern(prefix: &'static str, least: usize, kind: fn(u8) -> bool) -> Pattern {
    Pattern {
        prefix: prefix.as_bytes(),
        least,
        kind,
    }
}

/// As the ones who give them out document them, and `dpx_`, our own.
const PATTERNS: [Pattern; 26] = [
    pattern("ghp_", 36, alphanumeric),
    pattern("gho_", 36, alphanumeric),
    pattern("ghu_", 36, alphanumeric),
    pattern("ghs_", 36, alphanumeric),
    pattern("ghr_", 36, alphanumeric),
    pattern("github_pat_", 40, word),
    pattern("glpat-", 20, dashed),
    pattern("sk-ant-", 20, dashed),
    pattern("sk-proj-", 20, dashed),
    pattern("sk-svcacct-", 20, dashed),
    pattern("sk-or-v1-", 20, dashed),
    pattern("sk_live_", 16, alphanumeric),
    pattern("rk_live_", 16, alphanumeric),
    pattern("AKIA", 16, capital),
    pattern("ASIA", 16, capital),
    pattern("AIza", 35, dashed),
    pattern("xoxb-", 10, dashed),
    pattern("xoxp-", 10, dashed),
    pattern("xoxa-", 10, dashed),
    pattern("xoxr-", 10, dashed),
    pattern("xoxs-", 10, dashed),
    pattern("xapp-", 10, dashed),
    pattern("npm_", 36, alphanumeric),
    pattern("hf_", 30, alphanumeric),
    pattern("dpx_", 36, alphanumeric),
    pattern("pypi-", 50, dashed),
];
const PEM: &[u8] = b"-----BEGIN ";
const KEY: &[u8] = b"PRIVATE KEY-----";
const END: &[u8] = b"-----END ";
/// The longest name of a kind of key, in bytes.
const LONGEST_NAME: usize = 24;
/// How much of one token or of one key is redacted at most, in bytes.
const LONGEST_TOKEN: usize = 1_024;
const LONGEST_KEY: usize = 16 * 1024;
const LONGEST_LINE: usize = 80;

enum Fit {
    No,
    Maybe,
    Token(fn(u8) -> bool),
    Key,
}

#[derive(Debug)]
enum State {
    Plain,
    /// Inside a token, of which so much may follow.
    Token(fn(u8) -> bool, usize),
    /// Inside a private key, of which so much may follow.
    Key(usize),
}

/// A place in output.
#[derive(Debug)]
pub(super) struct Patterns {
    state: State,
    /// What may be the beginning of a secret, or of a line of a private key.
    held: Vec<u8>,
    /// The byte before those held: a token begins where no word goes on.
    before: u8,
    /// The bytes that secrets begin with.
    begins: [bool; 256],
}

impl Patterns {
    pub(super) fn new() -> Self {
        let mut begins = [false; 256];
        for prefix in PATTERNS.iter().map(|pattern| pattern.prefix).chain([PEM]) {
            begins[usize::from(prefix[0])] = true;
        }
        Self {
            begins,
            state: State::Plain,
            held: Vec::new(),
            before: b' ',
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some((first, later)) = rest.split_first() {
            if matches!(self.state, State::Plain) && self.held.is_empty() {
                let begins = |byte: &u8| self.begins[usize::from(*byte)];
                let run = rest.iter().position(begins).unwrap_or(rest.len());
                if let Some(last) = rest[..run].last() {
                    self.before = *last;
                    out.extend_from_slice(&rest[..run]);
                    rest = &rest[run..];
                    continue;
                }
            }
            self.step(*first, out);
            rest = later;
        }
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Gives out what is held; it is no longer looked at.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        if matches!(self.state, State::Key(_)) && !self.held.is_empty() {
            self.leave_key(out);
        }
        if let Some(last) = self.held.last() {
            self.before = *last;
            self.state = State::Plain;
        }
        out.append(&mut self.held);
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.state {
            State::Plain => self.in_plain(byte, out),
            State::Token(kind, left) if left > 0 && kind(byte) => {
                self.before = byte;
                self.state = State::Token(kind, left - 1);
            }
            State::Token(..) => {
                self.state = State::Plain;
                self.in_plain(byte, out);
            }
            State::Key(left) => self.in_key(byte, left, out),
        }
    }

    fn in_plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.held.push(byte);
        self.settle(out);
    }

    /// Gives out what cannot be the beginning of a secret.
    fn settle(&mut self, out: &mut Vec<u8>) {
        let mut given = 0;
        while given < self.held.len() {
            match fit(self.before, &self.held[given..]) {
                Fit::No => {
                    self.before = self.held[given];
                    out.push(self.before);
                    given += 1;
                    continue;
                }
                Fit::Maybe => break,
                Fit::Token(kind) => self.state = State::Token(kind, LONGEST_TOKEN),
                Fit::Key => self.state = State::Key(LONGEST_KEY),
            }
            out.extend_from_slice(REDACTED);
            // A key ends as it begins: with a hyphen.
            self.before = if matches!(self.state, State::Key(_)) {
                b'-'
            } else {
                b'_'
            };
            given = self.held.len();
        }
        self.held.drain(..given);
    }

    /// The line that is held is none of a key's, so it is looked at like any other.
    fn leave_key(&mut self, out: &mut Vec<u8>) {
        self.state = State::Plain;
        for byte in std::mem::take(&mut self.held) {
            self.step(byte, out);
        }
    }

    /// Holds a line until it is known whether it belongs to the key.
    fn in_key(&mut self, byte: u8, left: usize, out: &mut Vec<u8>) {
        self.held.push(byte);
        let fits = byte.is_ascii_alphanumeric() || b"+/=\r\n\t -:,".contains(&byte);
        if left == 0 || !fits || self.held.len() > LONGEST_LINE {
            self.leave_key(out);
            return;
        }
        self.state = State::Key(left - 1);
        let ended = self.held.starts_with(END) && self.held.ends_with(KEY);
        if ended {
            self.state = State::Plain;
        }
        if ended || byte == b'\n' {
            self.before = byte;
            self.held.clear();
        }
    }
}

/// Whether these bytes begin a secret, or are one.
fn fit(before: u8, bytes: &[u8]) -> Fit {
    let mut best = private_key(bytes);
    if word(before) {
        return best;
    }
    for Pattern {
        prefix,
        least,
        kind,
    } in &PATTERNS
    {
        let shared = prefix.len().min(bytes.len());
        let (head, rest) = bytes.split_at(shared);
        if head != &prefix[..shared] || !rest.iter().all(|byte| kind(*byte)) {
            continue;
        }
        if rest.len() >= *least {
            return Fit::Token(*kind);
        }
        best = Fit::Maybe;
    }
    best
}

fn private_key(bytes: &[u8]) -> Fit {
    let shared = PEM.len().min(bytes.len());
    let (head, name) = bytes.split_at(shared);
    if head != &PEM[..shared] {
        return Fit::No;
    }
    let fits =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" -".contains(byte);
    if !name.iter().all(fits) || name.len() > LONGEST_NAME + KEY.len() {
        return Fit::No;
    }
    if name.ends_with(KEY) {
        Fit::Key
    } else {
        Fit::Maybe
    }
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}
