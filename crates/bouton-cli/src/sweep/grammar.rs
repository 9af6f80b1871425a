//! What stands behind `key=` in a sweep: `a,b,c`, `1..5`, `lin(0,1,5)`, `log(1e-4,1e-1,7)`, and lists of these.

use bouton::{Error, Result};

/// Most points of a sweep, and so most values of a key.
pub(crate) const MOST: usize = 10_000;

/// The values that `text` means; one if it means itself.
///
/// # Errors
/// [`Error::Config`] if there are none, more than [`MOST`], or if a bracket is left open.
pub(crate) fn values(text: &str) -> Result<Vec<String>> {
    let mut values = Vec::new();
    for item in split(text)? {
        values.extend(expand(item)?);
        few(values.len() as u128)?;
    }
    Ok(values)
}

/// Whether `text` means several values.
pub(crate) fn is_several(text: &str) -> bool {
    values(text).is_ok_and(|values| values.len() > 1)
}

/// Refuses more than [`MOST`] points.
pub(crate) fn few(points: u128) -> Result<()> {
    if points <= MOST as u128 {
        return Ok(());
    }
    Err(Error::config(format!("{points} points are too many, a sweep has at most {MOST}"))
        .with_hint("give fewer values, or make several sweeps of it"))
}

/// The parts of `text` between commas that stand in no brackets and in no quotes.
fn split(text: &str) -> Result<Vec<&str>> {
    let (mut items, mut from, mut open, mut quote) = (Vec::new(), 0, Vec::new(), None);
    let (mut before, mut escaped) = (',', false);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(q), _) => quote = (q != c).then_some(q),
            // An apostrophe within a word is one.
            (None, '"' | '\'') if ",=([{".contains(before) => quote = Some(c),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ')' | ']' | '}') if open.pop() != Some(c) => return Err(unclosed()),
            (None, ',') if open.is_empty() => {
                items.push(text[from..i].trim());
                from = i + 1;
            }
            _ => {}
        }
        before = if c.is_whitespace() { before } else { c };
    }
    items.push(text[from..].trim());
    match (open.is_empty() && quote.is_none(), items.contains(&"")) {
        (false, _) => Err(unclosed()),
        (true, true) if items.len() == 1 => Err(empty("there is no value")),
        (true, true) => Err(empty("between two commas, or beside one, there is no value")),
        (true, false) => Ok(items),
    }
}

fn unclosed() -> Error {
    Error::config("a bracket or a quote is not closed")
        .with_hint("put text with brackets or commas in it in quotes: '\"a,b\"'")
}

fn empty(message: &str) -> Error {
    Error::config(message).with_hint("values stand between commas; empty text is '\"\"'")
}

/// The values of one item: a range, evenly spread numbers, or itself.
fn expand(item: &str) -> Result<Vec<String>> {
    let ends = item.split_once("..");
    if let Some((Ok(first), Ok(last))) = ends.map(|(a, b)| (a.parse(), b.parse())) {
        return range(first, last);
    }
    let call = |name: &str| item.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    match (call("lin"), call("log")) {
        (Some(inside), _) => spread(item, inside, |a, b, share| a + (b - a) * share),
        (_, Some(inside)) => spread(item, inside, |a, b, share| a * (b / a).powf(share)),
        _ => Ok(vec![item.to_owned()]),
    }
}

fn range(first: i64, last: i64) -> Result<Vec<String>> {
    if first > last {
        return Err(Error::config(format!("the range {first}..{last} is empty"))
            .with_hint(format!("both ends belong to a range: {last}..{first}")));
    }
    few(last.abs_diff(first) as u128 + 1)?;
    Ok((first..=last).map(|n| n.to_string()).collect())
}

