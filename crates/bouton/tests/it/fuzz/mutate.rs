//! Damage: what a valid file may become.

use bouton::rng::{Key, Stream};

/// Numbers at which sizes and counts break, as text.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "255",
    "256",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "2305843009213693953",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999",
    "0.5",
    "1e-400",
    "5e-324",
    "1e308",
    "1e999",
    "nan",
    "inf",
    "-inf",
    "true",
    "null",
    "\"x\"",
    "[]",
    "{}",
    "[1]",
    "1979-05-27",
    "0x7f",
    "1_000",
];

/// The same as 64 bits.
const WORDS: &[u64] = &[
    0,
    1,
    2,
    4,
    7,
    8,
    16,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    1 << 61,
    (1 << 61) + 1,
    i64::MAX as u64,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// The input of `key`: one of `seeds` after one to six damages. `tokens` are words of the format.
pub fn mutate(seeds: &[Vec<u8>], tokens: &[&str], key: &Key) -> Vec<u8> {
    let mut draws = key.stream();
    let mut input = pick(seeds, &mut draws).clone();
    let most = 2 * seeds.iter().map(Vec::len).max().unwrap_or(0) + 256;
    loop {
        damage(&mut input, seeds, tokens, &mut draws);
        input.truncate(most);
        // A third of the inputs has one damage: several hide each other.
        if draws.below(3) == 0 {
            return input;
        }
    }
}

fn damage(input: &mut Vec<u8>, seeds: &[Vec<u8>], tokens: &[&str], draws: &mut Stream) {
    let n = input.len();
    let at = place(n, draws);
    match draws.below(14) {
        0 | 1 if n > 0 => input[at.min(n - 1)] ^= 1 << draws.below(8),
        2 if n > 0 => input[at.min(n - 1)] = draws.below(256) as u8,
        3 => {
            splice(input, at, 0, &(0..1 + draws.below(8)).map(|_| draws.below(256) as u8).collect::<Vec<_>>())
        }
        4 => splice(input, at, length(n - at, draws), &[]),
        5 => input.truncate(draws.below(n as u64 + 1) as usize),
        6 => {
            let block = input[at..at + length(n - at, draws)].repeat(1 + draws.below(4) as usize);
            splice(input, place(n, draws), 0, &block);
        }
        7 => {
            let other = pick(seeds, draws);
            input.truncate(at);
            input.extend(&other[place(other.len(), draws)..]);
        }
        8 | 9 => word(input, at, draws),
        10 | 11 => number(input, at, draws),
        12 if !tokens.is_empty() => {
            let token = pick(tokens, draws).as_bytes();
            let over = if draws.below(2) == 0 { token.len() } else { 0 };
            splice(input, at, over, token);
        }
        _ => line(input, draws),
    }
}

/// Somewhere in 0..=n, half the time among the first 64.
fn place(n: usize, draws: &mut Stream) -> usize {
    let end = if draws.below(2) == 0 { n.min(64) } else { n };
    draws.below(end as u64 + 1) as usize
}

/// Of a block of at most `n`; short ones as often as long ones.
fn length(n: usize, draws: &mut Stream) -> usize {
    let most = (1_u64 << draws.below(14)).min(n as u64);
    draws.below(most + 1) as usize
}

fn pick<'a, T>(of: &'a [T], draws: &mut Stream) -> &'a T {
    &of[draws.below(of.len() as u64) as usize]
}

/// Puts `with` in place of up to `over` bytes.
fn splice(input: &mut Vec<u8>, at: usize, over: usize, with: &[u8]) {
    let end = (at + over).min(input.len());
    input.splice(at..end, with.iter().copied());
}

/// Overwrites a binary number of 1 to 8 bytes, of either byte order, by an interesting one or one nearby.
fn word(input: &mut Vec<u8>, at: usize, draws: &mut Stream) {
    let size = 1 << draws.below(4);
    let value = match draws.below(4) {
        0 => (input.len() as u64).wrapping_add(draws.below(5)).wrapping_sub(2),
        1 => {
            let old = input[at..].iter().take(size).rev().fold(0, |v, &b| v << 8 | u64::from(b));
            old.wrapping_add(draws.below(5)).wrapping_sub(2)
        }
        _ => *pick(WORDS, draws),
    };
    let bytes = value.to_le_bytes();
    let mut bytes = bytes[..size].to_vec();
    if draws.below(2) == 0 {
        bytes.reverse();
    }
    splice(input, at, size, &bytes);
}

/// Replaces the first number in digits behind `at`.
fn number(input: &mut Vec<u8>, at: usize, draws: &mut Stream) {
    let part = |b: &u8| b.is_ascii_digit() || b"+-._eE".contains(b);
    let Some(start) = input[at..].iter().position(u8::is_ascii_digit).map(|i| at + i) else { return };
    let size = input[start..].iter().take_while(|b| part(b)).count();
    splice(input, start, size, pick(NUMBERS, draws).as_bytes());
}

/// Deletes, doubles or moves a line.
fn line(input: &mut Vec<u8>, draws: &mut Stream) {
    let mut lines: Vec<Vec<u8>> = input.split_inclusive(|&b| b == b'\n').map(Into::into).collect();
    if lines.is_empty() {
        return;
    }
    let [from, to] = [0, 1].map(|_| draws.below(lines.len() as u64) as usize);
    let moved = if draws.below(2) == 0 { lines.remove(from) } else { lines[from].clone() };
    if draws.below(2) == 0 {
        lines.insert(to.min(lines.len()), moved);
    }
    *input = lines.concat();
}
