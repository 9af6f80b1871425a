//! Trains a recipe from Rust: `cargo run --release -p bouton --example train -- recipes/quickstart.toml`.

use bouton::recipe::Recipe;
use bouton::train::{Event, Observer, RunOptions, run};

/// Prints every line of metrics.
struct Printer;

impl Observer for Printer {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::Metrics { record } = event {
            println!(
                "{:>7} {:>5} {:>7.1}s {:<6} {:.4?}",
                record.step, record.epoch, record.wall, record.split, record.values
            );
        }
    }
}

fn main() -> bouton::Result<()> {
    let mut words = std::env::args().skip(1);
    let path = words.next().unwrap_or_else(|| "recipes/quickstart.toml".into());
    let recipe = Recipe::load(&path)?.with_overrides(&words.collect::<Vec<_>>())?;
    let options = RunOptions::new("runs");
    let outcome = run(&recipe, &options, &mut Printer)?;
    println!("{outcome:?}");
    Ok(())
}