/// Numbers from one to another as `at` puts them by their share of the way.
fn spread(item: &str, inside: &str, at: impl Fn(f64, f64, f64) -> f64) -> Result<Vec<String>> {
    let example = "for example lin(0,1,5) or log(1e-4,1e-1,7): from, to, how many";
    let unread = || Error::config(format!("`{item}` is not understood")).with_hint(example);
    let [from, to, n] = inside.split(',').map(str::trim).collect::<Vec<_>>()[..] else {
        return Err(unread());
    };
    let end = |text: &str| text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(unread);
    let (from, to, n) = (end(from)?, end(to)?, n.parse::<u64>().map_err(|_| unread())?);
    if item.starts_with("log") && (from <= 0.0 || to <= 0.0) {
        return Err(Error::config(format!("`{item}`: equal factors need ends above 0"))
            .with_hint("lin(…) goes from and to any number"));
    }
    if n < 2 {
        return Err(Error::config(format!("`{item}` has fewer than two values")).with_hint(example));
    }
    few(n.into())?;
    let number = |i: u64| match i {
        0 => from,
        i if i == n - 1 => to,
        i => tidy(at(from, to, i as f64 / (n - 1) as f64)),
    };
    Ok((0..n).map(|i| written(number(i))).collect())
}

/// Twelve digits: what should be 0.001 is 0.001, and so the same recipe as if somebody had written it.
fn tidy(x: f64) -> f64 {
    format!("{x:.11e}").parse().unwrap_or(x)
}

/// As TOML has it; whole numbers fit keys for whole numbers.
fn written(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e15 { format!("{x}") } else { format!("{x:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, says: &str) {
        let error = values(text).unwrap_err();
        assert!(error.to_string().contains(says) && error.hint().is_some(), "{text}: {error}");
    }

    #[test]
    fn lists_are_split_at_the_top_alone() {
        assert_eq!(values("0.1, 0.2,1e-3").unwrap(), ["0.1", "0.2", "1e-3"]);
        assert_eq!(values("[1,2],[3,4]").unwrap(), ["[1,2]", "[3,4]"]);
        assert_eq!(values("{adam={lr=0.1,beta1=0.8}},sgd").unwrap(), ["{adam={lr=0.1,beta1=0.8}}", "sgd"]);
        assert_eq!(
            values(r#""a,b",'c,"d',it's,"e\",f""#).unwrap(),
            [r#""a,b""#, r#"'c,"d'"#, "it's", r#""e\",f""#]
        );
        assert_eq!(values("[\"a]\", 1],2").unwrap(), ["[\"a]\", 1]", "2"]);
        assert_eq!(values("plain").unwrap(), ["plain"]);
        for (text, says) in
            [("", "no value"), ("1,,2", "two commas"), ("1,", "two commas"), (",", "two commas")]
        {
            refused(text, says);
        }
        for open in ["[1,2", "1]", "(1]", "\"a,b", "{a=[1}]"] {
            refused(open, "not closed");
        }
    }

    #[test]
    fn ranges_have_both_their_ends() {
        assert_eq!(values("1..3").unwrap(), ["1", "2", "3"]);
        assert_eq!(values("-1..1,7").unwrap(), ["-1", "0", "1", "7"]);
        assert_eq!(values("5..5").unwrap(), ["5"]);
        assert_eq!(values("a..b,../1..2").unwrap(), ["a..b", "../1..2"], "paths are no ranges");
        refused("5..1", "5..1 is empty");
        refused("1..10001", "10001 points are too many");
        refused("-9223372036854775808..9223372036854775807", "too many");
        refused("1..6000,1..6000", "12000 points are too many");
    }

    #[test]
    fn numbers_are_spread_evenly_and_read_well() {
        assert_eq!(values("lin(0,1,5)").unwrap(), ["0", "0.25", "0.5", "0.75", "1"]);
        assert_eq!(values("lin(0.3, 0, 4)").unwrap(), ["0.3", "0.2", "0.1", "0"]);
        assert_eq!(values("log(1e-4,1e-1,4)").unwrap(), ["0.0001", "0.001", "0.01", "0.1"]);
        assert_eq!(values("log(1,8,4),9").unwrap(), ["1", "2", "4", "8", "9"]);
        for (text, says) in [
            ("log(0,1,3)", "above 0"),
            ("log(-1,1,3)", "above 0"),
            ("lin(0,1,1)", "fewer than two"),
            ("lin(0,1,0)", "fewer than two"),
            ("lin(0,1)", "not understood"),
            ("lin(0,1,x)", "not understood"),
            ("log(1,inf,3)", "not understood"),
            ("lin(0,1,99999999999)", "too many"),
        ] {
            refused(text, says);
        }
    }
}
