// SPDX-License-Identifier: Apache-2.0
// The little arithmetic that weighing needs, for people to read.

enum Numbers {
    static func power(_ base: Double, _ times: Int) -> Double {
        (0..<max(0, times)).reduce(1) { product, _ in product * base }
    }

    /// Shannon's entropy of a distribution, in bits.
    static func entropy(_ distribution: some Sequence<Double>) -> Double {
        distribution.reduce(0) { $1 > 0 ? $0 - $1 * RealMath.log($1) / RealMath.lnTwo : $0 }
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
}
