// SPDX-License-Identifier: Apache-2.0
// The only code that knows time zones: when the schedule's window is open. Daylight saving is the calendar's business:
// a time that a spring night skips counts as the next one that exists.

package import Domain
import Foundation

package struct WindowCalendar: Sendable {
    private let window: ScheduleSettings.Window
    private let calendar: Calendar

    /// Nil where the system does not know the time zone.
    package init?(_ window: ScheduleSettings.Window) {
        guard let zone = TimeZone(identifier: window.timeZone) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        self.window = window
        self.calendar = calendar
    }

    /// Whether time zones work at all in this binary: a static link without ICU makes every zone unknown, silently.
    /// Formatting a month's name is what pulls ICU in.
    package static var knowsTimeZones: Bool {
        !Date(timeIntervalSince1970: 0).formatted(.dateTime.month(.wide)).isEmpty
            && TimeZone(identifier: "Europe/Berlin") != nil
    }

    /// Whether the window is open at `time`, and when that changes next.
    package func state(at time: Timestamp) -> WindowChanged {
        let now = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
        for offset in -1...8 {
            guard let day = calendar.date(byAdding: .day, value: offset, to: calendar.startOfDay(for: now)),
                opens(on: day), let start = moment(day, window.fromMinute),
                let end = moment(endDay(day), window.toMinute), end > now
            else { continue }
            let isOpen = start <= now
            return WindowChanged(isOpen: isOpen, until: timestamp(isOpen ? end : start))
        }
        return WindowChanged(isOpen: false, until: nil)
    }

    /// The newest window that has begun at `time`: when it opened and when it closes or closed.
    package func newest(at time: Timestamp) -> (opened: Timestamp, closes: Timestamp)? {
        let now = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
        for offset in (-14...0).reversed() {
            guard let day = calendar.date(byAdding: .day, value: offset, to: calendar.startOfDay(for: now)),
                opens(on: day), let start = moment(day, window.fromMinute),
                let end = moment(endDay(day), window.toMinute), start <= now
            else { continue }
            return (timestamp(start), timestamp(end))
        }
        return nil
    }

    private func opens(on day: Date) -> Bool {
        guard !window.days.isEmpty else { return true }
        // Calendar counts Sunday as 1; the settings count Monday as 1 and Sunday as 7.
        let weekday = calendar.component(.weekday, from: day)
        return window.days.contains(weekday == 1 ? 7 : weekday - 1)
    }

    private func endDay(_ day: Date) -> Date {
        window.toMinute > window.fromMinute ? day : calendar.date(byAdding: .day, value: 1, to: day) ?? day
    }

    private func moment(_ day: Date, _ minute: Int) -> Date? {
        if minute >= 1440 { return calendar.date(byAdding: .day, value: 1, to: calendar.startOfDay(for: day)) }
        return calendar.date(
            bySettingHour: minute / 60, minute: minute % 60, second: 0, of: day, matchingPolicy: .nextTime)
    }

    private func timestamp(_ date: Date) -> Timestamp {
        Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }
}
