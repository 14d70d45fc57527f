//! The dashboard: its panels, checked for what Grafana needs of them, and the queries they ask.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;

/// The oldest layout that Grafana 11 still reads without changing it.
const SCHEMA: u64 = 39;
/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;
/// What a query may take from the dashboard, and what stands for it in a check.
const VARIABLES: [(&str, &str); 2] = [("$instance", ".*"), ("$__rate_interval", "1m")];

/// One panel that asks something.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// Its queries, with the variables filled in.
    pub(crate) queries: Vec<String>,
}

/// Reads the dashboard.
///
/// # Errors
/// When two panels share a place or a number, one asks nothing or says nothing about itself, or a query uses
/// a variable that the dashboard does not have.
pub(crate) fn parse(text: &str) -> Result<Vec<Panel>> {
    let dashboard: Value = serde_json::from_str(text)?;
    ensure!(dashboard["schemaVersion"].as_u64() >= Some(SCHEMA), "the schema is older than {SCHEMA}");
    ensure!(text_of(&dashboard, "uid").is_ok() && text_of(&dashboard, "title").is_ok(), "uid and title");
    let variables = dashboard["templating"]["list"].as_array().context("the dashboard has no variables")?;
    let variables: BTreeSet<&str> = variables.iter().filter_map(|one| one["name"].as_str()).collect();
    ensure!(variables.contains("instance") && variables.contains("datasource"), "instance, datasource");

    let panels = dashboard["panels"].as_array().context("the dashboard has no panels")?;
    let (mut numbers, mut cells, mut read) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for panel in panels {
        let title = text_of(panel, "title")?.to_owned();
        let number = panel["id"].as_u64().with_context(|| format!("{title} has no number"))?;
        ensure!(numbers.insert(number), "{title}: the number {number} is taken");
        occupy(&panel["gridPos"], &mut cells).with_context(|| title.clone())?;
        if panel["type"] != "row" {
            text_of(panel, "description").with_context(|| title.clone())?;
            ensure!(panel["datasource"]["uid"] == "${datasource}", "{title}: the data source is fixed");
            let queries = queries(panel).with_context(|| title.clone())?;
            read.push(Panel { title, queries });
        }
    }
    ensure!(!read.is_empty(), "no panel asks anything");
    Ok(read)
}

fn text_of<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().filter(|text| !text.is_empty()).with_context(|| format!("`{key}` is missing"))
}

/// Takes the cells of one panel, which must be free.
fn occupy(place: &Value, cells: &mut BTreeSet<(u64, u64)>) -> Result<()> {
    let of = |key: &str| place[key].as_u64().with_context(|| format!("gridPos has no {key}"));
    let (x, y, w, h) = (of("x")?, of("y")?, of("w")?, of("h")?);
    ensure!(w > 0 && h > 0 && h < 100 && x + w <= COLUMNS, "it does not fit into {COLUMNS} columns");
    for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
        ensure!(cells.insert(cell), "another panel stands at column {}, line {}", cell.0, cell.1);
    }
    Ok(())
}

fn queries(panel: &Value) -> Result<Vec<String>> {
    let targets = panel["targets"].as_array().filter(|targets| !targets.is_empty()).context("no query")?;
    let mut names = BTreeSet::new();
    let filled = targets.iter().map(|target| {
        ensure!(names.insert(text_of(target, "refId")?), "two queries with one refId");
        let asked = text_of(target, "expr")?;
        let filled = VARIABLES.iter().fold(asked.to_owned(), |query, (name, by)| query.replace(name, by));
        ensure!(!filled.contains('$'), "an unknown variable in `{asked}`");
        Ok(filled)
    });
    filled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dashboard() -> Value {
        let panel = |id: u64, x: u64| {
            json!({
                "id": id, "type": "stat", "title": format!("panel {id}"), "description": "what it shows",
                "datasource": {"uid": "${datasource}"}, "gridPos": {"x": x, "y": 0, "w": 12, "h": 4},
                "targets": [{"refId": "A", "expr": "rate(a{instance=~\"$instance\"}[$__rate_interval])"}],
            })
        };
        json!({
            "uid": "u", "title": "t", "schemaVersion": 39, "panels": [panel(1, 0), panel(2, 12)],
            "templating": {"list": [{"name": "instance"}, {"name": "datasource"}]},
        })
    }

    #[test]
    fn queries_are_read_with_their_variables_filled_in() {
        let panels = parse(&dashboard().to_string()).unwrap();
        assert_eq!(panels.len(), 2);
        assert_eq!(panels[0].queries, [r#"rate(a{instance=~".*"}[1m])"#]);
    }

    #[test]
    fn a_dashboard_that_grafana_would_show_wrongly_is_refused() {
        let broken: [(&str, Value); 8] = [
            ("/schemaVersion", json!(30)),
            ("/panels/1/id", json!(1)),
            ("/panels/1/gridPos/x", json!(11)),
            ("/panels/1/gridPos/x", json!(13)),
            ("/panels/0/targets", json!([])),
            ("/panels/0/targets/0/expr", json!("a{b=\"$other\"}")),
            ("/panels/0/description", json!("")),
            ("/panels/0/datasource/uid", json!("fixed")),
        ];
        for (place, value) in broken {
            let mut dashboard = dashboard();
            *dashboard.pointer_mut(place).unwrap() = value;
            assert!(parse(&dashboard.to_string()).is_err(), "{place}");
        }
    }
}
