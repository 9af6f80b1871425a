//! Files of one's own: tables as text, NumPy archives and arrays, pictures, measured pulses.

use super::run::Reader;
use bouton::device::fit::{Asked, Fit};
use bouton::device::pulses::Pulses;
use bouton::device::{Law, Population};
use bouton::task::{TaskSpec, npy, pictures};
use bouton::{Error, Result};
use std::io::{Cursor, Write};
use std::path::Path;
use tempfile::TempDir;

pub fn readers() -> Vec<Reader> {
    let tokens = &[
        "label",
        "y",
        ",",
        ";",
        "\t",
        "\"",
        "\n",
        "\r\n",
        "nan",
        "1e39",
        "-0.5",
        "'shape': (",
        "'descr': '<f4'",
        "<U2",
        "|b1",
        "X.npy",
        "y.npy",
        "lengths.npy",
        "mask.npy",
        "weights.npy",
        "IHDR",
        "IDAT",
        "PLTE",
        "tRNS",
        "PK\x01\x02",
        "(uS)",
        "kohm",
        "reset",
        "+1",
        "ltd",
        "#!AER-DAT2.0",
    ];
    let reader = |name, short, seeds, read| Reader { name, short, seeds, tokens, read };
    vec![
        reader("table", 1500, tables as fn() -> _, task as fn(&[u8]) -> _),
        reader("sequences", 1500, sequences, of_sequences),
        reader("n-mnist", 1500, n_mnist, of_n_mnist),
        reader("aedat2", 1500, aedat, of_aedat),
        reader("npz", 1000, archives, task),
        reader("array", 4000, arrays, array),
        reader("picture", 1500, pngs, picture),
        reader("pulses", 600, pulses, measured),
    ]
}

fn tables() -> Vec<Vec<u8>> {
    let rows: String = (0..8).map(|i| format!("{i},{}.5,{}\n", i * 2, i % 2)).collect();
    let words = rows.replace(",0\n", ",no\n").replace(",1\n", ",yes\n");
    vec![
        format!("a,b,label\n{rows}").into(),
        format!("a;b;y\n{}", words.replace(',', ";")).into(),
        rows.replace(",1\n", ",1.25\n").into(),
        format!("\u{feff}a,\"b c\",label\r\n{}", words.replace('\n', "\r\n")).into(),
    ]
}

fn npy_file(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), values].concat()
}

fn arrays() -> Vec<Vec<u8>> {
    let floats: Vec<u8> = (0..8_u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
    let words: Vec<u8> = "abcdabcd".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    vec![
        npy_file("<f4", "4, 2", &floats),
        npy_file("|u1", "4, 1, 2, 1", &[1, 2, 3, 4, 5, 6, 7, 8]),
        npy_file("<U2", "4,", &words),
        npy_file("<i4", "4,", &[[0; 4], [1, 0, 0, 0], [0; 4], [1, 0, 0, 0]].concat()),
    ]
}

fn archives() -> Vec<Vec<u8>> {
    let arrays = arrays();
    let zip = |members: &[(&str, &[u8])], method| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for &(name, bytes) in members {
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            zip.start_file(name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    vec![
        zip(&[("X.npy", &arrays[0]), ("y.npy", &arrays[3])], zip::CompressionMethod::Stored),
        zip(&[("images.npy", &arrays[1]), ("labels.npy", &arrays[2])], zip::CompressionMethod::Deflated),
        zip(
            &[
                ("X.npy", &npy_file("|u1", "4, 2, 1", &[1, 2, 3, 0, 5, 6, 7, 8])),
                ("y.npy", &arrays[3]),
                ("lengths.npy", &npy_file("|u1", "4,", &[2, 1, 2, 2])),
                ("mask.npy", &npy_file("|u1", "4, 2", &[1, 0, 1, 0, 1, 1, 0, 3])),
                ("weights.npy", &npy_file("|u1", "4,", &[1, 2, 1, 3])),
            ],
            zip::CompressionMethod::Stored,
        ),
    ]
}

fn pngs() -> Vec<Vec<u8>> {
    let png = |colour: png::ColorType, samples: usize| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 3, 2);
        encoder.set_color(colour);
        encoder.write_header().unwrap().write_image_data(&vec![7; 6 * samples]).unwrap();
        bytes
    };
    vec![png(png::ColorType::Grayscale, 1), png(png::ColorType::Rgba, 4), super::images::JPEG.into()]
}

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder");
}

/// The bytes as the file of a task, half of it to test on.
fn task(bytes: &[u8]) -> Result<()> {
    of("file", bytes, "test = 0.5")
}

fn sequences() -> Vec<Vec<u8>> {
    let rows: String =
        (0..12).map(|i| format!("{},{},{i}.5,{}\n", i % 4, i / 4, ["no", "yes"][i % 2])).collect();
    let small = "t;s;label;a\n0;x;1;2\n0;y;0;3\n1;x;1;4\n0;z;1;5\n3;v;0;6\n";
    vec![format!("s,t,a,label\n{rows}").into(), small.into()]
}

fn of_sequences(bytes: &[u8]) -> Result<()> {
    of("file", bytes, "sequence = { id = \"s\", time = \"t\" }\ntest = 0.5")
        .or_else(|_| of("file", bytes, "sequence = { id = \"s\", step = \"t\" }\ntest = 0.5"))
}

