//! Metrics of continual learning, from the matrix R of accuracies.
//!
//! R(i, j) = accuracy on task j after learning task i; the baseline b_j is the accuracy before any training.
//! ACC = mean_j R(T, j);  learning accuracy = mean_j R(j, j);  BWT = mean_{j<T} (R(T, j) − R(j, j));
//! FWT = mean_{j>1} (R(j−1, j) − b_j)  (Lopez-Paz & Ranzato 2017);
//! forgetting, from learning: mean_{j<T} (R(j, j) − R(T, j)) = −BWT  (Avalanche);
//! forgetting, from the best: mean_{j<T} (max_{i<T} R(i, j) − R(T, j))  (Chaudhry et al. 2018, equation 3), negative where
//! the last task improved earlier ones;
//! forgetting, from the peak: mean_{j<T} (max_{i≤T} R(i, j) − R(T, j))  (Mammoth), never below either.

use std::collections::BTreeMap;

/// Metrics after the last row of `rows` (one row per learned task, NaN where a task was not tested); `baseline` is the
/// row before training, if it was measured. What needs a second task is absent with one.
pub fn summary(rows: &[Vec<f64>], baseline: Option<&[f64]>) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let (Some(last), tasks) = (rows.last(), rows.len()) else { return values };
    let mut put = |name: &str, terms: Vec<f64>| {
        let known: Vec<f64> = terms.into_iter().filter(|x| x.is_finite()).collect();
        if !known.is_empty() {
            values.insert(name.to_owned(), known.iter().sum::<f64>() / known.len() as f64);
        }
    };
    let seen = tasks.min(last.len());
    let best = |rows: &[Vec<f64>], j: usize| rows.iter().map(|r| r[j]).fold(f64::NAN, f64::max);
    put("acc", last[..seen].to_vec());
    put("learning-accuracy", (0..seen).map(|j| rows[j][j]).collect());
    put("bwt", (0..seen - 1).map(|j| last[j] - rows[j][j]).collect());
    put("forgetting.from-learning", (0..seen - 1).map(|j| rows[j][j] - last[j]).collect());
    put("forgetting.from-best", (0..seen - 1).map(|j| best(&rows[..tasks - 1], j) - last[j]).collect());
    put("forgetting.from-peak", (0..seen - 1).map(|j| best(rows, j) - last[j]).collect());
    if let Some(b) = baseline {
        put("fwt", (1..seen).map(|j| rows[j - 1][j] - b[j]).collect());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(values: &BTreeMap<String, f64>, name: &str, expected: f64) {
        assert!((values[name] - expected).abs() < 1e-12, "{name}: {}", values[name]);
    }

    #[test]
    fn two_tasks_by_hand() {
        let rows = [vec![0.9, 0.25], vec![0.6, 0.95]];
        let values = summary(&rows, Some(&[0.1, 0.125]));
        close(&values, "acc", 0.775);
        close(&values, "learning-accuracy", 0.925);
        close(&values, "bwt", -0.3);
        close(&values, "fwt", 0.125);
        close(&values, "forgetting.from-learning", 0.3);
        close(&values, "forgetting.from-best", 0.3);
        close(&values, "forgetting.from-peak", 0.3);
    }

    /// The best row may lie after the task's own: forgetting from the best is never below that from learning.
    #[test]
    fn forgetting_from_the_best_sees_later_rows() {
        let rows = [vec![0.8, 0.1, 0.1], vec![0.9, 0.9, 0.1], vec![0.7, 0.5, 0.9]];
        let values = summary(&rows, None);
        close(&values, "forgetting.from-best", (0.2 + 0.4) / 2.0);
        close(&values, "forgetting.from-learning", (0.1 + 0.4) / 2.0);
        assert!(!values.contains_key("fwt"));
    }

    /// The last task costs the first one four hits of 297 and wins two for the second. Chaudhry et al. count both; seen from
    /// the peak, nothing is ever won.
    #[test]
    fn what_the_last_task_improves_is_no_best_before_it() {
        let hits = |row: [f64; 3]| row.map(|n| n / 297.0).to_vec();
        let rows = [hits([250.0, 240.0, 200.0]), hits([253.0, 255.0, 220.0]), hits([249.0, 257.0, 258.0])];
        let values = summary(&rows, None);
        close(&values, "forgetting.from-learning", (1.0 - 2.0) / 2.0 / 297.0);
        close(&values, "forgetting.from-best", (4.0 - 2.0) / 2.0 / 297.0);
        close(&values, "forgetting.from-peak", (4.0 + 0.0) / 2.0 / 297.0);
    }

    #[test]
    fn a_frozen_network_forgets_nothing_and_what_was_not_tested_does_not_count() {
        let rows = [vec![0.5, f64::NAN], vec![0.5, 0.7]];
        let values = summary(&rows, Some(&[0.5, 0.7]));
        close(&values, "bwt", 0.0);
        assert!(!values.contains_key("fwt"));
        assert_eq!(summary(&rows[..1], None).len(), 2);
    }

    #[test]
    fn metrics_do_not_depend_on_the_names_of_tasks() {
        let rows = [vec![0.9, 0.2, 0.3], vec![0.7, 0.8, 0.4], vec![0.6, 0.5, 0.95]];
        let swapped: Vec<Vec<f64>> =
            [1, 0, 2].iter().map(|&i| vec![rows[i][1], rows[i][0], rows[i][2]]).collect();
        assert_eq!(summary(&rows, None)["acc"], summary(&swapped, None)["acc"]);
    }
}
