"""Prints random usages and what genai-prices says they cost: model, counts, picodollars."""

import random
from decimal import Decimal

from genai_prices import Usage, calc_price

MODELS = [
    "claude-fable-5-1",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-opus-5",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
]
random.seed(20261122)
for _ in range(2000):
    model = random.choice(MODELS)
    most = random.choice([10, 1000, 60_000, 200_000])
    fresh, write, read, output = (random.randrange(most) for _ in range(4))
    usage = Usage(
        input_tokens=fresh + write + read,
        cache_write_tokens=write,
        cache_read_tokens=read,
        output_tokens=output,
    )
    price = calc_price(usage, model_ref=model, provider_id="anthropic").total_price
    print(model, fresh, write, read, output, int((price * Decimal(10) ** 12).to_integral_value()))
