//! What the book and the project's pages say: recipes and overrides are accepted, links and paths lead somewhere, and
//! every program is one that the doc tests run.

use bouton::recipe::Recipe;
use bouton::task::embedded::{DIGITS_NOTICE, FASHION_NOTICE};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// Languages of code blocks. A block without one would be compiled as Rust by the doc tests.
const LANGUAGES: [&str; 7] = ["python", "toml", "toml,fragment", "rust", "sh", "text", "json"];
/// Pages that are generated from the code; `cargo xtask check` tells whether they are there.
const GENERATED: [&str; 6] = [
    "reference/cli.md",
    "reference/combinations.md",
    "reference/members.md",
    "reference/recipe.md",
    "reference/recipe.schema.json",
    "REPRODUCIBILITY.md",
];
/// What the overrides of the pages are tried on.
const BASE: &str = "\
[task.mnist]
batch = 20
epochs = 1
[network]
layers = [784, 64, 32, 10]
[neuron.settle]
[credit.eq-prop]
beta = 0.5
free-steps = 20
nudged-steps = 4
[optim.sgd]
lr = 0.1
";

/// A code block: where its text begins, its language, its text.
struct Block {
    origin: String,
    language: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Markdown file below `folder`.
fn pages_below(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_below(&path, pages);
        } else if path.extension().is_some_and(|e| e == "md") {
            pages.push(path);
        }
    }
}

/// The pages of the book that people write.
fn book() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    pages_below(&root().join("docs/src"), &mut pages);
    pages.retain(|page| !GENERATED.iter().any(|generated| page.ends_with(generated)));
    pages.sort();
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

/// The pages of the book and the README.
fn pages() -> Vec<PathBuf> {
    let readme = root().join("README.md");
    book().into_iter().chain(readme.exists().then_some(readme)).collect()
}

/// The code blocks of a page, and the page without them.
fn split(page: &Path) -> (Vec<Block>, String) {
    let (mut blocks, mut prose, mut open) = (Vec::new(), String::new(), None::<Block>);
    for (i, line) in read(page).lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                let origin = format!("{}, block at line {}", page.display(), i + 1);
                open = Some(Block { origin, language: language.trim().into(), text: String::new() });
            }
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => prose += &format!("{line}\n"),
        }
    }
    assert!(open.is_none(), "{}: a code block is not closed", page.display());
    (blocks, prose)
}

/// The text between single backquotes.
fn spans(prose: &str) -> impl Iterator<Item = &str> {
    prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The text of every heading as it stands in a link.
fn anchors(page: &Path) -> Vec<String> {
    let slug = |line: &str| {
        let kept = line.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>()
            .replace(' ', "-")
    };
    split(page).1.lines().filter(|line| line.starts_with('#')).map(slug).collect()
}

#[test]
fn recipes_are_accepted() {
    let mut recipes = 0;
    for block in pages().iter().flat_map(|page| split(page).0) {
        if block.language == "toml" {
            let checked = Recipe::parse(&block.text, &block.origin).and_then(|recipe| recipe.check());
            checked.unwrap_or_else(|e| panic!("{}: {e} ({:?})", block.origin, e.hint()));
            recipes += 1;
        }
    }
    assert!(recipes >= 4, "only {recipes} recipes found");
}

#[test]
fn overrides_are_accepted() {
    let base = Recipe::parse(BASE, "base").unwrap();
    let is_key = |key: &str| {
        !key.is_empty()
            && !key.starts_with('-')
            && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
    };
    let mut overrides = 0;
    // Python's page is full of arguments, which look the same; sweeps and devices have tests of their own.
    let others = [
        "guides/python.md",
        "guides/sweep.md",
        "guides/own-device.md",
        "guides/continual-experiment.md",
        "guides/time.md",
    ];
    for page in pages().into_iter().filter(|page| !others.iter().any(|other| page.ends_with(other))) {
        let (blocks, prose) = split(&page);
        let commands = blocks.iter().filter(|b| b.language == "sh").map(|b| b.text.as_str());
        let lines = spans(&prose).chain(commands.flat_map(str::lines));
        let lines = lines.filter(|line| !line.starts_with("bouton sweep"));
        for word in lines.flat_map(str::split_whitespace) {
            let is_override =
                word.split_once('=').is_some_and(|(key, value)| is_key(key) && !value.is_empty());
            if is_override && word != "key=value" {
                let checked = base.with_overrides(&[word]).and_then(|recipe| recipe.check());
                checked.unwrap_or_else(|e| panic!("{}: `{word}`: {e} ({:?})", page.display(), e.hint()));
                overrides += 1;
            }
        }
    }
    assert!(overrides >= 10, "only {overrides} overrides found");
}

#[test]
fn links_lead_somewhere() {
    let more = ["ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    for page in pages().into_iter().chain(more) {
        let prose = split(&page).1;
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if link.starts_with("http") || GENERATED.iter().any(|g| file.ends_with(g)) {
                continue;
            }
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            let found = anchor.is_empty() || anchors(&target).iter().any(|a| a == anchor);
            assert!(found, "{}: {link}: no such heading", page.display());
        }
    }
}

#[test]
fn paths_of_the_architecture_exist() {
    let prose = split(&root().join("ARCHITECTURE.md")).1;
    let paths: Vec<&str> = spans(&prose).filter(|s| s.starts_with("crates/") && !s.contains('<')).collect();
    assert!(paths.len() > 15, "{paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn every_page_is_in_the_summary_and_its_programs_in_the_doc_tests() {
    let folder = root().join("docs/src");
    let (summary, library) =
        (read(&folder.join("SUMMARY.md")), read(&root().join("crates/bouton/src/lib.rs")));
    for page in book().into_iter().filter(|page| !page.ends_with("SUMMARY.md")) {
        let name = page.strip_prefix(&folder).unwrap().to_str().unwrap();
        assert!(summary.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
        for block in split(&page).0 {
            let known = LANGUAGES.contains(&block.language.as_str());
            assert!(known, "{}: language `{}`", block.origin, block.language);
        }
        let runs = library.contains(&format!("docs/src/{name}\""));
        assert!(runs || split(&page).0.iter().all(|b| b.language != "rust"), "{name} is not in lib.rs");
    }
}

#[test]
fn the_notice_holds_the_notices_of_the_embedded_data() {
    let notice = read(&root().join("NOTICE"));
    assert!(notice.contains(FASHION_NOTICE) && notice.contains(DIGITS_NOTICE));
}
