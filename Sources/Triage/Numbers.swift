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

    /// For a comparison with a threshold: `99.73 %` where `percent` says `100 %`, and `1 %` where it says `1.0 %`.
    static func exact(_ x: Double) -> String {
        if x > 0.9999, x < 1 { return "> 99.99 %" }
        // Down, so that what is below a threshold never reads as if it had met it.
        let digits = x > 0.99 ? 2 : x >= 0.1 ? 0 : 1
        let scale = power(10, digits)
        let down = ((x * 100 + 1e-9) * scale).rounded(.down) / scale
        if down == 0, x > 0 { return "< 0.1 %" }
        return down == down.rounded() ? "\(Int(down)) %" : "\(down) %"
    }

    /// `93 %`, `0.4 %`.
    static func percent(_ x: Double) -> String {
        let percent = x * 100
        if percent >= 10 { return "\(Int(percent.rounded())) %" }
        if percent >= 0.1 { return "\(rounded(percent, 1)) %" }
        return "< 0.1 %"
    }
}
