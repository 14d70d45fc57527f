//! What a suite is.

use crate::files::File;
use crate::report::Report;
use anyhow::Result;

/// One published suite.
pub trait Suite: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// Runs every case of one file. A file that the suite does not know is given to
    /// [`Report::unknown`], never passed over.
    ///
    /// # Errors
    /// When the report cannot be written. What is wrong with a file is reported, not returned.
    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()>;
}