fn n_mnist() -> Vec<Vec<u8>> {
    let records =
        |n: u8| (0..n).flat_map(|i| [i % 4, if i == 5 { 240 } else { i % 3 }, i << 7, i, 7]).collect();
    vec![records(1), records(9), vec![3, 2, 0x7f, 0xff, 0xff]]
}

fn of_n_mnist(bytes: &[u8]) -> Result<()> {
    let keys = "events = { form = \"n-mnist\", size = [3, 4], bin = 300 }";
    recordings(bytes, "n-mnist", [0; 5].into(), keys)
}

fn aedat() -> Vec<Vec<u8>> {
    let records = |n: u8| (0..n).flat_map(|i| [0, 0, i % 3, i % 8, 0, 0, i, 7]);
    let file = |n| b"#!AER-DAT2.0\r\n# made up\n".iter().copied().chain(records(n)).collect();
    vec![file(1), file(9)]
}

fn of_aedat(bytes: &[u8]) -> Result<()> {
    let whole = [&b"#!AER-DAT2.0\n"[..], &[0; 8]].concat();
    recordings(
        bytes,
        "aedat2",
        whole,
        "events = { form = \"aedat2\", size = [3, 4], steps = 3, binary = true }",
    )
}

/// The bytes as a recording of one class, beside a `whole` one of another.
fn recordings(bytes: &[u8], folder: &str, whole: Vec<u8>, keys: &str) -> Result<()> {
    FOLDER.with(|root| {
        for class in ["a", "b"].map(|class| root.path().join(folder).join(class)) {
            std::fs::create_dir_all(&class).unwrap();
            std::fs::write(class.join("1.bin"), &whole).unwrap();
        }
        let test = root.path().join(folder).display().to_string();
        of(&format!("{folder}/a/1.bin"), bytes, &format!("{keys}\ntest = {test:?}"))
    })
}

/// The bytes as a file, and the task that reads it: the file itself, or the folder that it lies in with its class.
fn of(file: &str, bytes: &[u8], keys: &str) -> Result<()> {
    let path = FOLDER.with(|folder| folder.path().join(file));
    std::fs::write(&path, bytes).unwrap();
    let path =
        file.split_once('/').map_or(path, |(first, _)| FOLDER.with(|folder| folder.path().join(first)));
    let text = format!("[files]\ntrain = {:?}\n{keys}\nbatch = 2\nepochs = 1\n", path.display().to_string());
    let mut task: TaskSpec = toml::from_str(&text).unwrap();
    task.method_mut().look(Path::new("")).inspect_err(|e| {
        assert!(matches!(e, Error::Data { .. } | Error::Config { .. }), "{e:?}");
    })?;
    let (shape, outputs) = task.shape();
    match task.method().load(None) {
        Ok(loaded) => {
            let found = (loaded.train.shape(), loaded.train.classes(), loaded.train.len());
            assert_eq!(found, (shape, outputs, task.samples()));
        }
        // Numbers that are not finite.
        Err(e) => assert!(matches!(e, Error::Data { .. }), "{e:?}"),
    }
    Ok(())
}

fn array(bytes: &[u8]) -> Result<()> {
    let found = npy::array(&mut &bytes[..]).map_err(Error::data)?;
    let n: usize = found.shape.iter().product();
    let values = match found.values {
        npy::Values::Words(words) => words.len(),
        values => values.floats().len(),
    };
    assert_eq!(values, n);
    Ok(())
}

fn picture(bytes: &[u8]) -> Result<()> {
    let picture = pictures::decode(bytes).map_err(Error::data)?;
    let places = picture.size[0] * picture.size[1];
    assert_eq!(picture.planes.len(), picture.channels * places);
    assert_eq!(picture.grey().planes.len(), places);
    Ok(())
}

/// Two cycles of two devices, up and down, and RESET alone.
fn pulses() -> Vec<Vec<u8>> {
    let (mut both, mut reset) = (
        "device,cycle,pulse,direction,conductance (uS)\n".to_owned(),
        "device;cycle;pulse;direction;resistance [kohm]\n".to_owned(),
    );
    for (device, cycle) in [("a", 1), ("a", 2), ("b", 1), ("b", 2)] {
        for i in 0..24 {
            let jitter = f64::from(i * 7 % 5) * 0.03;
            let (word, level) = if i < 12 { ("ltp", f64::from(i)) } else { ("-1", f64::from(23 - i)) };
            both += &format!("{device},{cycle},{i},{word},{:.3}\n", 5.0 + 0.4 * level + jitter);
            reset += &format!("{device},{cycle},{i},reset,{:.3}\n", 7.0 + 0.1 * f64::from(i) + jitter);
        }
    }
    vec![both.into(), reset.replace(';', ",").into()]
}

/// Whatever was read is fitted or refused, and a fit is a device.
fn measured(bytes: &[u8]) -> Result<()> {
    let pulses = Pulses::parse(bytes, "p.csv", None)?;
    assert!(pulses.traces.iter().all(|t| t.device < pulses.devices.len() && !t.pulses.is_empty()));
    let mut rows = pulses.traces.iter().flat_map(|t| &t.pulses);
    assert!(rows.all(|p| (1e-15..=1e3).contains(&p.conductance) && p.number.is_finite()));
    for law in Law::ALL {
        let asked = Asked { law, name: "x".into(), source: "y".into(), window: None };
        match Fit::of(&pulses, &asked) {
            Ok(fit) => assert!(Population::from_toml(&fit.to_toml()?).is_ok()),
            Err(e) => assert!(e.exit_code() == 2 && e.hint().is_some(), "{e:?}"),
        }
    }
    Ok(())
}
