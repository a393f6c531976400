//! The one-time link with which the first owner is made.

use crate::Origin;
use duplex_readmodel::{AccountError, Accounts};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing::{info, warn};

/// The file that holds the link until it is used.
pub(crate) struct SetupLink(PathBuf);

/// The link could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupLinkError {
    /// No secret came about.
    #[error("the setup link could not be made: {0}")]
    Account(#[from] AccountError),
    /// The file could not be written.
    #[error("the setup link could not be written to {}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl SetupLink {
    pub fn in_folder(data: &Path) -> Self {
        Self(data.join("setup-link"))
    }

    /// Makes and announces a link if there is no owner yet. The secret stands behind `#`, which no browser sends.
    pub async fn announce(&self, accounts: &Accounts, at: &Origin) -> Result<(), SetupLinkError> {
        let secret = match accounts.new_setup_secret().await {
            Ok(secret) => secret,
            Err(AccountError::AlreadySetUp) => {
                self.used();
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let link = format!("{at}/setup#{secret}");
        let failed = |source| SetupLinkError::File {
            path: self.0.clone(),
            source,
        };
        self.write(&link).map_err(failed)?;
        info!("nobody owns this Duplex yet; become its owner at {link}");
        Ok(())
    }

    fn write(&self, link: &str) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder)?;
        }
        self.used();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.0)?;
        writeln!(file, "{link}")
    }

    /// The link is of no use any more.
    pub fn used(&self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!(
                    "the used setup link in {} could not be removed: {error}",
                    self.0.display()
                );
            }
            _ => {}
        }
    }
}
