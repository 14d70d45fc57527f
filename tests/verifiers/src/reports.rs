//! The commands `zeugma verify` and the Go verifier's on every golden bundle, under three locales and zones: each
//! writes the same bytes whatever the machine is set to, and both say what the vectors say.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Language and zone of a machine. Turkish has another upper case of `i`, Chinese another calendar of names; the
/// zones lie on both sides of the date line.
const MACHINES: [(&str, &str); 3] =
    [("C", "UTC"), ("zh_CN.UTF-8", "Pacific/Kiritimati"), ("tr_TR.UTF-8", "America/Los_Angeles")];

/// A case with its files, in a folder of its own.
struct Desk<'a> {
    folder: PathBuf,
    case: &'a Value,
}

/// Runs both commands on every golden bundle; returns how many there were.
pub(crate) fn compare(zeugma: &str, go: &str) -> Result<usize> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/evidence/golden.json");
    let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: Value = serde_json::from_slice(&file)?;
    let cases = file["cases"].as_array().context("the vectors have cases")?;
    let folder = std::env::temp_dir().join(format!("zeugma-reports-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = cases.iter().try_for_each(|case| {
        let desk = Desk { folder: folder.clone(), case };
        desk.lay_out(&file["parts"])?;
        desk.judge(zeugma, go).with_context(|| format!("{}", case["name"]))
    });
    std::fs::remove_dir_all(&folder)?;
    result.map(|()| cases.len())
}

impl Desk<'_> {
    fn lay_out(&self, parts: &Value) -> Result<()> {
        let text = |value: &Value| value.as_str().map(str::to_owned).context("text");
        for (name, bytes) in [
            ("bundle", text(&self.case["bundle"])?),
            ("trust", text(&parts[text(&self.case["trust"])?])?),
            ("policy", text(&parts[text(&self.case["policy"])?])?),
            ("file", text(&self.case["file"]).unwrap_or_default()),
        ] {
            std::fs::write(self.folder.join(name), hex::decode(bytes)?)?;
        }
        Ok(())
    }

    fn judge(&self, zeugma: &str, go: &str) -> Result<()> {
        let presented = !self.case["file"].is_null();
        let at = self.case["json"]["time"].as_str().context("a time")?;
        let mut first = vec!["verify", "bundle"];
        first.extend(presented.then_some("file"));
        first.extend(["--trust", "trust", "--policy", "policy", "--time", at, "--json"]);
        let millis = self.case["time"].to_string();
        let mut second = vec!["--trust", "trust", "--policy", "policy", "--time", &millis, "--form", "json"];
        second.extend(presented.then_some(["--file", "file"]).into_iter().flatten());
        second.push("bundle");
        for (program, arguments) in [(zeugma, first), (go, second)] {
            let mut before: Option<Vec<u8>> = None;
            for machine in MACHINES {
                let bytes = self.run(program, &arguments, machine)?;
                let view: Value =
                    serde_json::from_slice(&bytes).with_context(|| format!("{program}'s view"))?;
                ensure!(view == self.case["json"], "{program} says something else than the vectors");
                let same = before.as_ref().is_none_or(|before| *before == bytes);
                ensure!(same, "{program} writes other bytes under {machine:?}");
                before = Some(bytes);
            }
        }
        Ok(())
    }

    /// What the program prints on a machine of this language and zone; it ends with 1 where the file is another.
    fn run(&self, program: &str, arguments: &[&str], (language, zone): (&str, &str)) -> Result<Vec<u8>> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .envs([("LC_ALL", language), ("LANG", language), ("TZ", zone)])
            .output()
            .with_context(|| format!("cannot run {program}"))?;
        let expected = i32::from(self.case["json"]["integrity"] == "refuted");
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(expected), "{program} ended with {}: {said}", output.status);
        Ok(output.stdout)
    }
}
