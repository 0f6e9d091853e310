// SPDX-License-Identifier: Apache-2.0
// The window of a simulated loop: nights from 22:00 to 06:00, by a clock that may change twice a year.

import Domain

/// Nights without a calendar: the machine sees instants only.
struct Nights: Sendable {
    /// Minutes east of UTC in winter.
    var winter: Int64 = 0
    /// Whether clocks go one hour ahead from the last Sunday of March, 01:00 UTC, to that of October (Directive 2000/84/EC).
    var hasSummerTime = false

    static let utc = Nights()
    static let berlin = Nights(winter: 60, hasSummerTime: true)

    private static let day: Int64 = 86_400_000

    func window(at now: Timestamp) -> WindowChanged {
        let local = now.milliseconds + offset(now.milliseconds)
        let midnight = local - local % Self.day
        let (six, ten) = (midnight + 6 * 3_600_000, midnight + 22 * 3_600_000)
        if local < six { return WindowChanged(isOpen: true, until: instant(six)) }
        if local >= ten { return WindowChanged(isOpen: true, until: instant(six + Self.day)) }
        return WindowChanged(isOpen: false, until: instant(ten))
    }

    /// The instant at which clocks show `local`; the borders of a night are never skipped or shown twice.
    private func instant(_ local: Int64) -> Timestamp {
        Timestamp(milliseconds: local - offset(local - winter * 60_000))
    }

    /// Milliseconds east of UTC at an instant.
    private func offset(_ instant: Int64) -> Int64 {
        (winter + (hasSummerTime && isSummer(instant) ? 60 : 0)) * 60_000
    }

    private func isSummer(_ instant: Int64) -> Bool {
        let year = Self.year(of: instant)
        return instant >= Self.lastSunday(of: 3, year) && instant < Self.lastSunday(of: 10, year)
    }

    private static func year(of instant: Int64) -> Int64 {
        var year = 1970 + instant / (366 * day)
        while days(before: year + 1) * day <= instant { year += 1 }
        return year
    }

    /// Days from 1970-01-01 to the first of January.
    private static func days(before year: Int64) -> Int64 {
        let past = year - 1
        return 365 * (year - 1970) + (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
    }

    /// 01:00 UTC on the last Sunday of March or October, each of which has 31 days.
    private static func lastSunday(of month: Int64, _ year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let last = days(before: year) + (month == 3 ? 89 : 303) + (isLeap ? 1 : 0)
        // 1970-01-01 was a Thursday, 4 days after a Sunday.
        return (last - (last + 4) % 7) * day + 3_600_000
    }
}
