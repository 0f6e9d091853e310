// SPDX-License-Identifier: Apache-2.0
// Prices and taxes.

import Prices
import Testing

@Test func taxIsRoundedHalfUp() {
    #expect(Price(cents: 250).adding(taxPercent: 19) == Price(cents: 298))
}
