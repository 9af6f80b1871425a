//! Products of ±1 in bits against plain integers.

use bouton_kernels::{
    BitLevel, BitMat, DType, Mat, bit_dots, bit_dots_at, bit_thresholds, bit_thresholds_at, par_bit_dots,
    par_bit_thresholds,
};
use proptest::prelude::*;

/// Reproducible bits.
fn noise(rows: usize, cols: usize, seed: u64) -> BitMat {
    let mut s = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    BitMat::from_fn(rows, cols, |_, _| {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        s >> 40 & 1 == 1
    })
}

/// Σ_c a(r, c) w(j, c) of the numbers ±1, row after row.
fn naive(a: &BitMat, w: &BitMat) -> Vec<i32> {
    let numbers = |m: &BitMat| -> Vec<Vec<i32>> {
        (0..m.rows()).map(|r| (0..m.cols()).map(|c| if m.get(r, c) { 1 } else { -1 }).collect()).collect()
    };
    let (a, w) = (numbers(a), numbers(w));
    let dot = |x: &[i32], y: &[i32]| x.iter().zip(y).map(|(x, y)| x * y).sum();
    a.iter().flat_map(|a| w.iter().map(|w| dot(a, w))).collect()
}

/// A threshold for each row of `w` around the products of the first row of `a`: often equal to one, now and then
/// reached always or never.
fn thresholds(dots: &[i32], m: usize) -> Vec<i32> {
    let around = |j: usize| dots.get(j).map_or(0, |d| d + (j % 3) as i32 - 1);
    let threshold = |j| match j % 7 {
        5 => i32::MIN,
        6 => i32::MAX,
        _ => around(j),
    };
    (0..m).map(threshold).collect()
}

fn layer(n: usize, m: usize, dots: &[i32], thresholds: &[i32], negated: &BitMat) -> BitMat {
    BitMat::from_fn(n, m, |r, j| (dots[r * m + j] >= thresholds[j]) != negated.get(0, j))
}

fn on_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// Lengths around the sizes of words, registers and rows, and anything up to `max`.
fn length(max: usize) -> impl Strategy<Value = usize> {
    let special = prop::sample::select(vec![0, 1, 7, 8, 9, 16, 17, 63, 64, 65, 127, 128, 129]);
    prop_oneof![special, 0..max]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn every_level_computes_the_integer_products(
        n in length(40),
        m in length(150),
        k in prop_oneof![length(140), prop::sample::select(vec![511, 512, 513, 1023, 1024, 1100, 2000])],
        seed: u64,
    ) {
        let (a, w, negated) = (noise(n, k, seed), noise(m, k, seed ^ 1), noise(1, m, seed ^ 2));
        let want = naive(&a, &w);
        let limits = thresholds(&want, m);
        let signs = layer(n, m, &want, &limits, &negated);
        let mut got = vec![7; n * m];
        for level in BitLevel::available() {
            got.fill(7);
            bit_dots_at(level, &a, &w, &mut got).unwrap();
            prop_assert_eq!(&got, &want, "{:?}", level);
            prop_assert_eq!(&bit_thresholds_at(level, &a, &w, &limits, &negated).unwrap(), &signs, "{:?}", level);
        }
        got.fill(7);
        bit_dots(&a, &w, &mut got);
        prop_assert_eq!(got, want);
        prop_assert_eq!(bit_thresholds(&a, &w, &limits, &negated), signs);
    }

    #[test]
    fn words_restore_the_matrix(rows in 0usize..9, cols in length(1100), seed: u64) {
        let m = noise(rows, cols, seed);
        prop_assert_eq!(BitMat::from_words(rows, cols, m.words()), Some(m.clone()));
        let row = cols.div_ceil(512).max(1) * 8;
        prop_assert_eq!(m.words().len(), rows * row);
        for bit in (0..rows * row * 64).step_by(if rows * row > 40 { 13 } else { 1 }) {
            let (mut words, (r, c)) = (m.words().to_vec(), (bit / (64 * row), bit % (64 * row)));
            words[bit / 64] ^= 1 << (bit % 64);
            let other = BitMat::from_words(rows, cols, &words);
            let changed = other.map(|other| (other.get(r, c), other == m));
            prop_assert_eq!(changed, (c < cols).then(|| (!m.get(r, c), false)), "row {}, bit {}", r, c);
        }
    }
}

