//! Distances between gradients.

/// ‖a‖.
pub fn norm(a: &[f64]) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// ‖a − b‖ / ‖b‖; 0 if both vanish.
pub fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    let difference: Vec<f64> = a.iter().zip(b).map(|(x, y)| x - y).collect();
    let (distance, size) = (norm(&difference), norm(b));
    if distance == 0.0 { 0.0 } else { distance / size }
}

/// Cosine of the angle between a and b.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / (norm(a) * norm(b))
}
