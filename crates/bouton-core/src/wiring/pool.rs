//! Pooling: the part P of a drive P(W(s)) that looks at windows of W's output.
//!
//! Max: p = max v. Average: p = mean v. Soft: p = Σ w v with w = e^{v/T}/Σ e^{v/T} (Laborieux & Zenke 2022). Around a state
//! P is linear, with ∂p/∂v 1 at the largest value, 1/k², or w (1 + (v − p)/T): what a forward pass leaves in its *choice*.
//! `backward` is the adjoint of that map, `jvp` the map itself, `hvp_input` how `backward` changes with v.

use bouton_kernels::{
    Complex, Elem, PoolShape, Real, View, ViewMut, avg_pool, avg_unpool, dispatch, max_pool, max_unpool,
    soft_pool, soft_unpool,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Pooling over square windows that do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PoolSpec {
    /// The largest drive of windows of this side.
    Max(#[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "2 is usual"))] usize),
    /// The mean drive of windows of this side.
    Average(#[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "2 is usual"))] usize),
    /// The mean weighted by exp(drive/temperature), which is smooth (Laborieux & Zenke 2022).
    Soft(SoftPool),
}

/// Soft pooling: Σ v e^{v/T} / Σ e^{v/T} over a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SoftPool {
    /// Side of the windows.
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "2 is usual"))]
    pub size: usize,
    /// Temperature T. Default 1.
    #[serde(default = "unit")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is the default"))]
    pub temperature: f64,
}

fn unit() -> f64 {
    1.0
}

impl PoolSpec {
    /// Side of the windows.
    pub fn size(&self) -> usize {
        match self {
            Self::Max(size) | Self::Average(size) | Self::Soft(SoftPool { size, .. }) => *size,
        }
    }
}

/// Pooling over windows of the output of a convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Which function of a window.
    pub spec: PoolSpec,
    /// Height, width and channels before pooling, and the side of the windows.
    pub shape: PoolShape,
}

impl Pool {
    /// Columns of the activity before pooling.
    pub fn inputs(&self) -> usize {
        self.shape.height * self.shape.width * self.shape.channels
    }

    /// Columns of the activity behind it.
    pub fn outputs(&self) -> usize {
        self.inputs() / (self.shape.size * self.shape.size)
    }

    /// Columns of the choice.
    pub fn pool_caches(&self) -> usize {
        match self.spec {
            PoolSpec::Max(_) => self.outputs(),
            PoolSpec::Average(_) => 0,
            PoolSpec::Soft(_) => self.inputs(),
        }
    }

    /// Whether ∂p/∂v jumps.
    pub fn is_kinked(&self) -> bool {
        matches!(self.spec, PoolSpec::Max(_))
    }

    /// Whether ∂p/∂v changes smoothly with v.
    pub fn is_curved(&self) -> bool {
        matches!(self.spec, PoolSpec::Soft(_))
    }

    /// p += P(v); leaves the choice.
    ///
    /// In complex numbers, the first half of all rows holds real parts, the second half imaginary ones.
    pub fn forward(&self, v: View<'_>, p: ViewMut<'_>, cache: ViewMut<'_>, complex: bool) {
        match self.spec {
            PoolSpec::Soft(s) if complex => self.soft_complex(s.temperature, v, p, cache),
            PoolSpec::Max(_) => max_pool(&self.shape, v, p, cache),
            PoolSpec::Average(_) => avg_pool(&self.shape, v, p),
            PoolSpec::Soft(s) => soft_pool(&self.shape, s.temperature, v, p, cache),
        }
    }

    /// v = (∂p/∂v)ᵀ g at the choice.
    pub fn backward(&self, cache: View<'_>, g: View<'_>, v: ViewMut<'_>, complex: bool) {
        match self.spec {
            PoolSpec::Soft(_) if complex => self.soft_backward_complex(cache, g, v),
            PoolSpec::Max(_) => max_unpool(&self.shape, g, cache, v),
            PoolSpec::Average(_) => avg_unpool(&self.shape, g, v),
            PoolSpec::Soft(_) => soft_unpool(&self.shape, g, cache, v),
        }
    }

