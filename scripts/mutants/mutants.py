#!/usr/bin/env python3
"""Mutants of the library: does a test notice when the bookkeeping is wrong?

usage: scripts/mutants/mutants.py [PICK …] [--level protocol|it|all] [--again] [--work DIR] [--limit SECONDS]

PICK: numbers, ranges (`60-99`) or words in a mutant's file or text; default: all. `list.json` has them:
{"id": 1, "file": "crates/bouton-core/src/…", "old": "…", "new": "… {k} …", "what": "…"}, where `old` stands once in the file and `{k}`
in `new` is an expression that is true when the mutant is on; "equal": "why" marks one that changes nothing and is not run.

All mutants are switches of one build: the tree is copied, every mutant written into the copy, and the tests built once with a
quick profile. Then each runs with MUT=<id>: the protocol tests, the unit tests beside its file, the other integration tests but
the SLOW ones, the other unit tests, until one fails; `--level protocol` runs the protocol tests alone, `--level it` no unit tests,
which need a build of their own. Results go to `results.csv`, by mutant, with date, commit and level: what was killed at the present
commit, or survived this level, is not repeated without `--again`.
"""
import argparse, csv, datetime, json, os, re, shutil, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
RESULTS = os.path.join(HERE, "results.csv")
FIELDS = ["id", "file", "what", "result", "seconds", "level", "date", "commit"]
# Integration tests that are about files, pages and long runs, or take minutes.
SLOW = """claims::every_recipe crash:: data:: docs:: download:: image_recipes:: images:: golden:: combos::
    anderson::every_sample""".split()
# Protocol tests, or others with `::`, that look at a folder first, since most mutants die there in a blink.
NEAR = {
    "anchor": "anchors importance draws::",
    "credit": "samples importance draws:: phases starts settling",
    "network": "tasks phases settling samples",
    "neuron": "settling samples",
    "norm": "tasks",
    "objective": "answers tasks",
    "optim": "optimisers update anchors draws:: phases",
    "recipe": "refused",
    "solver": "settling samples",
    "task": "streams starts runs",
    "train": "tasks anchors importance optimisers runs",
}
QUICK = ["profile.release.incremental=true", "profile.release.package.bouton-core.opt-level=1"]
CRATES = ["bouton-core", "bouton"]
SURVIVED = "SURVIVED"
SWITCH = """
/// Whether mutant `k` is on: only in copies made for mutation tests.
#[doc(hidden)]
pub fn mutant(k: u32) -> bool {
    static WHICH: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| std::env::var("MUT").ok().and_then(|v| v.parse().ok()).unwrap_or(0));
    *WHICH == k
}
"""


def git(*args):
    return subprocess.run(["git", *args], cwd=TREE, capture_output=True, text=True, check=True).stdout.strip()


def picked(mutants, picks):
    def fits(m, pick):
        if numbers := re.fullmatch(r"(\d+)(?:-(\d+))?", pick):
            return int(numbers[1]) <= m["id"] <= int(numbers[2] or numbers[1])
        return pick in m["file"] or pick in m["what"]

    return [m for m in mutants if not picks or any(fits(m, p) for p in picks)]


def mutated(mutants):
    """The texts of all files that change, by path."""
    texts = {}
    for m in mutants:
        text = texts.get(m["file"]) or open(os.path.join(TREE, m["file"])).read()
        if text.count(m["old"]) != 1:
            sys.exit(f"mutant {m['id']}: `old` stands {text.count(m['old'])} times in {m['file']}: {m['old']!r}")
        texts[m["file"]] = text.replace(m["old"], m["new"].replace("{k}", f"crate::mutant({m['id']})"))
    for crate, switch in zip(CRATES, [SWITCH, "#[doc(hidden)]\npub use bouton_core::mutant;\n"]):
        lib = f"crates/{crate}/src/lib.rs"
        texts[lib] = open(os.path.join(TREE, lib)).read() + switch
    return texts


def copy(mutants, to):
    """Files that are the same already keep their time, so that cargo builds what changed."""
    texts = mutated(mutants)
    files = [f for f in git("ls-files", "--cached", "--others", "--exclude-standard").split("\n") if os.path.isfile(os.path.join(TREE, f))]
    for f in files:
        path = os.path.join(to, f)
        wanted = texts[f].encode() if f in texts else open(os.path.join(TREE, f), "rb").read()
        if os.path.exists(path) and open(path, "rb").read() == wanted:
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").write(wanted)
        if f not in texts:
            shutil.copystat(os.path.join(TREE, f), path)
    for folder, _, names in os.walk(os.path.join(to, "crates")):
        for name in names:
            if os.path.relpath(os.path.join(folder, name), to) not in files:
                os.remove(os.path.join(folder, name))


