//! What kernels count. The counters belong to the process, so the test runs in one of its own.

use bouton_kernels::{
    ConvShape, DType, Mat, WeightMat, account, conv_forward, gemm_nt, gemm_tn, par_gemm_nt,
};

#[test]
fn kernels_count_operations_bytes_and_memory() {
    if !in_a_process_of_its_own("account::kernels_count_operations_bytes_and_memory") {
        return;
    }
    let ones = |rows, cols| Mat::from_fn(DType::F32, rows, cols, |_, _| 1.0);
    let (a, w) = (ones(3, 40), WeightMat::new(ones(7, 40)));
    let mut c = ones(3, 7);
    let forward = account(|| gemm_nt(a.view(), &w, c.view_mut())).1;
    assert_eq!(forward.operations, 2 * 3 * 40 * 7);
    assert_eq!(forward.bytes, 4 * (3 * 40 + 7 * 40 + 2 * 3 * 7));
    assert_eq!(account(|| par_gemm_nt(a.view(), &w, c.view_mut())).1, forward, "counted once");

    // A band of filters costs its share.
    let mut band = ones(2, 40);
    let banded = account(|| gemm_tn(c.view(), 1..3, a.view(), band.view_mut())).1;
    assert_eq!(banded.operations, 2 * 3 * 2 * 40);

    let shape =
        ConvShape { height: 8, width: 8, channels: 4, filters: 5, kernel: [3, 3], stride: 1, padding: 1 };
    let (x, k, mut y) = (ones(2, 8 * 8 * 4), WeightMat::new(ones(5, 36)), ones(2, 8 * 8 * 5));
    let convolved = account(|| conv_forward(&shape, &k, x.view(), y.view_mut())).1;
    assert_eq!(convolved.operations, 2 * 2 * 64 * 5 * 36);

    let held = account(|| {
        drop(ones(1, 64));
        let kept = (ones(1, 16), ones(1, 32));
        drop(kept.0.clone());
        kept
    });
    assert_eq!(held.1.peak, 4 * 64, "the largest at once, not the sum");
    let resized = account(|| {
        let mut mat = ones(1, 16);
        mat.resize_rows(3);
    });
    assert!(resized.1.peak >= 4 * 48);
}

/// Whether this is a process that runs the test `name` and nothing else; if not, it runs one and passes on how it ended.
fn in_a_process_of_its_own(name: &str) -> bool {
    const ALONE: &str = "BOUTON_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("1 passed"), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    false
}
