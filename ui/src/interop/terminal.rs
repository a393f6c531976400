//! A terminal drawn in the page.

use duplex_domain::Size;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "ui-terminal")]
extern "C" {
    type TerminalHost;

    #[wasm_bindgen(constructor)]
    fn new_js(host: &web_sys::Element, cols: u16, rows: u16, report: &JsValue) -> TerminalHost;

    #[wasm_bindgen(method)]
    fn write(this: &TerminalHost, bytes: &[u8]) -> bool;

    #[wasm_bindgen(method)]
    fn draw(this: &TerminalHost, bytes: &[u8]);

    #[wasm_bindgen(method)]
    fn resize(this: &TerminalHost, cols: u16, rows: u16);

    #[wasm_bindgen(method)]
    fn focus(this: &TerminalHost);

    #[wasm_bindgen(method)]
    fn allow(this: &TerminalHost, keys: bool);

    #[wasm_bindgen(method)]
    fn call(this: &TerminalHost, name: &str);

    #[wasm_bindgen(method)]
    fn does(this: &TerminalHost, what: &str);

    #[wasm_bindgen(method)]
    fn dispose(this: &TerminalHost);
}

/// What a drawn terminal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Keys were typed.
    Keys(Vec<u8>),
    /// This size would fill its place.
    Fit(Size),
    /// So many bytes more are drawn.
    Drawn(u64),
    /// Somebody typed who may not.
    Denied,
    /// A sentence for the person.
    Said(String),
    /// It could not be loaded.
    Failed,
}

impl Told {
    fn read(what: &str, data: &JsValue) -> Option<Self> {
        Some(match what {
            "keys" => Self::Keys(js_sys::Uint8Array::new(data).to_vec()),
            "fit" => {
                let sides = js_sys::Array::from(data);
                let (cols, rows) = (number(&sides.get(0)), number(&sides.get(1)));
                Self::Fit(Size { cols, rows })
            }
            "drawn" => Self::Drawn(bytes(data)),
            "denied" => Self::Denied,
            "said" => Self::Said(data.as_string()?),
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of cells; what is out of range is clamped later"
)]
fn number(value: &JsValue) -> u16 {
    value.as_f64().unwrap_or(0.0) as u16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of bytes, whole and far below 2^53"
)]
fn bytes(value: &JsValue) -> u64 {
    value.as_f64().unwrap_or(0.0) as u64
}

/// A terminal in the page. Its code is loaded when the first one is made; what comes in until then is kept.
pub struct Drawn {
    host: TerminalHost,
    _report: Closure<dyn FnMut(String, JsValue)>,
}

impl Drawn {
    /// Makes a terminal in an element; `tell` gets what it tells.
    pub fn new(
        element: &web_sys::Element,
        size: Size,
        mut tell: impl FnMut(Told) + 'static,
    ) -> Self {
        let report = Closure::<dyn FnMut(String, JsValue)>::new(move |what: String, data| {
            if let Some(told) = Told::read(&what, &data) {
                tell(told);
            }
        });
        let host = TerminalHost::new_js(element, size.cols, size.rows, report.as_ref());
        Self {
            host,
            _report: report,
        }
    }

    /// Appends output. False when it could not be kept.
    pub fn write(&self, bytes: &[u8]) -> bool {
        self.host.write(bytes)
    }

    /// Replaces everything shown.
    pub fn draw(&self, bytes: &[u8]) {
        self.host.draw(bytes);
    }

    /// Changes how many cells there are.
    pub fn resize(&self, size: Size) {
        self.host.resize(size.cols, size.rows);
    }

    /// Gives it the keyboard's focus.
    pub fn focus(&self) {
        self.host.focus();
    }

    /// Whether typed keys are reported.
    pub fn allow(&self, keys: bool) {
        self.host.allow(keys);
    }

    /// What it is called in messages.
    pub fn call(&self, name: &str) {
        self.host.call(name);
    }

    /// Does what its menu offers.
    pub fn does(&self, what: &str) {
        self.host.does(what);
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.host.dispose();
    }
}
