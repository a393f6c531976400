//! Finds known secrets in output that may be cut anywhere.

use std::collections::{BTreeMap, VecDeque};

/// A state of the automaton of Aho and Corasick: what of the output so far may be the beginning of a secret.
#[derive(Debug, Default)]
struct Node {
    next: BTreeMap<u8, usize>,
    /// The state for the longest end of this one's text that is another beginning.
    fail: usize,
    /// The length of this state's text.
    depth: usize,
    /// The length of the longest secret that ends here, or 0.
    ends: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Plain,
    /// The first byte of a secret.
    First,
    Rest,
}

/// A place in output, with every secret in sight.
#[derive(Debug)]
pub(super) struct Values {
    nodes: Vec<Node>,
    /// The bytes that secrets begin with.
    begins: [bool; 256],
    at: usize,
    /// Bytes that may turn out to be part of a secret; as many as the state is deep, but for those released.
    held: VecDeque<(u8, Mark)>,
}

impl Values {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut nodes = vec![Node::default()];
        for secret in secrets {
            insert(&mut nodes, secret);
        }
        link(&mut nodes);
        let mut begins = [false; 256];
        for byte in nodes[0].next.keys() {
            begins[usize::from(*byte)] = true;
        }
        Self {
            nodes,
            begins,
            at: 0,
            held: VecDeque::new(),
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some((first, later)) = rest.split_first() {
            if self.at == 0 && self.held.is_empty() {
                let begins = |byte: &u8| self.begins[usize::from(*byte)];
                let run = rest.iter().position(begins).unwrap_or(rest.len());
                if run > 0 {
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

    /// Gives out what is held. If a secret it began comes, only the rest of it is redacted.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        self.give(0, out);
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.at = self.follow(self.at, byte);
        self.held.push_back((byte, Mark::Plain));
        let ends = self.nodes[self.at].ends;
        if ends > 0 {
            self.cover(ends);
        }
        if self.nodes[self.at].next.is_empty() {
            // Nothing longer begins like this; what comes may only begin like its end.
            self.at = self.nodes[self.at].fail;
        }
        self.give(self.nodes[self.at].depth, out);
    }

    fn follow(&self, mut at: usize, byte: u8) -> usize {
        loop {
            if let Some(next) = self.nodes[at].next.get(&byte) {
                return *next;
            }
            if at == 0 {
                return 0;
            }
            at = self.nodes[at].fail;
        }
    }

    fn cover(&mut self, length: usize) {
        let from = self.held.len().saturating_sub(length);
        // What was released of it cannot be redacted any more.
        let mut first = true;
        for (_, mark) in self.held.range_mut(from..) {
            if !first {
                *mark = Mark::Rest;
            } else if *mark == Mark::Plain {
                *mark = Mark::First;
            }
            first = false;
        }
    }

    /// Gives out all but the last `keep` bytes.
    fn give(&mut self, keep: usize, out: &mut Vec<u8>) {
        while self.held.len() > keep {
            match self.held.pop_front() {
                Some((byte, Mark::Plain)) => out.push(byte),
                Some((_, Mark::First)) => out.extend_from_slice(super::REDACTED),
                Some((_, Mark::Rest)) | None => {}
            }
        }
    }
}

fn insert(nodes: &mut Vec<Node>, secret: &[u8]) {
    let mut at = 0;
    for byte in secret {
        let (new, depth) = (nodes.len(), nodes[at].depth + 1);
        let next = *nodes[at].next.entry(*byte).or_insert(new);
        if next == new {
            nodes.push(Node {
                depth,
                ..Node::default()
            });
        }
        at = next;
    }
    nodes[at].ends = secret.len();
}

/// Fills in where to go on when a byte does not fit, shorter texts first.
fn link(nodes: &mut [Node]) {
    let mut queue: VecDeque<usize> = nodes[0].next.values().copied().collect();
    while let Some(at) = queue.pop_front() {
        let inherited = nodes[nodes[at].fail].ends;
        nodes[at].ends = nodes[at].ends.max(inherited);
        let next: Vec<(u8, usize)> = nodes[at].next.iter().map(|(b, n)| (*b, *n)).collect();
        for (byte, child) in next {
            nodes[child].fail = fallback(nodes, nodes[at].fail, byte, child);
            queue.push_back(child);
        }
    }
}

fn fallback(nodes: &[Node], mut at: usize, byte: u8, child: usize) -> usize {
    loop {
        match nodes[at].next.get(&byte) {
            Some(next) if *next != child => return *next,
            _ if at == 0 => return 0,
            _ => at = nodes[at].fail,
        }
    }
}