def build(tree, target, level):
    command = ["cargo"] + [x for q in QUICK for x in ("--config", q)]
    command += ["test", "--release", "--no-run", *(f"-p={crate}" for crate in CRATES), "--test", "it", "--message-format=json"]
    command += ["--lib"] if level == "all" else []
    log = subprocess.run(command, cwd=tree, env=dict(os.environ, CARGO_TARGET_DIR=target), stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in log.stdout.splitlines() if line.startswith("{")]
    if log.returncode:
        sys.exit("".join(m["message"]["rendered"] for m in messages if m.get("reason") == "compiler-message")[-4000:])
    return {m["target"]["name"]: m["executable"] for m in messages if m.get("executable")}


class Tests:
    """The two test programs, run with a mutant on."""

    def __init__(self, programs, tree, limit):
        self.programs, self.cwd, self.limit = programs, os.path.join(tree, "crates/bouton"), limit

    def stages(self, m, level):
        crate, file = re.fullmatch(r"crates/([^/]+)/src/(.+)\.rs", m["file"]).groups()
        folder, unit = file.split("/")[0], crate.replace("-", "_")
        skipped = [x for s in SLOW for x in ("--skip", s)]
        if folder in NEAR:
            yield "it", [m if m.endswith("::") else f"protocol::{m}::" for m in NEAR[folder].split()]
        yield "it", ["protocol::"]
        if level == "all":
            yield unit, [f"{folder}::"]
        if level != "protocol":
            yield "it", ["--skip", "protocol::", *skipped]
        if level == "all":
            yield unit, ["--skip", f"{folder}::"]

    def run(self, k, stages):
        """The first failure, or nothing."""
        for program, args in stages:
            command = [self.programs[program], "-q", *args]
            try:
                env = dict(os.environ, MUT=str(k))
                r = subprocess.run(command, cwd=self.cwd, env=env, capture_output=True, text=True, timeout=self.limit)
            except subprocess.TimeoutExpired:
                return f"killed: {program} {' '.join(args)[:40]}: time"
            if r.returncode:
                names = re.findall(r"^    (\S+)$", r.stdout, re.M) or [f"exit {r.returncode}"]
                return f"killed: {' '.join(dict.fromkeys(names[:3]))}"
        return ""


def stored():
    if not os.path.exists(RESULTS):
        return {}
    return {int(r["id"]): r for r in csv.DictReader(open(RESULTS))}


def store(results):
    with open(RESULTS + ".new", "w", newline="") as f:
        writer = csv.DictWriter(f, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(results[k] for k in sorted(results))
    os.replace(RESULTS + ".new", RESULTS)


def main():
    a = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    a.add_argument("picks", nargs="*")
    a.add_argument("--level", choices=["protocol", "it", "all"], default="all")
    a.add_argument("--again", action="store_true")
    a.add_argument("--work", default=os.path.join(TREE, "target/mutants"))
    a.add_argument("--limit", type=int, default=120)
    o = a.parse_args()
    mutants = json.load(open(os.path.join(HERE, "list.json")))
    tree, commit = os.path.join(os.path.abspath(o.work), "tree"), git("describe", "--always", "--dirty")
    copy(mutants, tree)
    tests = Tests(build(tree, os.path.join(os.path.abspath(o.work), "build"), o.level), tree, o.limit)
    if bad := tests.run(0, [("it", ["protocol::"])]):
        sys.exit(f"a test fails without a mutant: {bad}")
    results = {k: r for k, r in stored().items() if k in {m["id"] for m in mutants}}
    for m in picked(mutants, o.picks):
        before = results.get(m["id"], {})
        known = before.get("commit") == commit and (before["result"] != SURVIVED or before["level"] == o.level)
        if known and not o.again:
            continue
        began = time.time()
        result = f"equal: {m['equal']}" if "equal" in m else tests.run(m["id"], tests.stages(m, o.level)) or SURVIVED
        row = [m["id"], m["file"].split("/src/")[1], m["what"], result, round(time.time() - began, 1)]
        results[m["id"]] = dict(zip(FIELDS, row + [o.level, datetime.date.today().isoformat(), commit]))
        store(results)
        print(m["id"], result, "·", m["what"], flush=True)
    every = [r["result"].split(":")[0] for r in results.values()]
    print({kind: every.count(kind) for kind in sorted(set(every))})


if __name__ == "__main__":
    main()
