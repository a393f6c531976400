//! Real sequences, hostile ones among them, and what damages them.

use crate::chance::Chance;

/// What hangs a browser, what abuses a viewer, and what every program says.
const CORPUS: [&[u8]; 72] = [
    b"\x1b[2147483647L",
    b"\x1b[2147483647M",
    b"\x1b[2147483647S",
    b"\x1b[2147483647T",
    b"x\x1b[2147483647b",
    b"\x1b[2147483647I",
    b"\x1b[2147483647Z",
    b"\x1b[99999@\x1b[99999P\x1b[99999X",
    b"\x1b[4294967297'}\x1b[65536'~",
    b"\x1b[70000;70000H",
    b"\x1b]52;c;?\x07",
    b"\x1b]52;c;aGVsbG8=\x1b\\",
    b"\x1b]0052;p;?\x1b\\",
    b"\x1b]4;1;?\x07",
    b"\x1b[21t",
    b"\x1b[20t\x1b[18t\x1b[14t",
    b"\x1b[3;0;0t\x1b[8;50;200t\x1b[2t",
    b"\x1b[>2t\x1b[22;0;0t\x1b[23;0;0t",
    b"\x05",
    b"\x1b[5i\x1b[?4i",
    b"\x1b]9;hello\x07",
    b"\x1b]9;4;1;50\x07",
    b"\x1b]777;notify;a;b\x1b\\",
    b"\x1b]99;i=1;hi\x1b\\",
    b"\x1b]1337;File=name=eA==:eA==\x07",
    b"\x1b]5113;ac=send\x1b\\",
    b"\x1b]5522;type=read\x1b\\",
    b"\x1b]50;#1\x07",
    b"\x1b]51;Eelisp\x07",
    b"\x1b]46;log\x07",
    b"\x1b]3;WM_NAME=x\x07",
    b"\x1b_Gt=f,f=32;L2V0Yw==\x1b\\",
    b"\x1b^pm\x1b\\",
    b"\x1bXsos\x1b\\",
    b"\x1bP0;0;0q#0~~\x1b\\",
    b"\x1bPtmux;\x1b\x1b]52;c;?\x07\x1b\\",
    b"\x1bP0;1|17/17\x1b\\",
    b"\x1bP$qm\x1b\\",
    b"\x1bP+q544e\x1b\\",
    b"\x1bP=1s\x1b\\",
    b"\x1b]8;;https://x.example/a\x1b\\link\x1b]8;;\x1b\\",
    b"\x1b]8;id=1;javascript:alert(1)\x07l\x1b]8;;\x07",
    b"\x1b]8\x07",
    b"\x1b]0;a title\x07",
    b"\x1b]2;\xe2\x80\xaeevil\x1b\\",
    b"\x1b]133;A\x07$ \x1b]133;B\x07",
    b"\x1b]7;file://host/tmp\x1b\\",
    b"\x1b]11;?\x07",
    b"\x1b[c\x1b[>c\x1b[6n\x1b[?6n\x1b[5n",
    b"\x1b[?1$p\x1b[4$p\x1b[>q\x1b[?u",
    b"\x1b[38;2;1;2;3;48:5:7m",
    b"\x1b[?1049h\x1b[2J\x1b[H",
    b"\x1b[?1049l",
    b"\x1b[1;24r\x1b[?6h",
    b"\x1b7\x1b8\x1b[s\x1b[u",
    b"\x1b[2K\r\x1b[1A",
    b"\x1bc\x1b[!p\x1b#8",
    b"\x1b(0lqk\x1b(B\x0e\x0f",
    b"\x1b[?25l\x1b[?2004h\x1b[?1006h",
    b"\xc2\x9b2147483647L",
    b"\xc2\x9d52;c;?\xc2\x9c",
    b"\xc2\x9d0;t\x07",
    b"\xc2\x90q#0~\xc2\x9c",
    b"\xc2\x9fG\xc2\x9c\xc2\x9e\xc2\x9c\xc2\x98\xc2\x9c",
    b"\xc2\x85\xc2\x8d\xc2\x84",
    b"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
    b"\xd8\x80\xe2\x80\x8d\xe2\x80\x8f",
    "日本語 für 👨\u{200d}👩".as_bytes(),
    b"ordinary text\r\n",
    b"\x1b[31mred\x1b[0m\ttab\x08",
    b"\x1b[21474\n83647L",
    b"\x1b]5\x022;c;?\x07",
];

/// What is put into the middle of others.
const BITS: [&[u8]; 26] = [
    b"\x1b",
    b"[",
    b"]",
    b"P",
    b"_",
    b"\\",
    b"\x07",
    b"\x18",
    b"\x1a",
    b"\x05",
    b"\x08",
    b"\n",
    b"\0",
    b"\x7f",
    b"\x9b",
    b"\xc2",
    b"\xc2\x9b",
    b"\xc2\x9c",
    b"\xc2\x9d",
    b"\xff",
    b"\xe2\x82",
    b"9999999999",
    b";",
    b":",
    b"?",
    b"\xcc\x81",
];

/// Some real sequences, damaged.
pub fn mutation(chance: &mut Chance) -> Vec<u8> {
    let many = 1 + chance.below(4);
    let mut bytes: Vec<u8> = (0..many)
        .flat_map(|_| chance.one_of(&CORPUS))
        .copied()
        .collect();
    for _ in 0..chance.below(5) {
        mutate(&mut bytes, chance);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let end = (at + chance.below(9)).min(bytes.len());
    match chance.below(8) {
        0..=2 => drop(bytes.splice(at..at, chance.one_of(&BITS).iter().copied())),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.extend_from_within(at..end),
        5 => bytes.truncate(at),
        6 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        _ => *bytes = eight_bit(bytes),
    }
}

/// The same with C1 controls for the sequences that begin with an escape.
fn eight_bit(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if let (0x1b, [second @ b'@'..=b'_', after @ ..]) = (first, tail) {
            out.extend([0xc2, second + 0x40]);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}
