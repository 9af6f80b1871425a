//! The files of a run directory and stored results.

use bouton::claims::parse_results;
use bouton::train::continual::Accuracies;
use bouton::train::{Provenance, Status, metrics};
use bouton::{Error, Result};
use serde::Serialize;

use super::run::Reader;

pub fn readers() -> Vec<Reader> {
    let tokens =
        &["\"step\":", "\"split\":", "null", "{", "}", "[", "]", ",", ":", "\"", "\\ud800", "\n", "1e999"];
    let reader = |name, seeds, read| Reader { name, short: 3000, seeds, tokens, read };
    vec![
        reader("metrics", metrics_seeds, read_metrics),
        reader("status", status_seeds, read_status),
        reader("provenance", provenance_seeds, read_provenance),
        reader("results", results_seeds, read_results),
        reader("continual", continual_seeds, read_continual),
    ]
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data can be written")
}

fn metrics_seeds() -> Vec<Vec<u8>> {
    let line = |step: u64| {
        format!(
            "{{\"step\":{step},\"epoch\":3,\"wall\":84.1,\"split\":\"test\",\"accuracy\":0.9712,\"r.free\":null}}\n"
        )
    };
    let text: String = (0..3).map(line).collect();
    vec![text.clone().into(), text[..text.len() - 9].into()]
}

fn read_metrics(bytes: &[u8]) -> Result<()> {
    let read = metrics::parse(bytes, "metrics.jsonl")?;
    let lines: String = read.records.iter().map(|r| json(r) + "\n").collect();
    let again = metrics::parse(lines.as_bytes(), "written").expect("what was written can be read");
    assert_eq!(again.records.len(), read.records.len());
    assert!(again.note.is_none());
    Ok(())
}

fn status_seeds() -> Vec<Vec<u8>> {
    let mut status = Status::new("ep", 3, "ab12");
    // The present time and process would make other cases every day.
    (status.pid, status.started, status.heartbeat) =
        (7, "2026-11-21T14:12:05Z".into(), "2026-11-21T14:12:06Z".into());
    let running = json(&status);
    status.error = Some("population 2, phase nudged".into());
    vec![running.into(), json(&status).into()]
}

fn read_status(bytes: &[u8]) -> Result<()> {
    let status = Status::parse(bytes, "status.json")?;
    assert_eq!(Status::parse(json(&status).as_bytes(), "written").unwrap(), status);
    Ok(())
}

fn provenance_seeds() -> Vec<Vec<u8>> {
    let data = [("train-images".to_owned(), "sha256:ab".to_owned())].into();
    let mut p = Provenance::gather(2, "avx2", &["bouton".into(), "run".into()], data);
    (p.cpu, p.cores, p.started) = (None, 2, "2026-11-21T14:12:05Z".into());
    (p.os, p.commit) = ("linux x86_64".into(), Some("34d4860".into()));
    vec![json(&p).into()]
}

fn read_provenance(bytes: &[u8]) -> Result<()> {
    let p = Provenance::parse(bytes, "provenance.json")?;
    assert_eq!(Provenance::parse(json(&p).as_bytes(), "written").unwrap(), p);
    Ok(())
}

fn results_seeds() -> Vec<Vec<u8>> {
    let stored = include_str!("../../../../../recipes/kirkpatrick2017/results.jsonl");
    let lines: Vec<&str> = stored.lines().take(2).collect();
    let named = "{\"claim\":\"a/b\",\"recipe\":\"ab12\",\"overrides\":[],\"seed\":1,\"epochs\":6,\"metrics\":\
        {\"loss\":null,\"mse\":0.25,\"r2\":0.9},\"wall_seconds\":1.5,\"bouton\":\"0.1.0\",\"commit\":null,\"date\":\
        \"2026-11-30\",\"machine\":\"Some CPU\",\"threads\":2,\"quick\":false}";
    vec![lines.join("\n").into(), lines[0].into(), named.into()]
}

fn read_results(bytes: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::data("not text"))?;
    let lines = parse_results(text, "results.jsonl")?;
    let written: String = lines.iter().map(|l| json(l) + "\n").collect();
    assert_eq!(parse_results(&written, "written").unwrap().len(), lines.len());
    Ok(())
}

fn continual_seeds() -> Vec<Vec<u8>> {
    let told = "{\"boundaries-in-training\":[\"outputs depend on the task\"],\"task-known-in-testing\":[]}";
    let text = format!(
        "{{\"tasks\":\"split\",\"told\":{told},\"baseline\":[0.1,0.2],\"accuracy\":[[0.9,null],[0.5,0.8]],\"metrics\":{{\"acc\":0.65}}}}"
    );
    vec![text.into()]
}

fn read_continual(bytes: &[u8]) -> Result<()> {
    let file = Accuracies::parse(bytes, "continual.json")?;
    let again = Accuracies::parse(json(&file).as_bytes(), "written").unwrap();
    assert_eq!((again.told, again.accuracy.len()), (file.told, file.accuracy.len()));
    Ok(())
}
