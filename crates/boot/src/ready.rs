//! Telling whoever started us that we are ready.

use anyhow::Context as _;
use std::path::PathBuf;

/// Says in the log that this process is ready, and makes `file` (from `--ready-file` or `DUPLEX_READY_FILE`) if there is
/// one to make. Its content is our process number.
///
/// # Errors
/// When the file cannot be written.
pub fn announce(file: Option<PathBuf>) -> anyhow::Result<()> {
    tracing::info!("ready");
    let Some(file) = file else {
        return Ok(());
    };
    let doing = || format!("cannot write the ready file {}", file.display());
    // Renamed into place, so that who sees it sees it whole.
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, std::process::id().to_string()).with_context(doing)?;
    std::fs::rename(&fresh, &file).with_context(doing)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn the_file_tells_which_process_is_ready() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("edge.ready");
        announce(Some(file.clone())).unwrap();
        let told = std::fs::read_to_string(file).unwrap();
        assert_eq!(told, std::process::id().to_string());
    }
}
