//! Recipes, overrides and device presets.

use bouton::recipe::Recipe;
use bouton::theory::{DeviceParameters, SoftBoundsParameters};
use bouton::{Error, Result};

use super::run::Reader;

pub fn readers() -> Vec<Reader> {
    vec![
        Reader { name: "recipe", short: 1000, seeds, tokens: TOKENS, read: recipe },
        Reader { name: "override", short: 600, seeds: overrides, tokens: TOKENS, read: override_of },
        Reader {
            name: "device",
            short: 1500,
            seeds: presets,
            tokens: &["law = \"normal\"", "nan", "[pink]"],
            read: device,
        },
    ]
}

const TOKENS: &[&str] = &[
    "[network]",
    "[task.synthetic]",
    "[neuron.settle]",
    "[credit.eq-prop]",
    "[credit.bptt]",
    "[optim.adam]",
    "[synapse.rram]",
    "[population.hidden1]",
    "[connection.hidden1-output]",
    "population.",
    "connection.",
    "learn = false",
    "[[x]]",
    "[a.b]",
    "layers",
    "units",
    "conv",
    "kernel",
    "stride",
    "padding",
    "pool",
    "max",
    "skips",
    "norm.batch",
    "epochs",
    "batch",
    "beta",
    "steps",
    "lr",
    "seed",
    "device = \"majumdar2021\"",
    "signs = \"larq\"",
    "sequence.permuted.tasks",
    "=",
    ".",
    "\"\"\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "\n",
    "\\u0000",
    "inf",
    "nan",
    "0x",
    "é",
];

const IMAGES: &str = "seed = 2\n[task.synthetic]\nshape = [3, 8, 8]\nclasses = 4\ntrain = 8\ntest = 8\nbatch = 4\nepochs = 2\n\
    [network]\nlayers = [{ image = [3, 8, 8] }, { filters = 4, kernel = 3, padding = 1, pool = { max = 2 } }, 9, 4]\n\
    [wiring.conv]\n[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[objective.squared-error]\n\
    [credit.eq-prop]\nbeta = 0.5\nfree-steps = 20\nnudged-steps = 5\n[optim.sgd]\nlr = [0.1, 0.05, 0.02]\nmomentum = 0.9\n\
    [schedule.step]\nevery = 2\nfactor = 0.5\n[run]\nlog-every = 10\n";

/// Settings of a population and of a connection of the recipe above.
const ENTRIES: &str =
    "[population.hidden2]\ndropout = 0.2\n[connection.hidden2-output]\nlr = 0.01\nwiring.conv.gain = 0.5\n";

fn seeds() -> Vec<Vec<u8>> {
    let entries = format!("{IMAGES}{ENTRIES}");
    let texts: [&str; 9] = [
        include_str!("../../../../../recipes/quickstart.toml"),
        include_str!("../../../../../recipes/scellier2017/one-hidden.toml"),
        include_str!("../../../../../recipes/bimu/online-1.toml"),
        IMAGES,
        IMAGES,
        IMAGES,
        IMAGES,
        IMAGES,
        &entries,
    ];
    texts.map(|t| t.as_bytes().to_vec()).into()
}

fn recipe(bytes: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::config("not a text file"))?;
    let recipe = Recipe::parse(text, "some.toml")?;
    recipe.check()?;
    let again = Recipe::parse(&recipe.to_toml(), "written").expect("what was written can be read");
    assert_eq!(again, recipe);
    assert_eq!(again.hash(), recipe.hash());
    recipe.smoke().check().expect("so has its smallest version to be");
    Ok(())
}

fn overrides() -> Vec<Vec<u8>> {
    let lines = [
        "seed=3",
        "credit.eq-prop.beta=0.25\noptim.sgd.lr=0.2",
        "optim=adam\noptim.adam.lr=[0.1,0.2,0.3]",
        "name=a b\nrun.updates=7",
        "network.layers=[5, 4]\nneuron.settle.activation=hard-sigmoid",
        "synapse={binary={}}\nrun={log-every=3}",
        "population.hidden2.dropout=0.1\nconnection.hidden2-output.learn=false",
        "connection.hidden2-output={synapse={metaplastic={m=1}}}",
    ];
    lines.map(|l| l.as_bytes().to_vec()).into()
}

fn override_of(bytes: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::config("not text"))?;
    let lines: Vec<&str> = text.split('\n').collect();
    let recipe = Recipe::parse(IMAGES, "some.toml")?.with_overrides(&lines)?;
    match recipe.check() {
        Ok(()) => assert_eq!(Recipe::parse(&recipe.to_toml(), "written").expect("readable"), recipe),
        // Whether the numbers go together is another question than whether the override is one.
        Err(e) => assert!(e.exit_code() == 2 && !e.to_string().is_empty(), "{e:?}"),
    }
    Ok(())
}

fn presets() -> Vec<Vec<u8>> {
    let texts = [
        include_str!("../../../../bouton-core/data/devices/majumdar2021.toml"),
        include_str!("../../../../bouton-core/data/devices/soft-bounds.toml"),
        include_str!("../../../../bouton-core/data/devices/reram-array-om.toml"),
        include_str!("../../../../bouton-core/data/devices/ecram.toml"),
    ];
    texts.map(|t| t.as_bytes().to_vec()).into()
}

/// Every draw from an accepted preset is a number.
fn device(bytes: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::config("not text"))?;
    let Err(first) = DeviceParameters::from_toml(text).map(|p| whole(&p)) else { return Ok(()) };
    let p = SoftBoundsParameters::from_toml(text).map_err(|e| e.context(first))?;
    let mixed = [9.0, -9.0, 9.0, -9.0, 9.0, -9.0, 9.0];
    for normals in [[0.0; 7], [9.0; 7], [-9.0; 7], mixed] {
        let d = p.draw(normals);
        assert!(
            [d.up, d.down, d.upper, d.lower, d.noise, d.reference].iter().all(|x| x.is_finite()),
            "{d:?}"
        );
        assert!(d.pulse(0.0, true, 9.0).is_finite() && d.pulse(d.upper, false, -9.0).is_finite(), "{d:?}");
    }
    Ok(())
}

fn whole(p: &DeviceParameters) {
    let draws = [0.0, 1e-9, 0.5, 1.0 - f64::EPSILON].map(|u| p.draw([u; 6]));
    for d in draws.into_iter().chain([p.average()]) {
        let numbers = [d.early_slope, d.breakpoint, d.offset, d.late_slope, d.fresh_resistance, d.telegraph];
        assert!(numbers.iter().all(|x| x.is_finite()) && d.growth(1e4).is_finite(), "{d:?}");
        assert!(d.fresh_resistance > 0.0 && d.breakpoint >= 0.0, "{d:?}");
    }
    assert!(p.pink.mean().is_finite() && p.pink.sd().is_finite());
    let text = toml::to_string(p).expect("presets can be written");
    assert_eq!(DeviceParameters::from_toml(&text).as_ref().ok(), Some(p));
}
