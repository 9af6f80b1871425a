//! Numbers at the edge of what has a meaning: which side is refused.

use super::layered;
use bouton::recipe::Recipe;
use bouton::synapse::{Binary, Bop, Cascade, SynapseSpec};

const SETTLING: &str = "[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 8\ntest = 8\nbatch = 4\nepochs = 1\n[network]\n\
    layers = [9, 6, 4]\n[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 5\nnudged-steps = 3\n[optim.sgd]\nlr = 0.1\n\
    [solver.even-odd]\n";

fn check(text: &str, overrides: &[&str]) -> Result<(), String> {
    let recipe = Recipe::parse(text, "protocol").unwrap();
    let recipe = recipe.with_overrides(overrides).map_err(|e| e.to_string())?;
    recipe.check().map_err(|e| e.to_string())
}

#[test]
fn edges_are_on_the_side_they_should_be() {
    let sgd = layered("[optim.sgd]\nlr = 0.1\nmomentum = 0.5\n");
    let adam = layered("[optim.adam]\nlr = 0.1\n");
    let norm = layered("[norm.batch]\n[optim.adam]\nlr = 0.1\n");
    let online = layered("[sequence.permuted]\ntasks = 2\n[optim.sgd]\nlr = 0.1\n[anchor.online-ewc]\n");
    let mas = layered("[sequence.permuted]\ntasks = 2\n[optim.sgd]\nlr = 0.1\n[anchor.mas]\n");
    let rows: [(&str, &str, &[&str], &[&str]); 14] = [
        (SETTLING, "solver.even-odd.relaxation", &["1.0", "1.999"], &["0.0", "2.0", "-1.0"]),
        (SETTLING, "credit.eq-prop.beta", &["0.01"], &["0.0", "-0.5"]),
        (SETTLING, "credit.eq-prop.free-steps", &["1"], &["0"]),
        (SETTLING, "credit.eq-prop.nudged-steps", &["1"], &["0"]),
        (&sgd, "network.dropout", &["0.0", "0.99"], &["1.0", "-0.1"]),
        (&sgd, "network.input-dropout", &["0.0", "0.99"], &["1.0", "-0.1"]),
        (&sgd, "optim.sgd.momentum", &["0.0", "0.99"], &["1.0", "-0.1"]),
        (&sgd, "optim.sgd.lr", &["0.0"], &["-0.1", "nan", "inf"]),
        (&adam, "optim.adam.beta1", &["0.0", "0.99"], &["1.0", "-0.1"]),
        (&adam, "optim.adam.beta2", &["0.0", "0.99"], &["1.0", "-0.1"]),
        (&adam, "optim.adam.eps", &["1e-30"], &["0.0"]),
        (&norm, "norm.batch.momentum", &["1.0", "1e-3"], &["0.0", "1.1"]),
        (&online, "anchor.online-ewc.decay", &["0.0", "1.0"], &["-0.1", "1.1"]),
        (&mas, "anchor.mas.alpha", &["0.0", "0.9"], &["1.0", "-0.1"]),
    ];
    for (text, key, right, wrong) in rows {
        for value in right {
            assert_eq!(check(text, &[&format!("{key}={value}")]), Ok(()), "{key} = {value}");
        }
        for value in wrong {
            let said = check(text, &[&format!("{key}={value}")]).expect_err(&format!("{key} = {value}"));
            let last = key.rsplit('.').next().unwrap();
            assert!(said.contains(last), "{key} = {value}: {said}");
        }
    }
}

/// Only weights of exactly ±1 are bits: a scale makes them numbers.
#[test]
fn signs_are_of_size_one() {
    for scale in [1.0, 0.5] {
        let specs = [
            SynapseSpec::Binary(Binary { scale, ..Binary::default() }),
            SynapseSpec::Bop(Bop { scale, ..Bop::default() }),
            SynapseSpec::Cascade(Cascade { scale, ..Cascade::default() }),
        ];
        assert!(
            specs
                .iter()
                .all(|s| s.method().traits().binary() && s.method().traits().signs() == (scale == 1.0)),
            "{scale}"
        );
    }
}

