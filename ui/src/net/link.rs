//! How the page's connection stands.

/// How the page's connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// The first connection is being made.
    #[default]
    Connecting,
    /// Connected; what was missed is still coming.
    CatchingUp,
    /// Everything that happens is seen at once.
    Live,
    /// Not connected; another attempt follows by itself.
    Offline,
    /// Not connected, for a reason that waiting does not mend.
    Refused(String),
}

impl Link {
    /// The colour of its dot, as a class.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Live => "ok",
            Self::Connecting | Self::CatchingUp => "warn",
            Self::Offline | Self::Refused(_) => "bad",
        }
    }

    /// Its words.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Connecting => "connecting",
            Self::CatchingUp => "catching up",
            Self::Live => "live",
            Self::Offline => "offline",
            Self::Refused(why) => why,
        }
    }
}
