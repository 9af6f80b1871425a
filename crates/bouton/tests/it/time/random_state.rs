//! Numbers as numpy's legacy `RandomState(seed)` draws them: the Mersenne twister (Matsumoto & Nishimura 1998), 53 bits for a number
//! in [0, 1), Marsaglia's polar method for normal ones.

use bouton_kernels::{DType, Mat};

const N: usize = 624;

/// A generator and the second number of the last normal pair.
pub struct RandomState {
    words: [u32; N],
    used: usize,
    normal: Option<f64>,
}

impl RandomState {
    pub fn new(seed: u32) -> Self {
        let mut words = [seed; N];
        for i in 1..N {
            let last = words[i - 1] ^ words[i - 1] >> 30;
            words[i] = last.wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { words, used: N, normal: None }
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        if self.used == N {
            for i in 0..N {
                let y = self.words[i] & 1 << 31 | self.words[(i + 1) % N] & !(1 << 31);
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.words[i] = self.words[(i + 397) % N] ^ y >> 1 ^ odd;
            }
            self.used = 0;
        }
        let mut y = self.words[self.used];
        self.used += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        let [high, low] = [self.word() >> 5, self.word() >> 6].map(f64::from);
        (high * f64::from(1 << 26) + low) / (1_u64 << 53) as f64
    }

    /// Normal of mean 0 and standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        if let Some(second) = self.normal.take() {
            return second;
        }
        loop {
            let [x, y] = [(); 2].map(|()| 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let by = (-2.0 * square.ln() / square).sqrt();
                self.normal = Some(by * x);
                return by * y;
            }
        }
    }

    /// [rows, cols] of such numbers, rounded to 32 bits.
    pub fn mat(&mut self, rows: usize, cols: usize, draw: impl Fn(&mut Self) -> f64) -> Mat {
        Mat::from_fn(DType::F64, rows, cols, |_, _| f64::from(draw(self) as f32))
    }
}

/// `numpy.random.RandomState(1)`: `rand(2)`, then `randn(3)`.
#[test]
fn numbers_are_those_of_numpy() {
    let mut state = RandomState::new(1);
    assert_eq!([state.uniform(), state.uniform()], [0.417022004702574, 0.7203244934421581]);
    let normal = [state.normal(), state.normal(), state.normal()];
    assert_eq!(normal, [-0.5281717522634557, -1.0729686221561705, 0.8654076293246785]);
}
