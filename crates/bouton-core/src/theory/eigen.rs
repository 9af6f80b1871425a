//! Eigenvalues of a small symmetric matrix by Jacobi's rotations (1846).
//!
//! On a positive definite matrix whose entries fall off along the diagonal the rotations keep the *relative* accuracy
//! of the smallest eigenvalues (Demmel & Veselić 1992), which carry the longest memories.

/// Eigenvalues and the first component of each unit eigenvector.
pub(super) fn jacobi(mut a: Vec<Vec<f64>>) -> Vec<(f64, f64)> {
    let n = a.len();
    let mut first: Vec<f64> = (0..n).map(|i| f64::from(i == 0)).collect();
    for _ in 0..60 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() > f64::EPSILON * (a[p][p] * a[q][q]).abs().sqrt() {
                    rotate(&mut a, &mut first, p, q);
                    rotated = true;
                }
            }
        }
        if !rotated {
            break;
        }
    }
    (0..n).map(|i| (a[i][i], first[i])).collect()
}

/// Zeroes a_pq by a rotation of the plane (p, q).
fn rotate(a: &mut [Vec<f64>], first: &mut [f64], p: usize, q: usize) {
    let off = a[p][q];
    let theta = (a[q][q] - a[p][p]) / (2.0 * off);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    a[p][p] -= t * off;
    a[q][q] += t * off;
    a[p][q] = 0.0;
    a[q][p] = 0.0;
    for k in (0..a.len()).filter(|&k| k != p && k != q) {
        let (x, y) = (a[k][p], a[k][q]);
        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
        a[p][k] = a[k][p];
        a[q][k] = a[k][q];
    }
    let (x, y) = (first[p], first[q]);
    (first[p], first[q]) = (c * x - s * y, s * x + c * y);
}

#[cfg(test)]
mod tests {
    use super::jacobi;

    #[test]
    fn path_graph() {
        // The Laplacian of a path of n with one grounded end: 2 − 2 cos((2k−1)π/(2n+1)).
        let n = 7;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 if i == 0 => 1.0,
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let mut found = jacobi((0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect());
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (k, (value, _)) in found.iter().enumerate() {
            let angle = (2 * k + 1) as f64 * std::f64::consts::PI / (2 * n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13, "{k} {value}");
        }
        let total: f64 = found.iter().map(|(_, v)| v * v).sum();
        assert!((total - 1.0).abs() < 1e-14);
        let mean: f64 = found.iter().map(|(l, v)| l * v * v).sum();
        assert!((mean - 1.0).abs() < 1e-13);
    }
}