    /// p += ∂p/∂v · u at the choice.
    pub fn jvp(&self, cache: View<'_>, u: View<'_>, mut p: ViewMut<'_>) {
        if let PoolSpec::Average(_) = self.spec {
            return avg_pool(&self.shape, u, p);
        }
        let (c, max) = (self.shape.channels, matches!(self.spec, PoolSpec::Max(_)));
        dispatch!(u.dtype(), T => for r in 0..u.rows() {
            let (u, cache, p) = (u.row::<T>(r), cache.row::<T>(r), p.row_mut::<T>(r));
            for (window, p) in p.chunks_exact_mut(c).enumerate() {
                for (k, at) in self.places(window).enumerate() {
                    let (u, here) = (&u[at * c..][..c], T::constant(k as f64));
                    if max {
                        let chosen = &cache[window * c..][..c];
                        (0..c).filter(|&j| chosen[j] == here).for_each(|j| p[j] += u[j]);
                    } else {
                        (0..c).for_each(|j| p[j] += cache[at * c + j] * u[j]);
                    }
                }
            }
        });
    }

    /// h += ∂/∂v ⟨u, backward(g)⟩ at activity `v`: nothing but for soft pooling, where with a = 1 + (v − p)/T
    /// ∂²p/∂v_i∂v_j = w_i [δ_ij (a_i + 1) − w_j (a_i + a_j)]/T.
    pub fn hvp_input(&self, v: View<'_>, g: View<'_>, u: View<'_>, mut h: ViewMut<'_>) {
        let PoolSpec::Soft(s) = self.spec else { return };
        let c = self.shape.channels;
        dispatch!(v.dtype(), T => for r in 0..v.rows() {
            let (v, g, u, h) = (v.row::<T>(r), g.row::<T>(r), u.row::<T>(r), h.row_mut::<T>(r));
            for (window, g) in g.chunks_exact(c).enumerate() {
                for (j, &g) in g.iter().enumerate() {
                    let places: Vec<usize> = self.places(window).map(|at| at * c + j).collect();
                    hvp_window(T::constant(s.temperature), &places, v, g, u, h);
                }
            }
        });
    }

    /// Soft pooling of complex numbers, window by window; the largest real part is taken off the exponents.
    fn soft_complex(&self, temperature: f64, v: View<'_>, p: ViewMut<'_>, cache: ViewMut<'_>) {
        let (c, n) = (self.shape.channels, v.rows() / 2);
        let ((mut p, mut q), (mut a, mut b)) = (p.split_rows(n), cache.split_rows(n));
        dispatch!(v.dtype(), T => for r in 0..n {
            let (re, im, t) = (v.row::<T>(r), v.row::<T>(n + r), T::constant(1.0 / temperature));
            let (p, q, a, b) = (p.row_mut::<T>(r), q.row_mut::<T>(r), a.row_mut::<T>(r), b.row_mut::<T>(r));
            for (at, (p, q)) in p.iter_mut().zip(q).enumerate() {
                let places: Vec<usize> = self.places(at / c).map(|place| place * c + at % c).collect();
                let z: Vec<_> = places.iter().map(|&i| Complex { re: re[i], im: im[i] }).collect();
                let (pooled, slopes) = soft(t, &z);
                (*p, *q) = (*p + pooled.re, *q + pooled.im);
                places.iter().zip(slopes).for_each(|(&i, slope)| (a[i], b[i]) = (slope.re, slope.im));
            }
        });
    }

    fn soft_backward_complex(&self, cache: View<'_>, g: View<'_>, v: ViewMut<'_>) {
        let (c, n) = (self.shape.channels, g.rows() / 2);
        let (mut re, mut im) = v.split_rows(n);
        dispatch!(g.dtype(), T => for r in 0..n {
            let (a, b, g, h) = (cache.row::<T>(r), cache.row::<T>(n + r), g.row::<T>(r), g.row::<T>(n + r));
            let (re, im) = (re.row_mut::<T>(r), im.row_mut::<T>(r));
            for (at, (&g, &h)) in g.iter().zip(h).enumerate() {
                for i in self.places(at / c).map(|place| place * c + at % c) {
                    let product = Complex { re: a[i], im: b[i] } * Complex { re: g, im: h };
                    (re[i], im[i]) = (product.re, product.im);
                }
            }
        });
    }

