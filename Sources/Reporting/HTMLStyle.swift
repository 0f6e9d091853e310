// SPDX-License-Identifier: Apache-2.0
// The style sheet of HTML reports: system fonts, light and dark after the reader's own setting, phones, and print.

enum HTMLStyle {
    static let sheet = """
        :root { color-scheme: light dark; --ink: #1b1f24; --soft: #5f6672; --paper: #fbfbfa; --card: #fff; --line: #e4e5e3;
          --good: #177645; --good-bg: #e3f4ea; --bad: #c4262e; --bad-bg: #fdeaea; --doubt: #8a5a00; --doubt-bg: #fdf1d6;
          --quiet: #5f6672; --quiet-bg: #eef0ef; --accent: #3b5bb5 }
        @media screen and (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa3ae; --paper: #121416;
          --card: #1a1d20; --line: #2c3136; --good: #62c78f; --good-bg: #12301f; --bad: #ff8f8a; --bad-bg: #3a1518;
          --doubt: #f0c060; --doubt-bg: #33280c; --quiet: #9aa3ae; --quiet-bg: #24282c; --accent: #8fa8f0 } }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI",
          Roboto, "Noto Sans", sans-serif; -webkit-text-size-adjust: 100% }
        main { max-width: 66rem; margin: 0 auto; padding: 2.2rem 1.4rem 4rem }
        a { color: var(--accent); text-decoration: none } a[href]:hover { text-decoration: underline }
        h1 { font-size: 2.1rem; line-height: 1.15; margin: 0; letter-spacing: -.02em; display: flex; flex-wrap: wrap;
          align-items: center; gap: .25em .5em }
        h1 .badge { font-size: .42em; letter-spacing: .04em }
        h2 { font-size: 1.08rem; margin: 2.4rem 0 .7rem; letter-spacing: -.005em } h3 { font-size: .95rem; margin: 1.2rem 0 .4rem }
        p { margin: .35rem 0; overflow-wrap: anywhere } small, .soft, footer, .eyebrow { color: var(--soft) }
        .eyebrow { font-size: .85rem; margin: 0 0 .6rem } .lede { font-size: 1.12rem; margin: .7rem 0 1.3rem; max-width: 52rem }
        .hero { border-top: 4px solid var(--edge, var(--line)); background: var(--card); border-radius: 0 0 10px 10px;
          padding: 1.3rem 1.5rem 1.4rem; box-shadow: 0 0 0 1px var(--line) }
        .hero.good { --edge: var(--good) } .hero.bad { --edge: var(--bad) } .hero.doubt { --edge: var(--doubt) }
        .hero.good h1 { color: var(--good) } .hero.bad h1 { color: var(--bad) } .hero.doubt h1 { color: var(--doubt) }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: 1px; background: var(--line);
          border: 1px solid var(--line); border-radius: 8px; overflow: hidden; margin-bottom: 1.2rem }
        .figures div { background: var(--card); padding: .65rem .9rem .7rem; display: flex; flex-direction: column }
        .figures b { font-size: 1.3rem; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -.01em }
        .figures span { font-size: .85rem } .figures small { font-size: .8rem }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.1rem; margin: 0; font-size: .92rem }
        dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
        .badge { display: inline-block; border-radius: 5px; padding: .08em .5em; font-size: .76rem; font-weight: 600;
          white-space: nowrap; color: var(--quiet); background: var(--quiet-bg) }
        .badge.good { color: var(--good); background: var(--good-bg) } .badge.bad { color: var(--bad); background: var(--bad-bg) }
        .badge.doubt { color: var(--doubt); background: var(--doubt-bg) }
        ul, ol { padding-left: 1.25rem; margin: .3rem 0 } li { margin: .22rem 0; overflow-wrap: anywhere }
        .reasons, .plain, .ticks, .crosses, .evidence { list-style: none; padding: 0 }
        .reasons li { padding: .5rem .85rem; margin-bottom: .35rem; border-radius: 7px; border-left: 3px solid var(--line);
          background: var(--card); box-shadow: inset 0 0 0 1px var(--line) }
        .reasons li.bad { border-left-color: var(--bad) } .reasons li.doubt { border-left-color: var(--doubt) }
        .reasons li.good { border-left-color: var(--line); color: var(--soft) }
        .plain li { display: grid; grid-template-columns: 3.5rem 1fr; gap: .6rem; align-items: baseline } .plain .badge { justify-self: start }
        .ticks li, .crosses li { padding-left: 1.3em; position: relative }
        .ticks li::before, .crosses li::before { position: absolute; left: 0; font-weight: 700 }
        .ticks li::before { content: "\\2713"; color: var(--good) } .crosses li::before { content: "\\2013"; color: var(--doubt) }
        .two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.4rem; align-items: start } .two > section { min-width: 0 }
        .next li { margin-bottom: .5rem } .run { display: inline-block; background: var(--quiet-bg); border-radius: 5px;
          padding: .1em .5em; margin-top: .15em }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; margin-bottom: .4rem }
        th { text-align: left; font-weight: 500; color: var(--soft); font-size: .8rem; padding-bottom: .2rem }
        td { border-top: 1px solid var(--line); vertical-align: top } th, td { padding: .42rem .8rem .42rem 0 }
        th:last-child, td:last-child { padding-right: 0 } td { overflow-wrap: break-word } td:first-child, time { white-space: nowrap }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } td.w { min-width: 9rem }
        .stages td:nth-child(3) { width: 24%; min-width: 7rem; padding-top: .6rem }
        .stages td:nth-child(2) { min-width: 10.5rem }
        code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
        pre { background: var(--quiet-bg); padding: .8rem; border-radius: 7px; overflow-x: auto; white-space: pre }
        .formula { color: var(--soft); font-size: .86rem; margin: .5rem 0 }
        article { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .9rem; margin: .9rem 0 }
        article.bad { border-color: var(--bad) } article h3 { margin: 0 }
        summary { cursor: pointer; color: var(--soft) }
        .incident { background: var(--card); border-radius: 10px; padding: .3rem 1.4rem 1.1rem; margin-top: 1.8rem;
          box-shadow: 0 0 0 1px var(--line) }
        .incident h2 { margin-top: .9rem } .whys { list-style: none; counter-reset: why; padding: 0; margin: .8rem 0 }
        .whys > li { counter-increment: why; position: relative; padding: 0 0 .8rem 2.3rem; margin: 0 }
        .whys > li::before { content: counter(why); position: absolute; left: 0; top: .1rem; width: 1.5rem; height: 1.5rem;
          border-radius: 50%; background: var(--quiet-bg); color: var(--soft); text-align: center; line-height: 1.5rem;
          font-size: .8rem; font-weight: 650 }
        .whys > li:not(:last-child)::after { content: ""; position: absolute; left: .72rem; top: 1.8rem; bottom: .1rem;
          border-left: 1px solid var(--line) }
        .whys p { margin: 0 } .whys .unknown > p + p { color: var(--soft); font-style: italic }
        .evidence { font-size: .88rem } .evidence li { margin: .15rem 0 } q { quotes: none; color: var(--soft) }
        .flow { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .35rem }
        .flow li { background: var(--quiet-bg); color: var(--quiet); border-radius: 6px; padding: .2rem .65rem; margin: 0 }
        .flow li.good { background: var(--good-bg); color: var(--good) } .flow li.bad { background: var(--bad-bg); color: var(--bad) }
        .flow li.doubt { background: var(--doubt-bg); color: var(--doubt) } .flow small { color: inherit; opacity: .75 }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem }
        figure { margin: 0; background: var(--card); border-radius: 8px; box-shadow: 0 0 0 1px var(--line); padding: .7rem .9rem .4rem;
          min-width: 0 }
        figcaption { font-size: .84rem; color: var(--soft); display: flex; justify-content: space-between; gap: .8rem;
          overflow-wrap: anywhere; margin-bottom: .35rem }
        figcaption b { color: var(--ink); font-variant-numeric: tabular-nums } figcaption b, figcaption span { white-space: nowrap }
        svg { display: block; overflow: visible } svg text { font: 10.5px system-ui, sans-serif; fill: var(--soft) }
        svg .ink { stroke: var(--soft); stroke-width: 1.5; stroke-linecap: round; opacity: .7 }
        svg line.rule { stroke: var(--line) } svg rect.rule { fill: var(--line) }
        svg .mark { stroke: var(--ink); stroke-width: 1.5 } svg .soft { stroke: var(--soft); stroke-dasharray: 3 3 }
        svg .good { fill: var(--good) } svg .bad { fill: var(--bad) } svg .doubt { fill: var(--doubt) } svg .quiet { fill: var(--soft) }
        svg .band { fill: var(--accent); opacity: .16 }
        .bullet { margin-top: .25rem; min-width: 6rem }
        .strip { font: 600 .8rem ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; letter-spacing: .08em;
          margin: 0; overflow-wrap: anywhere } .strip .good { color: var(--good) } .strip .bad { color: var(--bad) }
        .strip .doubt { color: var(--doubt) }
        footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .85rem; overflow-wrap: anywhere }
        @media (max-width: 680px) {
          main { padding: 1rem .9rem 3rem } .hero { padding: 1.1rem 1rem } h1 { font-size: 1.7rem } .two { display: block }
          .figures { grid-template-columns: 1fr 1fr }
          .figures div:last-child:nth-child(odd) { grid-column: 1 / -1 } .incident { padding: .2rem 1rem .9rem } dl { grid-template-columns: 1fr }
          dt { margin-top: .3rem } thead { display: none } table, tbody { display: block }
          tr { display: block; border-top: 1px solid var(--line); padding: .55rem 0 }
          td { display: grid; grid-template-columns: 6.2rem 1fr; gap: .6rem; border: 0; padding: .1rem 0 !important; text-align: left;
            white-space: normal !important; min-width: 0 }
          td > div { min-width: 0; overflow-wrap: anywhere } .stages td:nth-child(2) { min-width: 0 }
          td::before { content: attr(data-label); color: var(--soft); font-size: .82rem } td[data-label=""]::before { content: none }
          td[data-label=""] { display: inline-block; margin-right: .5rem } td.n, td.n > div { text-align: left !important } .stages td:nth-child(3) { width: auto; min-width: 0 }
        }
        @media print {
          @page { margin: 14mm 13mm } body { font-size: 10.5pt; background: #fff } main { max-width: none; padding: 0 }
          * { -webkit-print-color-adjust: exact; print-color-adjust: exact } a { color: inherit }
          .hero, .incident, figure, tr, article, .reasons li, .whys > li { break-inside: avoid } h2, h3 { break-after: avoid }
        }
        """
}
