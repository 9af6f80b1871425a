//! What encoders show, worked out by hand or put together again.

use bouton::encoder::{Code, Delta, EncoderSpec, Phase, Population, Steps, Threshold};
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton_kernels::{DType, Mat};

fn seen(spec: &EncoderSpec, own: Steps, x: &Mat) -> (Steps, Mat) {
    let shown = spec.method().shown(own).unwrap();
    let mut out = Mat::zeros(x.dtype(), shown.steps * x.rows(), shown.columns);
    out.view_mut().fill(f64::NAN);
    spec.method().encode(own, x.view(), &|_| unreachable!("nothing is drawn"), out.view_mut());
    (shown, out)
}

fn sample(values: &[f64]) -> Mat {
    Mat::from_f64s(DType::F64, 1, values.len(), values)
}

/// Events add up to the signal, within one threshold at every step, whether the sample is a sequence or is cut into one.
#[test]
fn changes_put_the_signal_together_again() {
    let (samples, steps, columns, threshold) = (3, 40, 2, 0.3);
    let mut draws = Key::new(4).of("walk", 0).stream();
    let x = Mat::from_fn(DType::F64, samples, steps * columns, |_, _| 2.0 * draws.normal());
    for (own, parts) in
        [(Steps { steps, columns }, None), (Steps { steps: 1, columns: steps * columns }, Some(steps))]
    {
        let spec = EncoderSpec::Delta(Delta { threshold, steps: parts });
        let (shown, out) = seen(&spec, own, &x);
        assert_eq!(shown, Steps { steps, columns: 2 * columns });
        for (sample, column) in [(0, 0), (1, 1), (2, 0)] {
            let mut signal = x.get(sample, column);
            for t in 0..steps {
                let [up, down] = [0, 1].map(|way| out.get(t * samples + sample, 2 * column + way));
                assert!(up >= 0.0 && down >= 0.0 && up * down == 0.0 && (up + down).fract() == 0.0);
                assert!(t > 0 || up + down == 0.0, "nothing has changed yet");
                signal += threshold * (up - down);
                let away = (x.get(sample, t * columns + column) - signal).abs();
                assert!(away < threshold * (1.0 + 1e-12), "step {t}: {away}");
            }
        }
    }
    let delta = EncoderSpec::Delta(Delta { threshold: 0.1, steps: None });
    let (_, out) = seen(&delta, Steps { steps: 5, columns: 1 }, &sample(&[0.0, 0.35, 0.31, -0.15, -0.05]));
    assert_eq!(out.to_f64s(), [[0.0, 0.0], [3.0, 0.0], [0.0, 0.0], [0.0, 4.0], [0.0, 0.0]].concat());
    assert_eq!(delta.method().shown(Steps { steps: 1, columns: 9 }), None, "one step changes nothing");
}

/// Centres −¼, ¼, ¾, 1¼ and σ = ¼.
#[test]
fn fields_are_gaussians_of_the_value() {
    let of = |steps, code| {
        EncoderSpec::Population(Population { steps, code, fields: 4, min: 0.0, span: 1.0, beta: 2.0 })
    };
    let own = Steps { steps: 1, columns: 2 };
    let (shown, out) = seen(&of(3, Code::Constant), own, &sample(&[0.25, 0.5]));
    assert_eq!(shown, Steps { steps: 3, columns: 8 });
    let wanted = [-2.0_f64, 0.0, -2.0, -8.0, -4.5, -0.5, -0.5, -4.5].map(f64::exp);
    for (i, a) in out.to_f64s().into_iter().enumerate() {
        assert!((a - wanted[i % 8]).abs() < 1e-15, "{i}: {a}");
    }
    // 10·(1 − e⁻²) and 10·(1 − e^−½), rounded; e^−4.5 and e⁻⁸ are below 0.1.
    let (_, out) = seen(&of(11, Code::Latency), own, &sample(&[0.25, 0.5]));
    let times = |i| (0..11).filter(|&t| out.get(t, i) == 1.0).collect::<Vec<_>>();
    let wanted = [vec![9], vec![0], vec![9], vec![], vec![], vec![4], vec![4], vec![]];
    assert_eq!((0..8).map(times).collect::<Vec<_>>(), wanted);
    assert!(out.to_f64s().iter().all(|z| *z == 0.0 || *z == 1.0));
    // Steps of a sequence one after the other.
    let sequence = Steps { steps: 2, columns: 1 };
    let (shown, out) = seen(&of(2, Code::Constant), sequence, &sample(&[0.25, 0.75]));
    assert_eq!(shown, Steps { steps: 4, columns: 4 });
    let largest = |t| (0..4).find(|&i| out.get(t, i) == 1.0);
    assert_eq!((0..4).map(largest).collect::<Vec<_>>(), [Some(1), Some(1), Some(2), Some(2)]);
}

