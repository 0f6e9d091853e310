// SPDX-License-Identifier: Apache-2.0
// The little arithmetic that weighing needs, without Foundation.

enum Numbers {
    static func exp(_ x: Double) -> Double {
        guard x > -700 else { return 0 }
        // exp(x) = 2^n * exp(r) with |r| <= ln 2 / 2; the series is exact to a double there after 14 terms.
        let n = (x / ln2).rounded()
        let r = x - n * ln2
        var term = 1.0
        var sum = 1.0
        for index in 1...14 {
            term *= r / Double(index)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(n), significand: sum)
    }

    /// The natural logarithm of a positive number.
    static func log(_ x: Double) -> Double {
        guard x > 0 else { return -700 }
        // x = 2^e * m with m in [0.75, 1.5): ln m = 2 artanh((m - 1) / (m + 1)).
        var exponent = Double(x.exponent)
        var m = x.significand
        if m >= 1.5 {
            m /= 2
            exponent += 1
        }
        let t = (m - 1) / (m + 1)
        var power = t
        var sum = 0.0
        for index in stride(from: 1, through: 41, by: 2) {
            sum += power / Double(index)
            power *= t * t
        }
        return exponent * ln2 + 2 * sum
    }

    static func power(_ base: Double, _ times: Int) -> Double {
        (0..<max(0, times)).reduce(1) { product, _ in product * base }
    }

    /// Shannon's entropy of a distribution, in bits.
    static func entropy(_ distribution: some Sequence<Double>) -> Double {
        distribution.reduce(0) { $1 > 0 ? $0 - $1 * log($1) / ln2 : $0 }
    }

    static func rounded(_ x: Double, _ digits: Int) -> Double {
        let scale = power(10, digits)
        return (x * scale).rounded() / scale
    }

    /// `+2.3`, `-0.4`.
    static func signed(_ x: Double) -> String { (x < 0 ? "-" : "+") + "\(rounded(abs(x), 1))" }

    /// `93 %`, `0.4 %`.
    static func percent(_ x: Double) -> String {
        let percent = x * 100
        if percent >= 10 { return "\(Int(percent.rounded())) %" }
        if percent >= 0.1 { return "\(rounded(percent, 1)) %" }
        return "< 0.1 %"
    }

    private static let ln2 = 0.693_147_180_559_945_3
}
