//! Markov chains of a few states, given by their transition matrix: row j = where state j goes.

/// Stationary occupancy by the elimination of Grassmann, Taksar & Heyman (1985): no subtraction, so that every entry
/// is exact to rounding however slow the chain.
pub(super) fn stationary(mut p: Vec<Vec<f64>>) -> Vec<f64> {
    let states = p.len();
    for k in (1..states).rev() {
        let leaves: f64 = p[k][..k].iter().sum();
        for i in 0..k {
            p[i][k] /= leaves;
            for j in 0..k {
                p[i][j] += p[i][k] * p[k][j];
            }
        }
    }
    let mut occupancy = vec![1.0];
    for j in 1..states {
        occupancy.push((0..j).map(|i| occupancy[i] * p[i][j]).sum());
    }
    let total: f64 = occupancy.iter().sum();
    occupancy.iter().map(|o| o / total).collect()
}

/// Modulus of the second-largest eigenvalue by Gelfand's formula lim ‖Bᵏ‖^(1/k), with B the chain without its
/// stationary part and k = 2⁴⁸.
pub(super) fn second_eigenvalue(p: Vec<Vec<f64>>) -> f64 {
    let still = stationary(p.clone());
    let mut b = p;
    b.iter_mut().for_each(|row| row.iter_mut().zip(&still).for_each(|(p, s)| *p -= s));
    let mut log = 0.0;
    for doubling in 0..48 {
        let norm = b.iter().flatten().fold(0.0, |m: f64, p| m.max(p.abs()));
        if norm < f64::EPSILON {
            return 0.0;
        }
        b.iter_mut().flatten().for_each(|p| *p /= norm);
        log += norm.ln() / 2f64.powi(doubling);
        b = square(&b);
    }
    log.exp()
}

fn square(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let entry = |row: &Vec<f64>, j: usize| row.iter().zip(a).map(|(x, r)| x * r[j]).sum();
    a.iter().map(|row| (0..a.len()).map(|j| entry(row, j)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_states() {
        let chain = |a: f64, b: f64| vec![vec![1.0 - a, a], vec![b, 1.0 - b]];
        for (a, b) in [(0.3, 0.1), (0.9, 0.8), (1e-9, 3e-9)] {
            let still = stationary(chain(a, b));
            assert!(
                (still[0] / (b / (a + b)) - 1.0).abs() < 1e-15
                    && (still[1] * (a + b) / a - 1.0).abs() < 1e-15
            );
            assert!((second_eigenvalue(chain(a, b)) - (1.0 - a - b).abs()).abs() < 1e-14, "{a} {b}");
        }
    }

    #[test]
    fn three_states_in_a_ring() {
        // Eigenvalues 1 and (1 + p e^(±2πi/3) − p): a complex pair.
        let p = 0.3;
        let ring = vec![vec![1.0 - p, p, 0.0], vec![0.0, 1.0 - p, p], vec![p, 0.0, 1.0 - p]];
        assert!(stationary(ring.clone()).iter().all(|s| (s - 1.0 / 3.0).abs() < 1e-15));
        let modulus = (1.0f64 - 1.5 * p).hypot(p * 0.75f64.sqrt());
        assert!((second_eigenvalue(ring) - modulus).abs() < 1e-14);
    }
}
