//! Counting bits with the vector instructions of x86.

use std::arch::x86_64::*;

use crate::octets::{BitLevel, Octet, Ops, Tile, multiply as with};

/// Whether this machine runs a level of x86.
pub(crate) fn runs(level: BitLevel) -> bool {
    let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    match level {
        BitLevel::Portable => true,
        BitLevel::Avx2 => is_x86_feature_detected!("avx2"),
        BitLevel::Avx512 => wide,
        BitLevel::Avx512Popcnt => wide && is_x86_feature_detected!("avx512vpopcntdq"),
    }
}

/// Computes the dot products of a tile.
///
/// # Safety
/// The machine [`runs`] the level, which is not the portable one.
pub(crate) unsafe fn multiply<const N: usize>(level: BitLevel, tile: Tile<'_, '_, N>) {
    // SAFETY: promised by the caller.
    unsafe {
        match level {
            BitLevel::Avx512Popcnt => avx512_popcnt(tile),
            BitLevel::Avx512 => avx512(tile),
            _ => avx2(tile),
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
fn avx512_popcnt<const N: usize>(tile: Tile<'_, '_, N>) {
    with(Avx512::<true>(()), tile);
}

#[target_feature(enable = "avx512f,avx512bw")]
fn avx512<const N: usize>(tile: Tile<'_, '_, N>) {
    with(Avx512::<false>(()), tile);
}

#[target_feature(enable = "avx2")]
fn avx2<const N: usize>(tile: Tile<'_, '_, N>) {
    with(Avx2(()), tile);
}

/// Bits that are set in 0, 1, ... 15; a shuffle looks them up in each 128 bits.
const BITS: [u8; 16] = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];

/// Made only where F and BW, and VPOPCNTDQ if `POPCNT`, are enabled.
#[derive(Clone, Copy)]
struct Avx512<const POPCNT: bool>(());

// SAFETY of all blocks: the value exists, so the machine has the instructions; an octet is 64 bytes and aligned to 64.
impl<const POPCNT: bool> Ops for Avx512<POPCNT> {
    type V = __m512i;
    #[inline(always)]
    fn load(self, x: &Octet) -> __m512i {
        unsafe { _mm512_load_si512(x.0.as_ptr().cast()) }
    }
    #[inline(always)]
    fn store(self, x: __m512i) -> Octet {
        let mut words = Octet([0; 8]);
        unsafe { _mm512_store_si512(words.0.as_mut_ptr().cast(), x) };
        words
    }
    #[inline(always)]
    fn splat(self, x: u64) -> __m512i {
        unsafe { _mm512_set1_epi64(x as i64) }
    }
    #[inline(always)]
    fn xor(self, x: __m512i, y: __m512i) -> __m512i {
        unsafe { _mm512_xor_si512(x, y) }
    }
    #[inline(always)]
    fn add(self, x: __m512i, y: __m512i) -> __m512i {
        unsafe { _mm512_add_epi64(x, y) }
    }
    #[inline(always)]
    fn full_add(self, x: __m512i, y: __m512i, z: __m512i) -> (__m512i, __m512i) {
        // The constants are truth tables: bit 4 x + 2 y + z.
        unsafe { (_mm512_ternarylogic_epi64(x, y, z, 0x96), _mm512_ternarylogic_epi64(x, y, z, 0xe8)) }
    }
    #[inline(always)]
    fn count(self, x: __m512i) -> __m512i {
        unsafe {
            if POPCNT {
                return _mm512_popcnt_epi64(x);
            }
            let table = _mm512_broadcast_i32x4(_mm_loadu_si128(BITS.as_ptr().cast()));
            let low = _mm512_set1_epi8(15);
            let first = _mm512_shuffle_epi8(table, _mm512_and_si512(x, low));
            let second = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi64(x, 4), low));
            _mm512_sad_epu8(_mm512_add_epi8(first, second), _mm512_setzero_si512())
        }
    }
}

/// Made only where AVX2 is enabled.
#[derive(Clone, Copy)]
struct Avx2(());

impl Avx2 {
    #[inline(always)]
    fn each(f: impl Fn(usize) -> __m256i) -> [__m256i; 2] {
        [f(0), f(1)]
    }
}

// SAFETY of all blocks: as above.
impl Ops for Avx2 {
    type V = [__m256i; 2];
    #[inline(always)]
    fn load(self, x: &Octet) -> Self::V {
        Self::each(|i| unsafe { _mm256_load_si256(x.0[4 * i..][..4].as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, x: Self::V) -> Octet {
        let mut words = Octet([0; 8]);
        for (x, words) in x.into_iter().zip(words.0.as_chunks_mut::<4>().0) {
            unsafe { _mm256_store_si256(words.as_mut_ptr().cast(), x) };
        }
        words
    }
    #[inline(always)]
    fn splat(self, x: u64) -> Self::V {
        Self::each(|_| unsafe { _mm256_set1_epi64x(x as i64) })
    }
    #[inline(always)]
    fn xor(self, x: Self::V, y: Self::V) -> Self::V {
        Self::each(|i| unsafe { _mm256_xor_si256(x[i], y[i]) })
    }
    #[inline(always)]
    fn add(self, x: Self::V, y: Self::V) -> Self::V {
        Self::each(|i| unsafe { _mm256_add_epi64(x[i], y[i]) })
    }
    #[inline(always)]
    fn full_add(self, x: Self::V, y: Self::V, z: Self::V) -> (Self::V, Self::V) {
        let odd = self.xor(x, y);
        let both =
            |i| unsafe { _mm256_or_si256(_mm256_and_si256(x[i], y[i]), _mm256_and_si256(odd[i], z[i])) };
        (self.xor(odd, z), Self::each(both))
    }
    #[inline(always)]
    fn count(self, x: Self::V) -> Self::V {
        Self::each(|i| unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(BITS.as_ptr().cast()));
            let low = _mm256_set1_epi8(15);
            let first = _mm256_shuffle_epi8(table, _mm256_and_si256(x[i], low));
            let second = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi64(x[i], 4), low));
            _mm256_sad_epu8(_mm256_add_epi8(first, second), _mm256_setzero_si256())
        })
    }
}