/// What only has a meaning together with something else.
#[test]
fn what_would_do_nothing_is_refused() {
    let plain = layered("[optim.adam]\nlr = 0.1\n");
    let sign = plain.replace("[neuron.relu]", "[neuron.sign]\n[norm.batch]\n[synapse.bop]");
    let tasks = format!("{plain}[sequence.permuted]\ntasks = 2\n");
    let subsets = format!("{plain}[sequence.subsets]\nparts = 2\n");
    let replay = "[continual.replay]\nsize = 4\n";
    let mesu = layered("[sequence.permuted]\ntasks = 2\n[optim.sgd]\nlr = 0.1\n[synapse.mesu]\n");
    let settling = |credit: &str, more: &str| {
        let text = SETTLING.replace("[credit.eq-prop]\nbeta = 0.5\n", &format!("[credit.{credit}"));
        text.replace("[solver.even-odd]\n", more)
    };
    let linear = |beta: &str| {
        let text = settling(&format!("eq-prop]\nbeta = {beta}\n"), "");
        text.replace("settle]\n", "settle]\noutput = \"linear\"\n")
    };
    let (below, pushed) = (linear("0.99"), linear("1.0"));
    let clamped = settling("coupled-learning]\nbeta = 0.5\n", "");
    let of_tasks = settling("eq-prop]\nbeta = 0.5\n", "[sequence.permuted]\ntasks = 2\n");
    let kept = settling("eq-prop]\nbeta = 0.5\nstart = \"persistent\"\n", "")
        .replace("[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\n", "[task.digits]\n")
        .replace("[9, 6, 4]", "[64, 6, 10]");
    let shifted = kept.replace("[task.digits]\n", "[task.digits]\nshift = 1\n");
    let rows: [(&str, &str, &str); 23] = [
        (&tasks, replay, ""),
        (&plain, replay, "one task only"),
        (&tasks, "[continual]\njoint = true\n[continual.replay]\nsize = 4\n", "mixed from the start"),
        (&mesu, "", ""),
        (&mesu, "[anchor.si]\n", "draws them"),
        (&below, "", ""),
        (&pushed, "", "no fixed point"),
        (&clamped, "", ""),
        (&clamped, "[objective.softmax-cross-entropy]\n", "not part of the dynamics"),
        (&of_tasks, "[anchor.si]\n", ""),
        (&of_tasks, "[anchor.mas]\n", "sample by sample"),
        (&of_tasks, "[anchor.ewc]\n", "sample by sample"),
        (&kept, "", ""),
        (&shifted, "", "change the sample every time"),
        (&plain, "", ""),
        (&plain, "[anchor.si]\n", "consolidates when a task ends"),
        (&plain, "[run]\ntest-draws = 2\n", "run.test-draws"),
        (&subsets, "[anchor.si]\n", "consolidates when a task ends"),
        (&subsets, "[norm.batch]\nper-task = true\n", "per-task"),
        (&tasks, "[continual]\njoint = true\n[anchor.si]\n", "consolidates when a task ends"),
        (&tasks, "[norm.batch]\nper-task = true\n", ""),
        (&sign, "[schedule.exponential]\nfactor = 0.5\n", "schedule.exponential"),
        (&sign, "", ""),
    ];
    for (text, more, said) in rows {
        match check(&format!("{text}{more}"), &[]) {
            Ok(()) => assert_eq!(said, "", "{more}"),
            Err(error) => assert!(!said.is_empty() && error.contains(said), "{more}: {error}"),
        }
    }
    for dropout in ["network.dropout=0.1", "network.input-dropout=0.1"] {
        assert!(
            check(SETTLING, &[dropout]).unwrap_err().contains("settling units take many sweeps"),
            "{dropout}"
        );
    }
    assert!(check(&sign, &["optim.adam.decay=0.1"]).unwrap_err().contains("decay would do nothing"));
}
