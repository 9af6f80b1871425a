//! Damaged inputs for every reader, by the million: blocks of cases in processes of limited memory, whose counts are kept
//! in a table. A block that dies is cut down to the case at fault.

use bouton::train::atomic;
use clap::Parser;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Cases between two lines of the table.
const BLOCK: u64 = 20_000;
/// KiB of address space of a process, a quarter of the 4 GiB that are promised.
const MEMORY: u64 = 1 << 20;
/// Parsers that releases do not optimise.
const PARSERS: [&str; 8] =
    ["serde_spanned", "tar", "toml", "toml_edit", "toml_parser", "toml_writer", "winnow", "zip"];
const HEAD: &str = "reader,seed,cases,accepted,failures,slowest_ms,slowest_case,peak_mib,version,commit,date";

/// Gives readers damaged files and counts how they take them. Exit code 1 if one panics, hangs, takes too much memory or
/// accepts what it cannot write again.
#[derive(Parser)]
#[command(name = "cargo xtask fuzz")]
struct Options {
    /// Which readers; all if none is named.
    readers: Vec<String>,
    /// Cases of each reader.
    #[arg(long, default_value_t = 100_000)]
    cases: u64,
    /// Names the cases together with their numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this case of one reader; its input is written to `target/fuzz`.
    #[arg(long)]
    case: Option<u64>,
    /// The table of counts, from which a run goes on.
    #[arg(long, default_value = "testdata/fuzz.csv")]
    out: PathBuf,
}

/// A line of the table.
#[derive(Clone, Debug, Default)]
struct Row {
    reader: String,
    seed: u64,
    cases: u64,
    accepted: u64,
    failures: u64,
    slowest_ms: f64,
    slowest_case: u64,
    peak_mib: u64,
    version: String,
    commit: String,
    date: String,
}

/// `cargo xtask fuzz` with the arguments of this process.
pub fn fuzz(root: &Path) -> Result<(), String> {
    let options = Options::parse_from(std::env::args().skip(1));
    let program = Program::build(root)?;
    let known = program.readers()?;
    if let Some(other) = options.readers.iter().find(|r| !known.contains(r)) {
        return Err(format!("no reader is called `{other}`; there are {}", known.join(", ")));
    }
    let readers = if options.readers.is_empty() { &known } else { &options.readers };
    if let Some(case) = options.case {
        let input = root.join(format!("target/fuzz/{}-{}-{case}", readers[0], options.seed));
        println!("input: {}", input.display());
        let told = program.run(&readers[0], options.seed, [case, case + 1], Some(&input));
        return told.map(|tally| println!("{tally}"));
    }
    let mut table = Table::load(&root.join(&options.out))?;
    let failures = readers.iter().map(|r| whole(&program, &mut table, r, &options));
    match failures.sum::<Result<u64, String>>()? {
        0 => Ok(()),
        n => Err(format!("{n} cases failed; again with --seed {} --case NUMBER", options.seed)),
    }
}

/// All cases of a reader that the table does not have yet. Answers with how many failed.
fn whole(program: &Program, table: &mut Table, reader: &str, options: &Options) -> Result<u64, String> {
    let mut row = table.row(reader, options.seed, &program.commit);
    while row.cases < options.cases {
        let end = options.cases.min(row.cases + BLOCK);
        for (case, why) in program.block(&mut row, end) {
            eprintln!("{reader} case {case}: {why}");
            row.failures += 1;
        }
        row.cases = end;
        row.date = jiff::Zoned::now().date().to_string();
        table.put(&row)?;
    }
    println!("{}", row.line());
    Ok(row.failures)
}

/// The test program that holds the readers.
struct Program {
    path: PathBuf,
    commit: String,
}

