//! Streams of batches: data sets, their files and their order.
