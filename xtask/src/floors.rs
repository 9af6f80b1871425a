//! Folders of the library know only what stands below them: no folder leads back to itself along `crate::…`, tests apart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which folders (or files at the root) name which others, with a file that does.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// Every way back in one of the two crates of the library, as `a → b (file) → … → a`; each set of folders that lead to one another
/// is told once.
pub fn problems(root: &Path) -> Vec<String> {
    ["crates/bouton-core/src", "crates/bouton/src"].iter().flat_map(|base| ways(&root.join(base))).collect()
}

fn ways(base: &Path) -> Vec<String> {
    let mut arrows = Arrows::new();
    let floors: BTreeSet<String> = names(base).into_iter().filter(|name| name != "lib").collect();
    walk(base, base, &floors, &mut arrows);
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for floor in &floors {
        if !told.contains(floor)
            && let Some(way) = back(&arrows, floor)
        {
            told.extend(way.iter().map(|(to, _)| to.clone()));
            let steps: String = way.iter().map(|(to, file)| format!(" → {to} ({file})")).collect();
            found.push(format!("folders of the library lead back to themselves: {floor}{steps}"));
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter_map(|e| Some(e.path().file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

fn walk(base: &Path, folder: &Path, floors: &BTreeSet<String>, arrows: &mut Arrows) {
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()) {
        if path.is_dir() {
            walk(base, &path, floors, arrows);
            continue;
        }
        let file = path.strip_prefix(base).unwrap_or(&path).display().to_string();
        let from = file.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        // Whole files that are compiled for tests alone.
        if file.ends_with("tests.rs") || file.ends_with("extremes.rs") || from == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for to in
                line.split("crate::").skip(1).map(first_word).filter(|to| floors.contains(to) && *to != from)
            {
                arrows.entry(from.clone()).or_default().entry(to).or_insert_with(|| file.clone());
            }
        }
    }
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The shortest way from a folder back to itself.
fn back(arrows: &Arrows, start: &str) -> Option<Vec<(String, String)>> {
    let mut ways = vec![(start.to_owned(), Vec::new())];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut next = Vec::new();
        for (at, way) in ways {
            for (to, file) in arrows.get(&at).into_iter().flatten() {
                let longer = [&way[..], &[(to.clone(), file.clone())]].concat();
                if to == start {
                    return Some(longer);
                }
                if seen.insert(to.clone()) {
                    next.push((to.clone(), longer));
                }
            }
        }
        ways = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_back_is_found_and_told() {
        let arrow = |to: &str| BTreeMap::from([(to.to_owned(), format!("{to}.rs"))]);
        let arrows =
            Arrows::from([("a".into(), arrow("b")), ("b".into(), arrow("c")), ("c".into(), arrow("a"))]);
        assert_eq!(back(&arrows, "b").map(|way| way.len()), Some(3));
        let straight = Arrows::from([("a".into(), arrow("b")), ("b".into(), arrow("c"))]);
        assert_eq!(back(&straight, "a"), None);
        assert_eq!(first_word("network::{A, B}"), "network");
    }
}