    /// Pixels of a window in the activity before pooling, row by row.
    fn places(&self, window: usize) -> impl Iterator<Item = usize> + use<> {
        let PoolShape { width, size, .. } = self.shape;
        let (y, x) = (window / (width / size) * size, window % (width / size) * size);
        (0..size * size).map(move |k| (y + k / size) * width + x + k % size)
    }
}

/// [`Pool::hvp_input`] of one window of one channel.
fn hvp_window<T: Elem>(t: T, places: &[usize], v: &[T], g: T, u: &[T], h: &mut [T]) {
    let top = places.iter().map(|&i| v[i]).fold(v[places[0]], T::max);
    let e: Vec<T> = places.iter().map(|&i| ((v[i] - top) / t).exp()).collect();
    let sum = |f: &dyn Fn(usize) -> T| (0..places.len()).map(f).fold(T::constant(0.0), |s, x| s + x);
    let norm = sum(&|k| e[k]);
    let w: Vec<T> = e.iter().map(|&e| e / norm).collect();
    let p = sum(&|k| w[k] * v[places[k]]);
    let a: Vec<T> = places.iter().map(|&i| T::constant(1.0) + (v[i] - p) / t).collect();
    let (wu, wau) = (sum(&|k| w[k] * u[places[k]]), sum(&|k| w[k] * a[k] * u[places[k]]));
    for (k, &i) in places.iter().enumerate() {
        h[i] += g / t * w[k] * ((a[k] + T::constant(1.0)) * u[i] - a[k] * wu - wau);
    }
}

