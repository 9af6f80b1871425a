//! Numbers for people.

/// Four digits that count, in plain notation from 0.001 to 100 000; whole numbers there have no decimals.
pub(crate) fn number(v: f64) -> String {
    match v.abs() {
        size if !size.is_finite() => "not finite".into(),
        size if v.fract() == 0.0 && size < 1e5 => format!("{v}"),
        size if (1e-3..1e5).contains(&size) => {
            let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
            format!("{v:.decimals$}")
        }
        _ => format!("{v:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let shown = [0.0, 1.0, 250.0, 0.97123, 0.5, 0.001234, 97.123, -12345.6].map(number);
        assert_eq!(shown, ["0", "1", "250", "0.9712", "0.5000", "0.001234", "97.12", "-12346"]);
        let shown = [2.5e-5, 1.2e-7, 3e9, f64::NAN, f64::INFINITY].map(number);
        assert_eq!(shown, ["2.500e-5", "1.200e-7", "3.000e9", "not finite", "not finite"]);
    }
}
