//! Matrices and views.

use bouton_kernels::{DType, Elem, Mat, ViewMut, dispatch};
use rayon::prelude::*;

fn counting(dtype: DType, rows: usize, cols: usize) -> Mat {
    Mat::from_fn(dtype, rows, cols, |r, c| (10 * r + c) as f64)
}

#[test]
fn construction_and_read_back() {
    for t in [DType::F32, DType::F64] {
        let m = counting(t, 2, 3);
        assert_eq!((m.rows(), m.cols(), m.dtype(), m.is_empty()), (2, 3, t, false));
        assert_eq!((m.bytes(), m.get(1, 2)), (6 * t.size(), 12.0));
        assert_eq!(m.to_f64s(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
        assert_eq!(Mat::from_f64s(t, 2, 3, &m.to_f64s()), m);
        assert_eq!(dispatch!(t, T => Mat::from_vec::<T>(2, 3, m.slice::<T>().to_vec())), m);
        assert_eq!(Mat::zeros(t, 2, 3).to_f64s(), [0.0; 6]);
        assert_ne!(Mat::zeros(t, 2, 3), Mat::zeros(t, 3, 2));
        assert!(Mat::zeros(t, 0, 3).is_empty() && Mat::zeros(t, 3, 0).is_empty());
    }
    let third = Mat::from_f64s(DType::F64, 1, 1, &[1.0 / 3.0]);
    assert_eq!(third.cast(DType::F32).get(0, 0), (1f32 / 3.0) as f64);
    assert_eq!(counting(DType::F32, 4, 5).cast(DType::F64), counting(DType::F64, 4, 5));
    assert_eq!((f32::from_f64(0.5), f64::from_f64(0.5).to_f64()), (0.5, 0.5));
}

#[test]
fn rows_start_on_cache_lines() {
    for n in [1, 100, 5000] {
        assert_eq!(Mat::zeros(DType::F32, 1, n).slice::<f32>().as_ptr() as usize % 64, 0);
    }
}

#[test]
fn changes() {
    let mut m = counting(DType::F32, 3, 2);
    m.swap_rows(0, 2);
    assert_eq!(m.to_f64s(), [20.0, 21.0, 10.0, 11.0, 0.0, 1.0]);
    m.swap_rows(1, 1);
    m.resize_rows(2);
    assert_eq!(m.to_f64s(), [20.0, 21.0, 10.0, 11.0]);
    m.resize_rows(3);
    assert_eq!(m.to_f64s(), [20.0, 21.0, 10.0, 11.0, 0.0, 0.0]);
    m.rows_view_mut(1..3).fill(7.0);
    assert_eq!(m.to_f64s(), [20.0, 21.0, 7.0, 7.0, 7.0, 7.0]);
    m.slice_mut::<f32>()[5] = 8.0;
    let copy = m.rows_view(1..3).to_mat();
    assert_eq!(copy.to_f64s(), [7.0, 7.0, 7.0, 8.0]);
    m.rows_view_mut(0..2).copy_from(copy.view());
    assert_eq!(m.to_f64s(), [7.0, 7.0, 7.0, 8.0, 7.0, 8.0]);
    m.copy_from(counting(DType::F32, 3, 2).view());
    assert_eq!(m, counting(DType::F32, 3, 2));
    m.fill(1.5);
    assert_eq!(m.to_f64s(), [1.5; 6]);
}

#[test]
fn parts_of_views() {
    let mut m = counting(DType::F64, 5, 2);
    let v = m.view().rows_range(1..4).rows_range(1..3);
    assert_eq!((v.rows(), v.cols(), v.dtype()), (2, 2, DType::F64));
    assert_eq!((v.slice::<f64>(), v.row::<f64>(1)), (&[20.0, 21.0, 30.0, 31.0][..], &[30.0, 31.0][..]));
    let mut all = m.view_mut();
    all.reborrow().rows_range(4..5).row_mut::<f64>(0)[1] = -1.0;
    assert_eq!(all.as_view().row::<f64>(4), [40.0, -1.0]);
    let (mut top, mut bottom) = all.split_rows(2);
    assert_eq!((top.rows(), bottom.rows()), (2, 3));
    top.slice_mut::<f64>()[0] = 5.0;
    bottom.swap_rows(2, 0);
    assert_eq!(m.to_f64s(), [5.0, 1.0, 10.0, 11.0, 40.0, -1.0, 30.0, 31.0, 20.0, 21.0]);
}

#[test]
fn chunks_of_rows_in_parallel() {
    for (rows, cols) in [(7, 3), (6, 3), (0, 3), (7, 0)] {
        let mut m = Mat::zeros(DType::F32, rows, cols);
        let chunks: Vec<ViewMut<'_>> = m.view_mut().chunks_mut(2).collect();
        assert_eq!(chunks.len(), rows.div_ceil(2));
        assert_eq!(chunks.iter().map(ViewMut::rows).sum::<usize>(), rows);
        chunks.into_par_iter().enumerate().for_each(|(i, mut c)| c.fill(i as f64));
        assert_eq!(m, Mat::from_fn(DType::F32, rows, cols, |r, _| (r / 2) as f64));
    }
    assert_eq!(Mat::zeros(DType::F32, 7, 1).view_mut().chunks_mut(3).len(), 3);
}

#[test]
#[should_panic(expected = "a matrix of F32 was read as F64")]
fn the_wrong_number_type_is_named() {
    Mat::zeros(DType::F32, 1, 1).slice::<f64>();
}

#[test]
#[should_panic(expected = "copy_from: 2 x 3 into 3 x 2")]
fn the_wrong_shape_is_named() {
    Mat::zeros(DType::F32, 3, 2).copy_from(Mat::zeros(DType::F32, 2, 3).view());
}

#[test]
#[should_panic(expected = "rows 1..4 of a matrix with 3 rows")]
fn rows_that_do_not_exist_are_named() {
    Mat::zeros(DType::F32, 3, 2).rows_view(1..4);
}
