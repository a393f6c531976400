//! A model as people choose it.

use super::money;
use duplex_wire::Model;

/// The demonstration's provider.
pub const DEMO: &str = "demo";

/// Its name, and why it cannot be chosen if it cannot.
#[must_use]
pub fn name(model: &Model) -> String {
    let label = &model.label;
    let demo = model.provider == DEMO && !label.to_lowercase().contains("demonstration");
    match (&model.why_not, model.available) {
        (Some(why), false) => format!("{label} (not available: {why})"),
        (None, false) => format!("{label} (not available)"),
        _ if demo => format!("{label} (demonstration, no real model)"),
        _ => label.clone(),
    }
}

/// What it costs and how much it takes in.
#[must_use]
pub fn facts(model: &Model) -> String {
    let price = match model.price {
        Some(price) if price.input + price.output == 0 => "free of charge".to_owned(),
        Some(price) => {
            let (input, output) = (
                money::per_million(price.input),
                money::per_million(price.output),
            );
            format!("{input} in and {output} out for a million tokens")
        }
        None => "unpriced: what it costs is not counted".to_owned(),
    };
    match model.context {
        Some(window) => format!("{price}; a window of {} tokens", money::count(window)),
        None => price,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_wire::ModelPrice;

    fn model(price: Option<(u64, u64)>) -> Model {
        let price = price.map(|(input, output)| ModelPrice {
            input,
            output,
            cache_write: 0,
            cache_write_1h: 0,
            cache_read: 0,
        });
        Model {
            id: "sage".to_owned(),
            label: "Sage".to_owned(),
            provider: "anthropic".to_owned(),
            available: true,
            why_not: None,
            context: Some(200_000),
            max_output: None,
            price,
        }
    }

    #[test]
    fn a_models_price_and_window_are_told() {
        assert_eq!(
            facts(&model(Some((2_000_000, 10_000_000)))),
            "$2.00 in and $10.00 out for a million tokens; a window of 200k tokens"
        );
        assert_eq!(
            facts(&model(None)),
            "unpriced: what it costs is not counted; a window of 200k tokens"
        );
    }

    #[test]
    fn a_model_that_cannot_be_chosen_says_why() {
        let mut model = model(None);
        assert_eq!(name(&model), "Sage");
        model.available = false;
        model.why_not = Some("no key".to_owned());
        assert_eq!(name(&model), "Sage (not available: no key)");
    }
}