impl Program {
    /// Builds it with checks of overflow; a copy is run, so that later builds do not disturb.
    fn build(root: &Path) -> Result<Self, String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args([
            "test",
            "--release",
            "-p",
            "bouton",
            "--test",
            "it",
            "--no-run",
            "--message-format=json",
        ]);
        for check in ["overflow-checks", "debug-assertions"] {
            cargo.arg("--config").arg(format!("profile.release.package.bouton.{check}=true"));
        }
        for parser in PARSERS {
            cargo.arg("--config").arg(format!("profile.release.package.{parser}.opt-level=2"));
        }
        let built = cargo.current_dir(root).stderr(Stdio::inherit()).output().map_err(|e| e.to_string())?;
        let lines = String::from_utf8_lossy(&built.stdout).into_owned();
        let messages = lines.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        let path = messages
            .filter(|m| m["target"]["name"] == "it")
            .find_map(|m| m["executable"].as_str().map(PathBuf::from))
            .ok_or("the tests of bouton cannot be built")?;
        let copy = root.join("target/fuzz/it");
        let copied = std::fs::create_dir_all(root.join("target/fuzz")).and_then(|()| {
            std::fs::remove_file(&copy).ok();
            std::fs::copy(path, &copy)
        });
        copied.map_err(|e| format!("{}: {e}", copy.display()))?;
        let mut git = Command::new("git");
        let commit = git.args(["describe", "--always", "--dirty"]).current_dir(root).output();
        let commit = commit.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
        Ok(Self { path: copy, commit: commit.unwrap_or_default() })
    }

    fn say(&self, words: &str, input: Option<&Path>) -> Result<String, String> {
        // No `unsafe` for one limit: the shell sets it.
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")).arg(&self.path);
        shell.args(["--ignored", "--exact", "fuzz::long", "--nocapture", "--test-threads=1"]);
        shell.env("BOUTON_FUZZ", words);
        shell.envs(input.map(|path| ("BOUTON_FUZZ_INPUT", path)));
        let output = shell.output().map_err(|e| e.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = said.lines().rev().take(3).collect::<Vec<_>>().join(" | ");
        Err(format!("the process ended with {}: {last}", output.status))
    }

    fn readers(&self) -> Result<Vec<String>, String> {
        let said = self.say("list", None)?;
        Ok(said.lines().filter_map(|l| l.strip_prefix("reader ")).map(Into::into).collect())
    }

    fn run(
        &self,
        reader: &str,
        seed: u64,
        [first, end]: [u64; 2],
        input: Option<&Path>,
    ) -> Result<Value, String> {
        let said = self.say(&format!("{reader} {seed} {first} {end}"), input)?;
        let line = said.lines().find_map(|l| l.strip_prefix("fuzz ")).ok_or("no answer")?;
        serde_json::from_str(line).map_err(|e| e.to_string())
    }

    /// Adds the cases from `row.cases` to `end` to `row`, and answers with those that failed.
    fn block(&self, row: &mut Row, end: u64) -> Vec<(u64, String)> {
        let (mut failed, mut parts) = (Vec::new(), vec![[row.cases, end]]);
        while let Some([first, end]) = parts.pop() {
            match self.run(&row.reader, row.seed, [first, end], None) {
                Ok(tally) => failed.extend(row.add(&tally)),
                Err(why) if end - first == 1 => failed.push((first, why)),
                Err(_) => {
                    let size = (end - first).div_ceil(16);
                    parts.extend((first..end).step_by(size as usize).map(|at| [at, end.min(at + size)]));
                }
            }
        }
        failed
    }
}

impl Row {
    /// Takes the counts of a process.
    fn add(&mut self, tally: &Value) -> Vec<(u64, String)> {
        self.accepted += tally["accepted"].as_u64().unwrap_or(0);
        self.peak_mib = self.peak_mib.max(tally["peak_kib"].as_u64().unwrap_or(0).div_ceil(1024));
        let took = tally["slowest_ms"].as_f64().unwrap_or(0.0);
        if took > self.slowest_ms {
            (self.slowest_ms, self.slowest_case) = (took, tally["slowest_case"].as_u64().unwrap_or(0));
        }
        serde_json::from_value(tally["failures"].clone()).unwrap_or_default()
    }

    fn line(&self) -> String {
        let Self { reader, seed, cases, accepted, failures, slowest_case, peak_mib, .. } = self;
        let Self { slowest_ms, version, commit, date, .. } = self;
        format!(
            "{reader},{seed},{cases},{accepted},{failures},{slowest_ms:.1},{slowest_case},{peak_mib},{version},{commit},{date}"
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let f: Vec<&str> = line.split(',').collect();
        let [reader, seed, cases, accepted, failures, ms, case, peak, version, commit, date] = f[..] else {
            return None;
        };
        Some(Self {
            reader: reader.into(),
            seed: seed.parse().ok()?,
            cases: cases.parse().ok()?,
            accepted: accepted.parse().ok()?,
            failures: failures.parse().ok()?,
            slowest_ms: ms.parse().ok()?,
            slowest_case: case.parse().ok()?,
            peak_mib: peak.parse().ok()?,
            version: version.into(),
            commit: commit.into(),
            date: date.into(),
        })
    }
}

/// Counts by reader and seed, of one commit each.
struct Table {
    path: PathBuf,
    rows: Vec<Row>,
}

impl Table {
    fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let rows = text.lines().filter(|l| *l != HEAD);
        let rows = rows.map(|l| Row::parse(l).ok_or(format!("{}: garbled line {l}", path.display())));
        Ok(Self { path: path.into(), rows: rows.collect::<Result<_, _>>()? })
    }

    /// The row to go on with: that of the same program, or a new one.
    fn row(&self, reader: &str, seed: u64, commit: &str) -> Row {
        let same = |r: &&Row| r.reader == reader && r.seed == seed && r.commit == commit;
        self.rows.iter().find(same).cloned().unwrap_or_else(|| Row {
            reader: reader.into(),
            seed,
            version: env!("CARGO_PKG_VERSION").into(),
            commit: commit.into(),
            ..Row::default()
        })
    }

    fn put(&mut self, row: &Row) -> Result<(), String> {
        self.rows.retain(|r| (&r.reader, r.seed) != (&row.reader, row.seed));
        self.rows.push(row.clone());
        self.rows.sort_by(|a, b| (&a.reader, a.seed).cmp(&(&b.reader, b.seed)));
        let lines: String = self.rows.iter().map(|r| r.line() + "\n").collect();
        atomic::write(&self.path, format!("{HEAD}\n{lines}")).map_err(|e| e.to_string())
    }
}