#[test]
fn threads_change_nothing() {
    // Tall, wide, and large both ways; all large enough for several threads, none a multiple of the pieces.
    for (n, m, k) in [(3001, 11, 650), (3, 9001, 777), (200, 331, 391)] {
        let (a, w, negated) = (noise(n, k, 1), noise(m, k, 2), noise(1, m, 3));
        let mut want = vec![0; n * m];
        bit_dots(&a, &w, &mut want);
        let limits = thresholds(&want, m);
        let signs = bit_thresholds(&a, &w, &limits, &negated);
        assert_eq!(signs, layer(n, m, &want, &limits, &negated));
        for threads in [1, 2, 3, 5] {
            let mut got = vec![0; n * m];
            on_threads(threads, || par_bit_dots(&a, &w, &mut got));
            assert!(got == want, "products of {n} x {m} x {k} on {threads} threads");
            let got = on_threads(threads, || par_bit_thresholds(&a, &w, &limits, &negated));
            assert!(got == signs, "signs of {n} x {m} x {k} on {threads} threads");
        }
    }
}

#[test]
fn long_rows_that_all_agree_or_all_differ() {
    for k in [1, 64, 5000, 70_000] {
        let [plus, minus] = [true, false].map(|sign| BitMat::from_fn(9, k, |_, _| sign));
        for level in BitLevel::available() {
            for (w, want) in [(&plus, k as i32), (&minus, -(k as i32))] {
                let mut got = [0; 81];
                bit_dots_at(level, &plus, w, &mut got).unwrap();
                assert_eq!(got, [want; 81], "{level:?}, length {k}");
            }
        }
    }
}

#[test]
fn a_tie_reaches_its_threshold() {
    // 1 - 1 + 1 - 1 = 0 and 4 against thresholds just below, at and just above; the second half is flipped.
    let a = BitMat::from_fn(2, 4, |r, c| r == 1 || c % 2 == 0);
    let w = BitMat::from_fn(10, 4, |_, _| true);
    let limits = [-1, 0, 1, i32::MIN, i32::MAX, -1, 0, 1, i32::MIN, i32::MAX];
    let got = bit_thresholds(&a, &w, &limits, &BitMat::from_fn(1, 10, |_, j| j >= 5));
    let row = |r| (0..10).map(|j| u8::from(got.get(r, j))).collect::<Vec<_>>();
    assert_eq!(row(0), [1, 1, 0, 1, 0, 0, 0, 1, 0, 1]);
    assert_eq!(row(1), [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn signs_of_numbers() {
    for t in [DType::F32, DType::F64] {
        let special = [0.0, -0.0, 1e-40, -1e-40, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 3.0, -2.0];
        let m = BitMat::from_signs(Mat::from_f64s(t, 1, 9, &special).view());
        let got: Vec<bool> = (0..9).map(|c| m.get(0, c)).collect();
        assert_eq!(got, [true, true, true, false, true, false, false, true, false]);
        for cols in [0, 1, 63, 64, 65, 200, 512, 513] {
            let x = Mat::from_fn(t, 3, cols, |r, c| ((r * 37 + c * c) % 11) as f64 - 5.0);
            assert_eq!(BitMat::from_signs(x.view()), BitMat::from_fn(3, cols, |r, c| x.get(r, c) >= 0.0));
        }
    }
}

#[test]
fn words_that_fit_no_matrix_are_refused() {
    let shape = |bits: Option<BitMat>| bits.map(|b| (b.rows(), b.cols(), b.words().len()));
    assert_eq!(shape(BitMat::from_words(2, 512, &[0; 16])), Some((2, 512, 16)));
    assert!(BitMat::from_words(2, 512, &[0; 15]).is_none());
    assert!(BitMat::from_words(2, 513, &[0; 16]).is_none());
    assert_eq!(shape(BitMat::from_words(0, 5, &[])), Some((0, 5, 0)));
    assert!(BitMat::from_words(0, i32::MAX as usize, &[]).is_none());
    assert!(BitMat::from_words(usize::MAX / 4, 600, &[0; 16]).is_none());
    assert!(BitMat::from_words(1, usize::MAX, &[0; 8]).is_none());
}

#[test]
#[should_panic(expected = "products of rows of 3 with rows of 5")]
fn row_lengths_must_agree() {
    bit_dots(&noise(2, 3, 1), &noise(4, 5, 2), &mut [0; 8]);
}

#[test]
#[should_panic(expected = "room for 7 products of 2 and 4 rows")]
fn the_result_must_fit() {
    bit_dots(&noise(2, 3, 1), &noise(4, 3, 2), &mut [0; 7]);
}

#[test]
#[should_panic(expected = "3 thresholds and 1 x 4 negations for 4 rows")]
fn thresholds_must_fit() {
    bit_thresholds(&noise(2, 3, 1), &noise(4, 3, 2), &[0; 3], &noise(1, 4, 3));
}
