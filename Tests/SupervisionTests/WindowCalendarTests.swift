// SPDX-License-Identifier: Apache-2.0
//
// The window against an oracle that knows the daylight saving rules of 2026 as two instants and nothing else.

import Domain
import Supervision
import Testing

/// Local time by arithmetic.
struct Zone: Sendable, CustomStringConvertible {
    var name: String
    /// Minutes east of UTC in winter.
    var winter: Int64
    var summerBegins: Timestamp
    var summerEnds: Timestamp

    var description: String { name }

    func local(_ time: Timestamp) -> (weekday: Int, minute: Int) {
        let isSummer = time >= summerBegins && time < summerEnds
        let minutes = time.milliseconds / 60_000 + winter + (isSummer ? 60 : 0)
        // 1970-01-01 was a Thursday, 4.
        return (Int((minutes / 1440 + 3) % 7) + 1, Int(minutes % 1440))
    }

    static let all = [
        Zone(
            name: "Europe/Berlin", winter: 60, summerBegins: at("2026-03-29T01:00:00.000Z"),
            summerEnds: at("2026-10-25T01:00:00.000Z")),
        Zone(
            name: "America/New_York", winter: -300, summerBegins: at("2026-03-08T07:00:00.000Z"),
            summerEnds: at("2026-11-01T06:00:00.000Z")),
    ]
}

func at(_ text: String) -> Timestamp {
    Timestamp(text) ?? Timestamp(milliseconds: 0)
}

struct WindowCalendarTests {
    private func calendar(
        _ from: Int, _ to: Int, _ zone: String, days: [Int] = []
    ) throws -> WindowCalendar {
        try #require(
            WindowCalendar(
                ScheduleSettings.Window(fromMinute: from, toMinute: to, timeZone: zone, days: days)))
    }

    /// A window whose borders no change of clocks touches: 22:00 to 06:00, opened on the given days.
    private func nightIsOpen(_ local: (weekday: Int, minute: Int), days: [Int]) -> Bool {
        let yesterday = local.weekday == 1 ? 7 : local.weekday - 1
        if local.minute >= 22 * 60 { return days.contains(local.weekday) }
        return local.minute < 6 * 60 && days.contains(yesterday)
    }

    /// Each quarter of an hour in the one zone, each hour in the other.
    @Test(arguments: Zone.all)
    func `through a whole year it is open or closed as the local clock says`(_ zone: Zone) throws {
        let days = [1, 2, 3, 4, 5]
        let night = try calendar(22 * 60, 6 * 60, zone.name, days: days)
        var time = at("2026-01-01T00:00:00.000Z")
        var promised: WindowChanged?
        while time < at("2027-01-01T00:00:00.000Z") {
            let state = night.state(at: time)
            #expect(state.isOpen == nightIsOpen(zone.local(time), days: days), "\(time)")
            let until = try #require(state.until, "\(time)")
            #expect(until > time, "\(time)")
            // What was promised a step before still holds, unless its time has come.
            if let promised, let change = promised.until {
                #expect(change <= time ? state.isOpen != promised.isOpen : state == promised, "\(time)")
            }
            promised = state
            time = time + .seconds(zone.winter > 0 ? 900 : 3600)
        }
    }

    @Test func `a window over the spring gap is an hour shorter`() throws {
        let night = try calendar(22 * 60, 6 * 60, "Europe/Berlin")
        let state = night.state(at: at("2026-03-28T21:00:00.000Z"))
        #expect(state == WindowChanged(isOpen: true, until: at("2026-03-29T04:00:00.000Z")))
        #expect(!night.state(at: at("2026-03-28T20:59:59.000Z")).isOpen)
    }

    @Test func `a window over the autumn overlap is an hour longer`() throws {
        let night = try calendar(22 * 60, 6 * 60, "America/New_York")
        let state = night.state(at: at("2026-11-01T02:00:00.000Z"))
        #expect(state == WindowChanged(isOpen: true, until: at("2026-11-01T11:00:00.000Z")))
    }

    @Test func `a time that the spring night skips counts as the next one that exists`() throws {
        let early = try calendar(2 * 60 + 30, 4 * 60, "Europe/Berlin")
        // 02:30 does not exist on this day; 03:00 summer time is 01:00 UTC.
        let before = early.state(at: at("2026-03-29T00:30:00.000Z"))
        #expect(before == WindowChanged(isOpen: false, until: at("2026-03-29T01:00:00.000Z")))
        #expect(early.state(at: at("2026-03-29T01:00:00.000Z")).isOpen)
    }

    @Test func `a time that the autumn night has twice counts as the first`() throws {
        let early = try calendar(2 * 60 + 30, 4 * 60, "Europe/Berlin")
        // 02:30 is 00:30 UTC and again 01:30 UTC.
        let before = early.state(at: at("2026-10-25T00:00:00.000Z"))
        #expect(before == WindowChanged(isOpen: false, until: at("2026-10-25T00:30:00.000Z")))
        let open = early.state(at: at("2026-10-25T01:15:00.000Z"))
        #expect(open == WindowChanged(isOpen: true, until: at("2026-10-25T03:00:00.000Z")))
    }

    @Test(arguments: Zone.all, [(0, 1440), (60, 150), (150, 240), (540, 1020), (600, 600), (1439, 1)])
    func `around a change of clocks the next change is ahead, true when it comes, and not before`(
        _ zone: Zone, _ window: (Int, Int)
    ) throws {
        let calendar = try calendar(window.0, window.1, zone.name)
        for change in [zone.summerBegins, zone.summerEnds] {
            var time = change + .seconds(-36 * 3600)
            while time < change + .seconds(36 * 3600) {
                let state = calendar.state(at: time)
                let until = try #require(state.until)
                #expect(until > time, "\(time)")
                #expect(calendar.state(at: until + .seconds(-1)).isOpen == state.isOpen, "\(time)")
                // A window of a whole day borders on the next one.
                if (window.1 - window.0) % 1440 != 0 {
                    #expect(calendar.state(at: until).isOpen != state.isOpen, "\(time)")
                }
                time = time + .seconds(900)
            }
        }
    }

    @Test func `only the days that are named open a window, also over midnight`() throws {
        let friday = try calendar(22 * 60, 6 * 60, "UTC", days: [5])
        #expect(friday.state(at: at("2026-11-20T21:59:00.000Z")).until == at("2026-11-20T22:00:00.000Z"))
        #expect(friday.state(at: at("2026-11-21T05:59:00.000Z")).isOpen)
        let closed = friday.state(at: at("2026-11-21T06:00:00.000Z"))
        #expect(closed == WindowChanged(isOpen: false, until: at("2026-11-27T22:00:00.000Z")))
    }

    @Test func `an unknown zone makes no calendar`() {
        #expect(
            WindowCalendar(ScheduleSettings.Window(fromMinute: 0, toMinute: 60, timeZone: "Europe/Berln")) == nil)
        #expect(WindowCalendar.knowsTimeZones)
    }
}