/// p and ∂p/∂v of one window, for exponents t·v.
fn soft<T: Elem>(t: T, v: &[Complex<T>]) -> (Complex<T>, Vec<Complex<T>>) {
    use bouton_kernels::Analytic;
    let (zero, one): (Complex<T>, Complex<T>) = (Analytic::constant(0.0), Analytic::constant(1.0));
    let scale = |z: Complex<T>| Complex { re: z.re * t, im: z.im * t };
    let top = v.iter().map(|z| z.re).fold(v[0].re, T::max);
    let e: Vec<_> = v.iter().map(|z| Analytic::exp(scale(Complex { re: z.re - top, im: z.im }))).collect();
    let norm = e.iter().fold(zero, |s, &e| s + e);
    let w: Vec<_> = e.iter().map(|&e| e / norm).collect();
    let p = w.iter().zip(v).fold(zero, |s, (&w, &z)| s + w * z);
    let slope = |(&w, &z): (&Complex<T>, &Complex<T>)| w * (one + scale(z - p));
    (p, w.iter().zip(v).map(slope).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    const SHAPE: PoolShape = PoolShape { height: 4, width: 6, channels: 3, size: 2 };

    fn pools() -> [Pool; 3] {
        let soft = PoolSpec::Soft(SoftPool { size: 2, temperature: 0.7 });
        [PoolSpec::Max(2), PoolSpec::Average(2), soft].map(|spec| Pool { spec, shape: SHAPE })
    }

    fn noise(cols: usize, seed: usize) -> Mat {
        Mat::from_fn(DType::F64, 2, cols, |r, c| {
            ((r * 31 + c * 17 + seed * 7 + r * c * seed) % 23) as f64 / 11.0 - 1.0
        })
    }

    fn dot(a: &Mat, b: &Mat) -> f64 {
        a.to_f64s().iter().zip(b.to_f64s()).map(|(a, b)| a * b).sum()
    }

    /// P(v) and the choice at v.
    fn at(pool: &Pool, v: &Mat) -> (Mat, Mat) {
        let mut p = Mat::zeros(DType::F64, v.rows(), pool.outputs());
        let mut cache = Mat::zeros(DType::F64, v.rows(), pool.pool_caches());
        pool.forward(v.view(), p.view_mut(), cache.view_mut(), false);
        (p, cache)
    }

    fn moved(v: &Mat, u: &Mat, by: f64) -> Mat {
        let sum: Vec<f64> = v.to_f64s().iter().zip(u.to_f64s()).map(|(v, u)| v + by * u).collect();
        Mat::from_f64s(DType::F64, v.rows(), v.cols(), &sum)
    }

    #[test]
    fn jvp_is_the_derivative_and_backward_its_adjoint() {
        for pool in pools() {
            let (v, u, g) = (noise(pool.inputs(), 1), noise(pool.inputs(), 2), noise(pool.outputs(), 3));
            let cache = at(&pool, &v).1;
            let mut along = Mat::zeros(DType::F64, 2, pool.outputs());
            pool.jvp(cache.view(), u.view(), along.view_mut());
            let slope = |p: f64| dot(&at(&pool, &moved(&v, &u, p)).0, &g);
            let numeric = (slope(1e-6) - slope(-1e-6)) / 2e-6;
            assert!((numeric - dot(&along, &g)).abs() < 1e-8, "{:?}: {numeric}", pool.spec);
            let mut pulled = Mat::zeros(DType::F64, 2, pool.inputs());
            pool.backward(cache.view(), g.view(), pulled.view_mut(), false);
            assert!((dot(&pulled, &u) - dot(&along, &g)).abs() < 1e-12, "{:?}", pool.spec);
        }
    }

    /// Along the real axis as always, across it by the Cauchy-Riemann equations; the choice is the derivative.
    #[test]
    fn complex_soft_pooling_continues_the_real_one() {
        let pool = pools()[2];
        let both = |re: &Mat, im: &Mat| {
            let mut v = re.clone();
            v.append_rows(im.view());
            let mut p = Mat::zeros(DType::F64, v.rows(), pool.outputs());
            let mut cache = Mat::zeros(DType::F64, v.rows(), pool.pool_caches());
            pool.forward(v.view(), p.view_mut(), cache.view_mut(), true);
            (p, cache)
        };
        let (v, u, zero) =
            (noise(pool.inputs(), 1), noise(pool.inputs(), 2), Mat::zeros(DType::F64, 2, pool.inputs()));
        let (p, cache) = both(&v, &zero);
        let real = at(&pool, &v);
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
        let (outputs, inputs) = (2 * pool.outputs(), 2 * pool.inputs());
        assert!(
            close(&p.to_f64s()[..outputs], &real.0.to_f64s())
                && close(&cache.to_f64s()[..inputs], &real.1.to_f64s())
        );
        // f(v + i e u) = f(v) + i e f'(v)·u.
        let across = both(&v, &moved(&zero, &u, 1e-6)).0.to_f64s();
        let mut along = Mat::zeros(DType::F64, 2, pool.outputs());
        pool.jvp(real.1.view(), u.view(), along.view_mut());
        let imaginary: Vec<f64> = across[outputs..].iter().map(|x| x / 1e-6).collect();
        assert!(imaginary.iter().zip(along.to_f64s()).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[test]
    fn hvp_input_is_the_change_of_backward() {
        for pool in pools() {
            let (v, u, g) = (noise(pool.inputs(), 1), noise(pool.inputs(), 2), noise(pool.outputs(), 3));
            let along = noise(pool.inputs(), 4);
            let vjp = |v: &Mat| {
                let mut pulled = Mat::zeros(DType::F64, 2, pool.inputs());
                pool.backward(at(&pool, v).1.view(), g.view(), pulled.view_mut(), false);
                dot(&pulled, &u)
            };
            let numeric = (vjp(&moved(&v, &along, 1e-6)) - vjp(&moved(&v, &along, -1e-6))) / 2e-6;
            let mut h = Mat::zeros(DType::F64, 2, pool.inputs());
            pool.hvp_input(v.view(), g.view(), u.view(), h.view_mut());
            assert!((numeric - dot(&h, &along)).abs() < 1e-7, "{:?}: {numeric}", pool.spec);
        }
    }
}
