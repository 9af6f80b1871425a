//! Small symmetric systems of linear equations.

/// The inverse of a symmetric positive matrix (Gauss–Jordan on the matrix scaled to ones on its diagonal); none if it has none.
pub(super) fn inverse(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let scale: Vec<f64> = (0..n).map(|i| matrix[i][i].sqrt().recip()).collect();
    if !scale.iter().all(|s| s.is_finite() && *s > 0.0) {
        return None;
    }
    let unit = |i: usize, j: usize| f64::from(u8::from(i == j));
    let row = |i: usize| -> Vec<f64> {
        let left = (0..n).map(|j| matrix[i][j] * scale[i] * scale[j]);
        left.chain((0..n).map(|j| unit(i, j))).collect()
    };
    let mut rows: Vec<Vec<f64>> = (0..n).map(row).collect();
    for i in 0..n {
        let pivot = rows[i][i];
        // Beyond this the numbers of a measurement say nothing of each other.
        if pivot.is_nan() || pivot < 1e-12 {
            return None;
        }
        rows[i].iter_mut().for_each(|x| *x /= pivot);
        let reduced = rows[i].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(k, _)| *k != i) {
            let factor = row[i];
            row.iter_mut().zip(&reduced).for_each(|(x, r)| *x -= factor * r);
        }
    }
    Some((0..n).map(|i| (0..n).map(|j| rows[i][n + j] * scale[i] * scale[j]).collect()).collect())
}

/// The product of a matrix and a vector.
pub(super) fn times(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_by_hand() {
        let inverse = inverse(&[vec![4.0, 1.0], vec![1.0, 3.0]]).unwrap();
        let expected = [[3.0 / 11.0, -1.0 / 11.0], [-1.0 / 11.0, 4.0 / 11.0]];
        for (row, wanted) in inverse.iter().zip(expected) {
            assert!(row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-14), "{inverse:?}");
        }
        assert_eq!(times(&[vec![4.0, 1.0], vec![1.0, 3.0]], &[1.0, 2.0]), [6.0, 7.0]);
        assert!(super::inverse(&[vec![1.0, 1.0], vec![1.0, 1.0]]).is_none());
    }
}
