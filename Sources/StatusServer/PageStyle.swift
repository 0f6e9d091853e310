// SPDX-License-Identifier: Apache-2.0
// The style sheet of the status page: system fonts, light and dark, phone and print; contrasts meet WCAG 2.2 AA.

enum PageStyle {
    static let sheet = """
        :root { --ink: #1c2024; --soft: #5d6168; --paper: #fff; --card: #f6f7f8; --line: #dfe2e6; --link: #0b61c4;
          --good: #14683f; --good-bg: #dcf3e5; --good-edge: #2b9a66; --bad: #b3202a; --bad-bg: #ffe3e3; --bad-edge: #dc3e42;
          --doubt: #7d4b00; --doubt-bg: #ffeec9; --doubt-edge: #e2a336; --quiet: #5d6168; --quiet-bg: #e9ebee;
          --quiet-edge: #b0b4ba }
        @media screen and (prefers-color-scheme: dark) { :root { --ink: #e9ebee; --soft: #a4a9b1; --paper: #111315; --card: #191b1f;
          --line: #30343a; --link: #7ab8ff; --good: #6fd3a0; --good-bg: #11301f; --good-edge: #2b9a66; --bad: #ff9b98;
          --bad-bg: #3d1419; --bad-edge: #e5484d; --doubt: #ffcf6b; --doubt-bg: #35290c; --doubt-edge: #d99a26;
          --quiet: #a4a9b1; --quiet-bg: #25282d; --quiet-edge: #5a6069 } }
        * { box-sizing: border-box }
        html { scroll-padding-top: 1rem }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
        header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem }
        header { display: flex; justify-content: space-between; align-items: baseline; gap: .2rem 1rem; flex-wrap: wrap;
          padding-top: .7rem; padding-bottom: .5rem; border-bottom: 1px solid var(--line); margin-bottom: 1.1rem }
        nav ol { list-style: none; display: flex; flex-wrap: wrap; margin: 0; padding: 0 }
        nav li + li::before { content: "/"; color: var(--soft); padding: 0 .5rem }
        nav li:first-child { font-weight: 650 }
        nav a[aria-current] { color: var(--ink); text-decoration: none }
        #live { margin: 0; color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums }
        #live::before { content: ""; display: inline-block; width: .55em; height: .55em; border-radius: 50%;
          margin-right: .45em; background: var(--quiet-edge) }
        #live.on::before { background: var(--good-edge) } #live.lost { color: var(--bad); font-weight: 600 }
        #live.lost::before { background: var(--bad-edge) }
        a { color: var(--link); text-underline-offset: .15em } a:focus-visible, [tabindex]:focus-visible, summary:focus-visible {
          outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px }
        main:focus { outline: none }
        .skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; top: .5rem; background: var(--paper);
          padding: .3rem .6rem; z-index: 1 }
        .quietly { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; white-space: nowrap }
        h2, h3 { line-height: 1.25 } h2 { font-size: 1.35rem; margin: 0 } h2 a { color: inherit; text-decoration: none }
        h2 a:hover { text-decoration: underline }
        h3 { font-size: .8rem; margin: 1.5rem 0 .45rem; color: var(--soft); font-weight: 650; letter-spacing: .05em; text-transform: uppercase }
        p { margin: .2rem 0; overflow-wrap: anywhere } .soft, .since, small, footer { color: var(--soft) }
        .head { border-left: 8px solid var(--quiet-edge); background: var(--card); border-radius: 6px; padding: .7rem 1rem .75rem }
        .head.good { border-color: var(--good-edge); background: var(--good-bg) }
        .head.bad { border-color: var(--bad-edge); background: var(--bad-bg) }
        .head.doubt { border-color: var(--doubt-edge); background: var(--doubt-bg) }
        .head { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; align-items: baseline }
        .head .facts { grid-column: 1 / -1 } .head .state { text-align: right } .head .since { color: var(--ink) }
        .state strong { font-size: 1.35rem; letter-spacing: .02em } .head.good strong { color: var(--good) }
        .head.bad strong { color: var(--bad) } .head.doubt strong { color: var(--doubt) }
        .fact { margin-left: .6rem } .fact.doubt, strong.doubt, .stopped { color: var(--doubt); font-weight: 600 }
        .problem { color: var(--bad) } .risk { color: var(--bad); font-weight: 600 }
        article + article { margin-top: 1.5rem } .facts .fact:first-child { margin-left: 0 }
        .summary { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; margin: 0 0 1rem; padding: 0 }
        .summary a { margin-left: .35rem; white-space: nowrap }
        .answers { display: grid; grid-template-columns: 5rem 1fr; gap: .3rem .5rem; margin: .4rem 0 0 1.5rem }
        .s-now .answers { margin-top: .7rem }
        .answers.small { font-size: .9rem; margin-top: .3rem; margin-left: 0 }
        dt { color: var(--soft) } dd { margin: 0; min-width: 0; overflow-wrap: anywhere } dd p { margin: 0 }
        .todo { list-style: none; margin: 0; padding: 0; font-weight: 600 } .todo code { background: var(--quiet-bg); padding: .1em .4em; border-radius: 4px }
        progress { appearance: none; width: 100%; height: .5rem; border: 0; border-radius: 3px; margin-top: .35rem; display: block;
          background: var(--quiet-bg); overflow: hidden; accent-color: var(--good-edge) }
        progress::-webkit-progress-bar { background: var(--quiet-bg) } progress::-webkit-progress-value { background: var(--good-edge) }
        progress::-moz-progress-bar { background: var(--good-edge) }
        progress.failing::-webkit-progress-value { background: var(--bad-edge) } progress.failing::-moz-progress-bar { background: var(--bad-edge) }
        .bar { display: block; width: 100%; height: .35rem; border-radius: 3px; margin-top: .3rem; overflow: hidden }
        .bar .safe { fill: var(--good-edge) } .bar .risked { fill: var(--bad-edge) }
        .strip { list-style: none; display: flex; flex-wrap: wrap; gap: 3px; margin: 0 0 .15rem; padding: 0 }
        .cell { display: block; min-width: 1.6rem; text-align: center; text-decoration: none; font: 650 .85rem/1.75rem ui-monospace, Menlo, Consolas, monospace;
          border-radius: 4px; border-bottom: 3px solid var(--quiet-edge); color: var(--quiet); background: var(--quiet-bg) }
        .cell.good { color: var(--good); background: var(--good-bg); border-color: var(--good-edge) }
        .cell.bad { color: var(--bad); background: var(--bad-bg); border-color: var(--bad-edge) }
        .cell.doubt { color: var(--doubt); background: var(--doubt-bg); border-color: var(--doubt-edge) }
        .cell:hover { outline: 2px solid currentColor }
        .badge, .mark { display: inline-block; border-radius: 1em; padding: 0 .6em; font-size: .8em; font-weight: 650; white-space: nowrap;
          color: var(--quiet); background: var(--quiet-bg) }
        .badge.good, .mark.good { color: var(--good); background: var(--good-bg) } .badge.bad, .mark.bad { color: var(--bad); background: var(--bad-bg) }
        .badge.doubt, .mark.doubt { color: var(--doubt); background: var(--doubt-bg) }
        .head .badge { background: var(--paper) }
        code, pre, .log { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
        pre { background: var(--card); padding: .7rem; border-radius: 6px; overflow-x: auto; white-space: pre-wrap }
        ul, .whys { padding-left: 1.2rem; margin: .3rem 0 } .incidents { list-style: none; padding: 0; margin: 0 }
        .incident { background: var(--card); border-left: 4px solid var(--bad-edge); border-radius: 6px; padding: .5rem .9rem; margin-bottom: .5rem }
        summary { cursor: pointer; overflow-wrap: anywhere } .whys > li { margin-bottom: .4rem }
        .evidence { list-style: none; padding: 0; font-size: .9rem } q { quotes: none; color: var(--soft); overflow-wrap: anywhere }
        .scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .93rem }
        th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
        thead th { color: var(--soft); font-weight: 600; font-size: .82rem; white-space: nowrap } tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 5rem } td { min-width: 3rem } td.w { min-width: 16rem }
        td code { white-space: nowrap } main > h2 { margin-bottom: .6rem }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
        .log { list-style: none; margin: 0; padding: .6rem .8rem; background: var(--card); border-radius: 6px; max-height: 24rem; overflow-y: auto; font-size: .8rem }
        .log li { padding-left: 17.5rem; text-indent: -17.5rem } .log .mark { min-width: 3.6rem; text-indent: 0; text-align: center; border-radius: 4px; padding: 0 .2em; font-size: 1em }
        .log .topic { display: inline-block; min-width: 5.2rem; text-indent: 0; font-weight: 600 } .log time { color: var(--soft) }
        .reasons { list-style: none; padding: 0 } .reasons li { padding: .35rem .8rem; margin-bottom: .25rem; border-radius: 6px; background: var(--card) }
        .reasons .bad { background: var(--bad-bg) } .reasons .doubt { background: var(--doubt-bg) }
        tbody th code { white-space: nowrap } .line { display: block; width: 14rem; height: .7rem; margin-top: .35rem } .line rect { fill: var(--quiet-edge) } .line .good { fill: var(--good-edge) }
        .line .bad { fill: var(--bad-edge) } .line .doubt { fill: var(--doubt-edge) } .line .ground { fill: var(--quiet-bg) }
        .pager { display: flex; justify-content: space-between; margin-top: 1rem }
        footer { margin-top: 2.5rem; padding-top: .8rem; padding-bottom: 1.5rem; border-top: 1px solid var(--line); font-size: .85rem }
        @media (max-width: 40rem) { header, main, footer { padding-left: .8rem; padding-right: .8rem } .head { grid-template-columns: 1fr }
          .head .state { text-align: left } .fact { margin-left: 0; display: block; margin-top: .2rem } .answers { grid-template-columns: 1fr; gap: 0; margin-left: 0 }
          .answers dd { margin-bottom: .55rem } .log li { padding-left: 0; text-indent: 0; padding-bottom: .3rem } .log .topic, .log .mark { min-width: 0 } }
        @media (forced-colors: active) { .head, .incident, .cell { border-color: CanvasText } }
        @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth } }
        @media print { :root { --paper: #fff; --ink: #000 } .skip, nav, footer, #live { display: none } .log { max-height: none }
          main { max-width: none; padding: 0 } .head, .badge, .cell, .bar, .line { print-color-adjust: exact; -webkit-print-color-adjust: exact }
          .incident { break-inside: avoid } }
        """
}
