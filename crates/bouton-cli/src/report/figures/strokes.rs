//! Letters made of strokes, for pictures of dots, which cannot rely on a font of the reader.
//!
//! A letter is a list of lines, each a row of places of two digits: x from 0 to 6, y from 0 (below the base line, which is 2)
//! over 7 (the height of an x) to 9 (the height of an X).

use super::drawing::{Align, Point, Words, width};

/// Every letter with its lines.
const LETTERS: [(char, &str); 90] = [
    ('0', "294967644222040729"),
    ('1', "173932"),
    ('2', "07294967660262"),
    ('3', "08294968674626 466563422203"),
    ('4', "52590464"),
    ('5', "69190627476564422203"),
    ('6', "593917050422426465462604"),
    ('7', "096922"),
    ('8', "26070829496867462605032242636546"),
    ('9', "123254666749290706254567"),
    ('a', "6762 6647270504224263"),
    ('b', "0902 0627476564422203"),
    ('c', "6647270504224263"),
    ('d', "6962 6647270504224263"),
    ('e', "05656647270504224263"),
    ('f', "59392822 0747"),
    ('g', "6761402001 6647270504224263"),
    ('h', "0902 0627476662"),
    ('i', "3732 3938"),
    ('j', "37312010 3938"),
    ('k', "0902 6704 2562"),
    ('l', "3932"),
    ('m', "0702 0617273632 3647576662"),
    ('n', "0702 0627476662"),
    ('o', "274765644222040527"),
    ('p', "0700 0627476564422203"),
    ('q', "6760 6647270504224263"),
    ('r', "0702 052757"),
    ('s', "66472706155463422203"),
    ('t', "29233252 0757"),
    ('u', "0703224263 6762"),
    ('v', "073267"),
    ('w', "0712365267"),
    ('x', "0762 6702"),
    ('y', "0732 672000"),
    ('z', "07670262"),
    ('A', "023962 1454"),
    ('B', "02094968674606 4665634202"),
    ('C', "6849290704224263"),
    ('D', "02093967643202"),
    ('E', "69090262 0656"),
    ('F', "690902 0656"),
    ('G', "68492907042242636545"),
    ('H', "0902 6962 0666"),
    ('I', "3932"),
    ('J', "5953322203"),
    ('K', "0902 6904 2662"),
    ('L', "090262"),
    ('M', "0209346962"),
    ('N', "02096269"),
    ('O', "294967644222040729"),
    ('P', "02094968664505"),
    ('Q', "294967644222040729 4461"),
    ('R', "02094968664505 3562"),
    ('S', "684929080716556463422203"),
    ('T', "0969 3932"),
    ('U', "090422426469"),
    ('V', "093269"),
    ('W', "0912375269"),
    ('X', "0962 6902"),
    ('Y', "093532 6935"),
    ('Z', "09690262"),
    ('.', "3233"),
    (',', "3321"),
    (':', "3233 3637"),
    (';', "3321 3637"),
    ('-', "1555"),
    ('−', "0565"),
    ('–', "0565"),
    ('+', "0565 3238"),
    ('=', "0464 0666"),
    ('±', "0666 3339 0262"),
    ('(', "49272341"),
    (')', "29474321"),
    ('[', "49292141"),
    (']', "29494121"),
    ('/', "0169"),
    ('|', "3931"),
    ('%', "0269 1928170819 5463524354"),
    ('_', "0161"),
    ('*', "3935 1856 5816"),
    ('<', "680562"),
    ('>', "086502"),
    ('\'', "3937"),
    ('"', "2927 4947"),
    ('#', "2229 4249 0464 0767"),
    ('!', "3934 3233"),
    ('?', "08294968673534 3233"),
    ('²', "182949581555"),
    ('…', "0203 3233 6263"),
];
/// What stands for any other letter: a box.
const OTHER: &str = "0209696202";
/// Height of a step of y in the size of the text.
const STEP: f64 = 0.103;
/// Width of a stroke in the size of the text.
const STROKE: f64 = 0.075;

/// The lines of a text and the width of their stroke, in points.
pub(super) fn strokes(words: &Words) -> (Vec<Vec<Point>>, f64) {
    let Words { text, at: (x, y), size, align, up, bold } = words;
    let before = match align {
        Align::Left => 0.0,
        Align::Middle => 0.5 * width(text, *size),
        Align::Right => width(text, *size),
    };
    let (mut lines, mut start) = (Vec::new(), -before);
    for letter in text.chars() {
        let room = width(letter.encode_utf8(&mut [0; 4]), *size);
        for line in lines_of(letter) {
            let place = |(a, b): (f64, f64)| {
                // Letters have a tenth of their room free on both sides.
                let (right, above) = (start + room * (0.1 + 0.8 * a / 6.0), STEP * size * (b - 2.0));
                if *up { (x - above, y - right) } else { (x + right, y - above) }
            };
            lines.push(line.into_iter().map(place).collect());
        }
        start += room;
    }
    (lines, size * STROKE * if *bold { 1.7 } else { 1.0 })
}

fn lines_of(letter: char) -> Vec<Vec<(f64, f64)>> {
    let known = LETTERS.iter().find(|(known, _)| *known == letter);
    let lines = if letter == ' ' { "" } else { known.map_or(OTHER, |(_, lines)| lines) };
    let digit = |byte: u8| f64::from(byte - b'0');
    let places =
        |line: &str| line.as_bytes().chunks(2).map(|pair| (digit(pair[0]), digit(pair[1]))).collect();
    lines.split_whitespace().map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_whole_and_in_their_boxes() {
        for (letter, lines) in LETTERS {
            assert!(lines.split(' ').all(|line| line.len() % 2 == 0 && line.len() > 3), "{letter}");
            let inside = |(x, y): &(f64, f64)| (0.0..=6.0).contains(x) && (0.0..=9.0).contains(y);
            assert!(lines_of(letter).iter().flatten().all(inside), "{letter}");
        }
        let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9');
        assert!(letters.clone().all(|c| LETTERS.iter().filter(|(known, _)| *known == c).count() == 1));
        assert!(lines_of(' ').is_empty() && lines_of('é') == lines_of('@'));
    }

    #[test]
    fn a_text_that_ends_at_a_place_stands_before_it() {
        let words =
            |align, up| Words { text: "Lx".into(), at: (50.0, 20.0), size: 10.0, align, up, bold: false };
        let ends = |words: &Words, of: fn(&Point) -> f64| {
            let all: Vec<f64> = strokes(words).0.iter().flatten().map(of).collect();
            all.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)))
        };
        let (left, right) = ends(&words(Align::Right, false), |p| p.0);
        assert!(left > 50.0 - width("Lx", 10.0) && right < 50.0, "{left} {right}");
        let (top, bottom) = ends(&words(Align::Left, false), |p| p.1);
        assert!((bottom - 20.0).abs() < 1e-9 && (top - 12.79).abs() < 1e-9, "{top} {bottom}");
        assert!(ends(&words(Align::Left, true), |p| p.1).1 < 20.0, "it goes up");
    }
}
