//! What a person chose for this browser.

use crate::interop::dom;

const THEME: &str = "duplex.theme";

/// Which colours the page has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// What the system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The one chosen last.
    #[must_use]
    pub fn chosen() -> Self {
        match dom::stored(THEME).as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Applies it and keeps it.
    pub fn choose(self) {
        let choice = match self {
            Self::System => "",
            Self::Light => "light",
            Self::Dark => "dark",
        };
        dom::store(THEME, (self != Self::System).then(|| choice.to_owned()));
        dom::set_theme(choice);
    }
}

/// What was chosen last for a new session.
pub fn last(what: &str) -> Option<String> {
    dom::stored(&format!("duplex.last.{what}"))
}

/// Keeps what was chosen for a new session.
pub fn keep_last(what: &str, value: &str) {
    dom::store(&format!("duplex.last.{what}"), Some(value.to_owned()));
}
