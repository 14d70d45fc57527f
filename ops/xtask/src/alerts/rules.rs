//! The file of alert rules, read line by line in the one form in which it is written. What YAML allows
//! beside that form is refused here, so that nothing is overlooked; whether it is right, `promtool` says.

use anyhow::{Context, Result, ensure};
use std::ops::Range;

/// One alert.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: String,
    /// The page that says what to do.
    pub(crate) runbook: String,
    /// Whether it must hold for some time before it fires.
    pub(crate) waits: bool,
    /// The lines of its expression.
    expression: Range<usize>,
}

/// All alerts, in the order of the file.
#[derive(Debug)]
pub(crate) struct Rules {
    lines: Vec<String>,
    pub(crate) alerts: Vec<Alert>,
}

impl Rules {
    /// Reads the file.
    ///
    /// # Errors
    /// When an alert lacks one of its parts, or is written in another form.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let starts: Vec<usize> =
            (0..lines.len()).filter(|line| lines[*line].trim_start().starts_with("- alert:")).collect();
        ensure!(!starts.is_empty(), "no alert");
        let all = text.matches("alert:").count();
        ensure!(all == starts.len(), "{all} mentions of `alert:` but {} alerts", starts.len());
        let ends = starts.iter().copied().skip(1).chain([lines.len()]);
        let alerts = starts.iter().copied().zip(ends).map(|(start, end)| alert(&lines, start..end));
        let alerts = alerts.collect::<Result<Vec<_>>>()?;
        for (number, alert) in alerts.iter().enumerate() {
            let twice = alerts[..number].iter().any(|other| other.name == alert.name);
            ensure!(!twice, "the alert {} stands there twice", alert.name);
        }
        Ok(Self { lines, alerts })
    }

    /// The whole file with another expression for `alert`.
    pub(crate) fn with_expression(&self, alert: &Alert, expression: &str) -> String {
        let Range { start, end } = alert.expression;
        let indented = format!("          {expression}");
        let lines = self.lines[..start].iter().chain([&indented]).chain(&self.lines[end..]);
        lines.map(|line| format!("{line}\n")).collect()
    }
}

fn alert(lines: &[String], range: Range<usize>) -> Result<Alert> {
    let name = value(&lines[range.start], "- alert:").context("an alert has a name")?.to_owned();
    let one = |key: &str| -> Result<&str> {
        let found: Vec<&str> = lines[range.clone()].iter().filter_map(|line| value(line, key)).collect();
        ensure!(found.len() == 1, "{name}: `{key}` stands there {} times", found.len());
        Ok(found[0])
    };
    let severity = one("severity:")?;
    ensure!(["critical", "warning"].contains(&severity), "{name}: the severity is `{severity}`");
    ensure!(!one("summary:")?.is_empty(), "{name}: the summary is empty");
    let runbook = one("runbook_url:")?.to_owned();
    ensure!(one("expr:")? == ">-", "{name}: write the expression as a block, `expr: >-`");
    let is_key = |line: &String, key: &str| value(line, key).is_some();
    let start =
        range.start + lines[range.clone()].iter().position(|line| is_key(line, "expr:")).unwrap_or(0) + 1;
    let length = lines[start..range.end]
        .iter()
        .position(|line| is_key(line, "for:") || is_key(line, "labels:"))
        .with_context(|| format!("{name}: labels follow the expression"))?;
    ensure!(length > 0, "{name}: the expression is empty");
    let waits = lines[range].iter().any(|line| is_key(line, "for:"));
    Ok(Alert { name, runbook, waits, expression: start..start + length })
}

fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.trim_start().strip_prefix(key).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "\
groups:
  - name: some
    rules:
      - alert: First
        expr: >-
          a
          > 1
        for: 1m
        labels:
          severity: warning
        annotations:
          summary: 'it is {{ $value }}'
          runbook_url: docs/alerts/first.md
      # why
      - alert: Second
        expr: >-
          b > 2
        labels:
          severity: critical
        annotations:
          summary: two
          runbook_url: docs/alerts/second.md
";

    #[test]
    fn another_expression_replaces_all_lines_of_the_old_one_and_nothing_else() {
        let rules = Rules::parse(TWO).unwrap();
        assert_eq!(rules.alerts.iter().map(|alert| alert.waits).collect::<Vec<_>>(), [true, false]);
        let broken = rules.with_expression(&rules.alerts[0], "vector(1)");
        assert_eq!(broken, TWO.replace("          a\n          > 1\n", "          vector(1)\n"));
    }

    #[test]
    fn an_alert_without_one_of_its_parts_is_refused() {
        for (part, without) in [
            ("          severity: critical\n", ""),
            ("          severity: critical\n", "          severity: loud\n"),
            ("          summary: two\n", ""),
            ("          runbook_url: docs/alerts/second.md\n", ""),
            ("        expr: >-\n          b > 2\n", "        expr: b > 2\n"),
            ("          b > 2\n", ""),
            ("- alert: Second", "- alert: First"),
            ("- alert: Second", "- \"alert\": Second"),
        ] {
            assert!(TWO.contains(part));
            assert!(Rules::parse(&TWO.replace(part, without)).is_err(), "{part:?} to {without:?}");
        }
    }
}
