//! The packs that come with the program. Each is a starting point for a court's own, with its cases beside it.

use crate::pack::Pack;

/// File name, pack and cases, as they stand in `evidence/rules/packs`.
pub const FILES: [(&str, &str, &str); 4] = [
    (
        "spc-online-litigation",
        include_str!("../packs/spc-online-litigation.toml"),
        include_str!("../packs/spc-online-litigation.cases.toml"),
    ),
    ("fre-902", include_str!("../packs/fre-902.toml"), include_str!("../packs/fre-902.cases.toml")),
    (
        "vermont-1913",
        include_str!("../packs/vermont-1913.toml"),
        include_str!("../packs/vermont-1913.cases.toml"),
    ),
    (
        "arbitration-template",
        include_str!("../packs/arbitration-template.toml"),
        include_str!("../packs/arbitration-template.cases.toml"),
    ),
];

/// The packs.
///
/// # Panics
/// Never: a test reads each of them.
#[must_use]
pub fn packs() -> Vec<Pack> {
    FILES
        .iter()
        .map(|(_, pack, _)| Pack::from_toml(pack).expect("a shipped pack is read by a test"))
        .collect()
}