/// What is shown in a period adds up to the value in so many digits; of a pixel in 8, to the pixel itself.
#[test]
fn digits_add_up_to_the_value() {
    let own = Steps { steps: 1, columns: 256 };
    let pixels: Vec<f64> = (0..256).map(|p| f64::from(p) / 255.0).collect();
    let (_, out) = seen(&EncoderSpec::Phase(Phase { steps: 20, period: 8 }), own, &sample(&pixels));
    for p in 0..256 {
        let shown: Vec<f64> = (0..20).map(|t| out.get(t, p)).collect();
        assert_eq!(shown[..8].iter().sum::<f64>(), p as f64 / 256.0, "{p}: {shown:?}");
        assert!(shown[..8] == shown[8..16] && shown[..4] == shown[16..], "{p}: {shown:?}");
        assert!((0..8).all(|t| shown[t] == 0.0 || shown[t] == 0.5_f64.powi(1 + t as i32)), "{p}: {shown:?}");
    }
    let few = EncoderSpec::Phase(Phase { steps: 3, period: 3 });
    let (_, out) = seen(&few, Steps { steps: 1, columns: 3 }, &sample(&[-0.3, 1.7, 0.7]));
    assert_eq!(out.to_f64s(), [[0.0, 0.5, 0.5], [0.0, 0.25, 0.0], [0.0, 0.125, 0.125]].concat());
}

/// Thresholds 0, ½ and 1: channels are up 0, up ½, down 0, down ½, touch, and the cue.
#[test]
fn thresholds_are_crossed_up_and_down() {
    let spec = EncoderSpec::Threshold(Threshold { thresholds: 3, steps: None, cue: 1 });
    let x = sample(&[0.0, 0.6, 1.0, 0.2, 0.0]);
    let (shown, out) = seen(&spec, Steps { steps: 5, columns: 1 }, &x);
    assert_eq!(shown, Steps { steps: 6, columns: 6 });
    let on = |t: usize| (0..6).filter(|&i| out.get(t, i) == 1.0).collect::<Vec<_>>();
    assert_eq!(
        (0..6).map(on).collect::<Vec<_>>(),
        [vec![], vec![0, 1], vec![4], vec![3], vec![2], vec![5]],
        "{out:?}"
    );
    // The sizes of the paper: 79 channels and the cue, over 784 pixels and two rows.
    let paper = EncoderSpec::Threshold(Threshold { thresholds: 40, steps: Some(784), cue: 56 });
    let mnist = Steps { steps: 1, columns: 784 };
    assert_eq!(paper.method().shown(mnist), Some(Steps { steps: 840, columns: 80 }));
    assert_eq!(EncoderSpec::None.method().cut(mnist), mnist);
    // Ups less downs say where the sample is, beside where it began.
    let mut draws = Key::new(6).of("walk", 0).stream();
    let x = Mat::from_fn(DType::F64, 2, 30, |_, _| draws.uniform());
    let own = Steps { steps: 15, columns: 2 };
    let spec = EncoderSpec::Threshold(Threshold { thresholds: 5, steps: None, cue: 0 });
    let (_, out) = seen(&spec, own, &x);
    for (sample, column, k) in [(0, 0, 1), (0, 1, 3), (1, 0, 2), (1, 1, 1)] {
        let above = |t: usize| f64::from(u8::from(x.get(sample, 2 * t + column) > k as f64 / 4.0));
        let mut now = above(0);
        for t in 0..15 {
            now += out.get(2 * t + sample, 9 * column + k) - out.get(2 * t + sample, 9 * column + 4 + k);
            assert_eq!(now, above(t), "sample {sample}, column {column}, threshold {k}, step {t}");
        }
    }
}

/// Recipes take samples apart row by row or pixel by pixel, however many channels come of that; what cuts rows apart is refused.
#[test]
fn what_is_cut_may_have_any_number_of_channels() {
    let text = |encoder: &str, inputs: usize| {
        format!(
            "[task.synthetic]\nshape = [1, 5, 4]\nclasses = 3\ntrain = 8\ntest = 8\nbatch = 8\nepochs = 1\n{encoder}\n\
             [network]\nlayers = [{inputs}, 6, 3]\n[neuron.lif]\n[credit.bptt]\n[optim.sgd]\nlr = 0.1\n"
        )
    };
    let check = |encoder: &str, inputs| {
        Recipe::parse(&text(encoder, inputs), "test").and_then(|recipe| recipe.check())
    };
    check("[encoder.rows]\nsteps = 20", 1).unwrap();
    check("[encoder.rows]\nsteps = 20\n[sequence.permuted]\ntasks = 1", 1).unwrap();
    check("[encoder.threshold]\nthresholds = 3\nsteps = 20\ncue = 2", 6).unwrap();
    check("[encoder.threshold]\nthresholds = 3\nsteps = 5\ncue = 2", 21).unwrap();
    check("[encoder.delta]\nsteps = 5", 8).unwrap();
    check("[encoder.population]\nsteps = 3\ncode = \"latency\"\nfields = 5", 100).unwrap();
    let error = check("[encoder.delta]\nsteps = 2", 20).unwrap_err();
    assert!(error.to_string().contains("encoder.delta shows 10 numbers at once"), "{error}");
    let error = check("[encoder.delta]", 40).unwrap_err();
    assert!(
        error.to_string().contains("samples of 1 step") && error.hint().unwrap().contains("delta"),
        "{error}"
    );
    let error = check("[encoder.threshold]\nsteps = 3", 40).unwrap_err();
    assert!(error.to_string().contains("20 numbers"), "{error}");
}
