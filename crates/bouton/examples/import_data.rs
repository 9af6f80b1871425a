//! Stores the data sets found in files, folders or packages: `import_data PATH... [--dir FOLDER]`.

use std::path::PathBuf;
use std::process::ExitCode;

use bouton::task::import::import;

fn main() -> ExitCode {
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let flag = paths.iter().position(|p| p.as_os_str() == "--dir");
    let dir = flag.filter(|&i| i + 1 < paths.len()).map(|i| paths.drain(i..).nth(1).unwrap_or_default());
    for path in &paths {
        match import(path, dir.as_deref()) {
            Ok(found) => {
                found.files.iter().for_each(|f| println!("{} {} {}", f.set, f.file, f.to.display()));
                found.damaged.iter().for_each(|why| eprintln!("skipped: {why}"));
            }
            Err(e) => {
                eprintln!("error: {e}\nhint: {}", e.hint().unwrap_or("none"));
                return ExitCode::from(e.exit_code());
            }
        }
    }
    ExitCode::SUCCESS
}
