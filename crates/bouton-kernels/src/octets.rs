//! How many bits of a row differ from those of eight other rows, which lie side by side in a register.
//!
//! Three bits of the same weight are added to a sum x ⊕ y ⊕ z and a carry of twice the weight, so that one register in
//! eight is counted (W. Muła, N. Kurz, D. Lemire, The Computer Journal 61, 2018). Each row keeps its own 64-bit lane:
//! nothing is added across lanes.

use crate::bits::STEP;
#[cfg(target_arch = "x86_64")]
use crate::octets_x86 as x86;

/// Rows in a register.
pub(crate) const LANES: usize = 8;

/// One word of each of eight rows.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Octet(pub(crate) [u64; LANES]);

/// Rows of +1 and -1 that are multiplied with others.
pub(crate) struct Tile<'a, 'd, const N: usize> {
    /// Length of the dot products, in elements.
    pub(crate) k: usize,
    /// Length of a row, in words.
    pub(crate) width: usize,
    /// One row after the other.
    pub(crate) a: &'a [u64],
    /// `width` octets for eight rows, the same for the next eight, ...
    pub(crate) w: &'a [Octet],
    /// The products of each row of `a`.
    pub(crate) dots: &'d mut [[i32; N]],
}

/// A family of instructions that counts bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitLevel {
    /// What every machine of the target has.
    Portable,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors (F and BW).
    Avx512,
    /// 512-bit vectors with an instruction that counts bits (F, BW and VPOPCNTDQ).
    Avx512Popcnt,
}

impl BitLevel {
    /// All levels this machine can run, best first.
    pub fn available() -> Vec<BitLevel> {
        let all = [BitLevel::Avx512Popcnt, BitLevel::Avx512, BitLevel::Avx2, BitLevel::Portable];
        all.into_iter().filter(|l| l.runs()).collect()
    }

    /// Whether this machine can run it.
    fn runs(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self == BitLevel::Portable || x86::runs(self);
        #[cfg(not(target_arch = "x86_64"))]
        return self == BitLevel::Portable;
    }
}

/// A level that this machine can run.
#[derive(Clone, Copy)]
pub(crate) struct Counter(BitLevel);

impl Counter {
    /// The best one.
    pub(crate) fn best() -> Self {
        Counter(BitLevel::available()[0])
    }

    /// A given one, if the machine has it.
    pub(crate) fn new(level: BitLevel) -> Option<Self> {
        level.runs().then_some(Counter(level))
    }

    /// Computes the dot products of a tile.
    pub(crate) fn multiply<const N: usize>(self, tile: Tile<'_, '_, N>) {
        match self.0 {
            BitLevel::Portable => multiply(Plain, tile),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine runs this level, else there would be no `Counter` of it.
            level => unsafe { x86::multiply(level, tile) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => unreachable!("levels of another processor"),
        }
    }
}

/// What the counting needs of an instruction set; a value of the type proves that the machine has it.
pub(crate) trait Ops: Copy {
    /// One word of each of eight rows.
    type V: Copy;
    fn load(self, x: &Octet) -> Self::V;
    fn store(self, x: Self::V) -> Octet;
    fn splat(self, x: u64) -> Self::V;
    fn xor(self, x: Self::V, y: Self::V) -> Self::V;
    /// x + y in each lane.
    fn add(self, x: Self::V, y: Self::V) -> Self::V;
    /// The bits that are set in an odd number of the three, and those that are set in two or more.
    fn full_add(self, x: Self::V, y: Self::V, z: Self::V) -> (Self::V, Self::V);
    /// Bits that are set in each lane.
    fn count(self, x: Self::V) -> Self::V;
}

/// Computes the dot products of a tile with the instructions of `O`.
#[inline(always)]
pub(crate) fn multiply<O: Ops, const N: usize>(o: O, tile: Tile<'_, '_, N>) {
    // Without this the compiler adds loops for rows of no words.
    assert!(tile.width >= STEP, "rows of {} words", tile.width);
    for (p, w) in tile.w.chunks_exact(tile.width).enumerate() {
        for (a, dots) in tile.a.chunks_exact(tile.width).zip(&mut *tile.dots) {
            let differ = differing(o, a, w).0;
            for (dot, differ) in dots[p * LANES..][..LANES].iter_mut().zip(differ) {
                *dot = tile.k as i32 - 2 * differ as i32;
            }
        }
    }
}

/// Bits of a row that differ from those of eight others; the length is a multiple of [`STEP`].
#[inline(always)]
fn differing<O: Ops>(o: O, a: &[u64], w: &[Octet]) -> Octet {
    let zero = o.splat(0);
    let (mut ones, mut twos, mut fours, mut count) = (zero, zero, zero, zero);
    for (a, w) in a.as_chunks::<STEP>().0.iter().zip(w.as_chunks::<STEP>().0) {
        let mut x = [zero; STEP];
        for i in 0..STEP {
            x[i] = o.xor(o.load(&w[i]), o.splat(a[i]));
        }
        let (mut two, mut four) = ([zero; 4], [zero; 2]);
        for i in 0..4 {
            (ones, two[i]) = o.full_add(ones, x[2 * i], x[2 * i + 1]);
        }
        for i in 0..2 {
            (twos, four[i]) = o.full_add(twos, two[2 * i], two[2 * i + 1]);
        }
        let eights;
        (fours, eights) = o.full_add(fours, four[0], four[1]);
        count = o.add(count, o.count(eights));
    }
    for rest in [fours, twos, ones] {
        count = o.add(o.add(count, count), o.count(rest));
    }
    o.store(count)
}

#[derive(Clone, Copy)]
struct Plain;

impl Plain {
    #[inline(always)]
    fn each(f: impl Fn(usize) -> u64) -> Octet {
        Octet(std::array::from_fn(f))
    }
}

impl Ops for Plain {
    type V = Octet;
    #[inline(always)]
    fn load(self, x: &Octet) -> Octet {
        *x
    }
    #[inline(always)]
    fn store(self, x: Octet) -> Octet {
        x
    }
    #[inline(always)]
    fn splat(self, x: u64) -> Octet {
        Octet([x; LANES])
    }
    #[inline(always)]
    fn xor(self, x: Octet, y: Octet) -> Octet {
        Self::each(|i| x.0[i] ^ y.0[i])
    }
    #[inline(always)]
    fn add(self, x: Octet, y: Octet) -> Octet {
        Self::each(|i| x.0[i] + y.0[i])
    }
    #[inline(always)]
    fn full_add(self, x: Octet, y: Octet, z: Octet) -> (Octet, Octet) {
        let odd = self.xor(x, y);
        (self.xor(odd, z), Self::each(|i| x.0[i] & y.0[i] | odd.0[i] & z.0[i]))
    }
    #[inline(always)]
    fn count(self, x: Octet) -> Octet {
        Self::each(|i| u64::from(x.0[i].count_ones()))
    }
}
