//! Runs cases and judges them.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bouton::rng::Key;
use bouton::{Error, Result};

use super::mutate::mutate;

/// A case that takes longer is a failure.
const MOST: Duration = Duration::from_secs(1);

/// Something that reads files.
#[derive(Clone, Copy)]
pub struct Reader {
    pub name: &'static str,
    /// How many cases the tests run.
    pub short: u64,
    /// Small valid files.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub tokens: &'static [&'static str],
    /// Reads, and asserts that what it accepts is whole.
    pub read: fn(&[u8]) -> Result<()>,
}

/// How some cases went.
#[derive(Debug, Default)]
pub struct Tally {
    pub cases: u64,
    pub accepted: u64,
    /// The longest time and the case that took it.
    pub slowest: (Duration, u64),
    /// Number and complaint.
    pub failures: Vec<(u64, String)>,
}

/// Runs the cases of these numbers; `begin` sees each input first.
pub fn run(reader: &Reader, seed: u64, cases: Range<u64>, begin: &mut dyn FnMut(&[u8])) -> Tally {
    let (seeds, key) = ((reader.seeds)(), Key::new(seed).of(reader.name, 0));
    let mut tally = Tally::default();
    seeds.iter().enumerate().for_each(|(i, s)| {
        (reader.read)(s).unwrap_or_else(|e| panic!("{}: seed {i} is refused: {e}", reader.name));
    });
    for case in cases {
        let input = mutate(&seeds, reader.tokens, &key.of("case", case));
        begin(&input);
        let (judged, mut took) = timed(reader, &input);
        if took > MOST / 100 {
            // A busy machine may have been at fault, but seldom twice.
            took = took.min(timed(reader, &input).1);
        }
        tally.cases += 1;
        tally.slowest = tally.slowest.max((took, case));
        match judged {
            _ if took > MOST => tally.failures.push((case, format!("took {took:?}"))),
            Ok(accepted) => tally.accepted += u64::from(accepted),
            Err(why) => tally.failures.push((case, why)),
        }
    }
    tally
}

fn timed(reader: &Reader, input: &[u8]) -> (std::result::Result<bool, String>, Duration) {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| (reader.read)(input)));
    (judge(result), start.elapsed())
}

/// Whether the input was accepted.
fn judge(result: std::thread::Result<Result<()>>) -> std::result::Result<bool, String> {
    match result {
        Ok(Ok(())) => Ok(true),
        Ok(Err(e)) if matches!(e, Error::Io { .. }) || e.to_string().is_empty() || e.exit_code() != 2 => {
            Err(format!("unfit error: {e:?}"))
        }
        Ok(Err(_)) => Ok(false),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Err(format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?")))
        }
    }
}

impl Tally {
    /// As one line; `peak` is the most memory that the process ever held, KiB (0 if the system does not tell).
    pub fn to_json(&self) -> String {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak =
            status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        let (took, case) = self.slowest;
        serde_json::json!({
            "cases": self.cases, "accepted": self.accepted, "slowest_ms": took.as_secs_f64() * 1e3,
            "slowest_case": case, "peak_kib": peak.unwrap_or(0_u64), "failures": self.failures,
        })
        .to_string()
    }
}

/// Ends the process when a case does not end.
pub struct Watch(Arc<AtomicU64>);

impl Watch {
    /// Watches from now on.
    pub fn start() -> Self {
        let cases = Arc::new(AtomicU64::new(0));
        let seen = cases.clone();
        std::thread::spawn(move || {
            loop {
                let before = seen.load(Ordering::Relaxed);
                std::thread::sleep(60 * MOST);
                if before == seen.load(Ordering::Relaxed) {
                    eprintln!("a case does not end");
                    std::process::abort();
                }
            }
        });
        Self(cases)
    }

    /// A case begins.
    pub fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
