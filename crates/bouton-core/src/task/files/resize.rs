//! Images of another size, by areas: every new pixel is the mean of what it covers of the old ones.

/// One plane of `from` = [height, width] pixels as one of `to`.
pub(super) fn plane(pixels: &[u8], from: [usize; 2], to: [usize; 2]) -> Vec<u8> {
    let (rows, columns) = (covers(from[0], to[0]), covers(from[1], to[1]));
    let mut out = Vec::with_capacity(to[0] * to[1]);
    for row in &rows {
        for column in &columns {
            let sum: f64 = row
                .iter()
                .flat_map(|&(y, wy)| column.iter().map(move |&(x, wx)| (y * from[1] + x, wy * wx)))
                .map(|(at, weight)| weight * f64::from(pixels[at]))
                .sum();
            out.push(sum.round().clamp(0.0, 255.0) as u8);
        }
    }
    out
}

/// For each of `to` places, the old ones that it covers and their shares of it.
fn covers(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let step = from as f64 / to as f64;
    let place = |i: usize| {
        let (begin, end) = (i as f64 * step, (i + 1) as f64 * step);
        let last = (end.ceil() as usize).min(from);
        let share = |j: usize| (end.min((j + 1) as f64) - begin.max(j as f64)).max(0.0) / step;
        (begin as usize..last).map(|j| (j, share(j))).filter(|(_, share)| *share > 0.0).collect()
    };
    (0..to).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_pixel_is_the_mean_of_what_it_covers() {
        assert_eq!(plane(&[0, 10, 20, 30, 40, 50, 60, 70], [2, 4], [1, 2]), [25, 45]);
        // Three columns to two: thirds of 10 and 20, of 20 and 40.
        assert_eq!(plane(&[10, 20, 40], [1, 3], [1, 2]), [13, 33]);
        assert_eq!(plane(&[10, 20], [1, 2], [2, 4]), [10, 10, 20, 20, 10, 10, 20, 20]);
        let same: Vec<u8> = (0..35).collect();
        assert_eq!(plane(&same, [5, 7], [5, 7]), same);
    }
}
