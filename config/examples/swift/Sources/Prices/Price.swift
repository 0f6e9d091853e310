// SPDX-License-Identifier: Apache-2.0
// An amount of money.

/// Whole cents, so that sums are exact.
public struct Price: Equatable, Sendable {
    public var cents: Int

    public init(cents: Int) {
        self.cents = cents
    }

    /// The price with a tax in percent, rounded half up.
    public func adding(taxPercent: Int) -> Price {
        Price(cents: (cents * (100 + taxPercent) + 50) / 100)
    }
}
