//! Files: written whole or not at all, small ones taken in whole, tensors with a checksum.

pub mod atomic;
pub mod checkpoint;
pub mod crc32c;
pub mod small;
