/**
 * The widget's looks: one constructed style sheet, so that a strict content security policy lets it pass.
 *
 * A page may set --ot-accent and --ot-on-accent (text on it), --ot-font, --ot-right and --ot-bottom on the element.
 * Text and ground keep a contrast of at least 4.5:1 in both colour schemes; a test measures it.
 */

const LIGHT = `
  color-scheme: light;
  --ink: #17302b; --muted: #55655f; --ground: #fbfaf6; --surface: #ffffff; --line: #dedcd0; --edge: #7b8983;
  --accent: var(--ot-accent, #1d5a4b); --on-accent: var(--ot-on-accent, #ffffff); --soft: #e7f0ea;
  --warm: #faf3e3; --warm-line: #e6d5ae; --warm-ink: #745009; --star: #b7791f;
  --trouble: #a1301f; --trouble-soft: #fcefeb; --mark: #fbe8b0; --mark-ink: #2b2410;
  --shadow: 0 18px 50px rgb(20 45 38 / 22%), 0 2px 8px rgb(20 45 38 / 12%);`;

const DARK = `
  color-scheme: dark;
  --ink: #e8eeea; --muted: #a8b8b1; --ground: #13211d; --surface: #1b2c27; --line: #31453e; --edge: #74877f;
  --accent: var(--ot-accent-dark, #86cdb4); --on-accent: var(--ot-on-accent-dark, #0d211b); --soft: #223a33;
  --warm: #2b2a1c; --warm-line: #4d472b; --warm-ink: #e7c982; --star: #e3b04e;
  --trouble: #ffab9b; --trouble-soft: #3a221e; --mark: #5c4d1c; --mark-ink: #fff3cf;
  --shadow: 0 18px 50px rgb(0 0 0 / 55%), 0 2px 8px rgb(0 0 0 / 40%);`;

const FRAME = `
:host { all: initial; display: contents; ${LIGHT} }
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${DARK} } }
:host([theme="dark"]) { ${DARK} }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.stage {
  font: 15px/1.65 var(--ot-font, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, "Segoe UI", sans-serif);
  color: var(--ink); text-align: start;
}
:lang(en) { font-family: var(--ot-font, system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif); }
h1, h2, h3, p, ol, ul, fieldset, figure, blockquote { margin: 0; padding: 0; border: 0; font: inherit; }
ol, ul { list-style: none; }
.icon { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.caption { color: var(--muted); font-size: 13px; }
.strong { font-weight: 600; }

.launcher {
  position: fixed; right: var(--ot-right, 24px); bottom: var(--ot-bottom, 24px); z-index: 2147483000;
  display: inline-flex; align-items: center; gap: 8px; padding: 13px 20px 13px 17px; border-radius: 999px;
  background: var(--accent); color: var(--on-accent); font-size: 16px; font-weight: 600; box-shadow: var(--shadow);
}
.launcher .icon { width: 24px; height: 24px; }
.panel, :is(.sheet, .side) {
  position: fixed; z-index: 2147483000; bottom: var(--ot-bottom, 24px); display: flex; flex-direction: column;
  height: min(720px, calc(100dvh - 48px)); background: var(--ground); border: 1px solid var(--line);
  border-radius: 18px; box-shadow: var(--shadow); overflow: hidden;
}
.panel { right: var(--ot-right, 24px); width: 420px; }
:is(.sheet, .side) { right: calc(var(--ot-right, 24px) + 432px); width: min(420px, calc(100vw - 480px)); }
.panel > header, :is(.sheet, .side) > header { display: flex; align-items: center; gap: 4px; padding: 10px 10px 10px 16px; background: var(--surface); border-bottom: 1px solid var(--line); }
.names { flex: 1; min-width: 0; line-height: 1.35; }
.panel h1 { font-size: 16px; font-weight: 650; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.names .caption { font-size: 12px; }
.badge { margin-right: 8px; padding: 6px 8px; border-radius: 10px; background: var(--accent); color: var(--on-accent); font-size: 13px; line-height: 1.35; font-weight: 700; letter-spacing: .04em; }
.language span { font-size: 14px; font-weight: 600; }
.disclosure { padding: 7px 16px; background: var(--soft); color: var(--ink); font-size: 12px; line-height: 1.5; }
.log { position: relative; flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: 16px; scrollbar-width: thin; scrollbar-color: var(--edge) transparent; }

@media (max-width: 899px) { :is(.sheet, .side) { right: var(--ot-right, 24px); width: 420px; } }
@media (max-width: 640px) {
  .panel, :is(.sheet, .side) { inset: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; }
  .launcher { right: 16px; bottom: 16px; }
}
:host([embedded]) { display: block; height: 560px; min-width: 280px; }
:host([embedded]) .stage { position: relative; height: 100%; }
:host([embedded]) .panel { position: absolute; inset: 0; width: 100%; height: 100%; box-shadow: none; border: 1px solid var(--line); border-radius: 18px; z-index: 0; }
:host([embedded]) :is(.sheet, .side) { position: absolute; inset: 0 0 0 auto; width: min(100%, 480px); height: 100%; z-index: 1; border-radius: 18px; }
:host([embedded]) .close { display: none; }
`;

const CONTROLS = `
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
button:disabled { cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 8px; }
.log:focus-visible, :is(.document, .mine):focus-visible { outline-width: 2px; outline-offset: -2px; border-radius: 0; }
.exchange:focus { outline: none; }
h2:focus-visible, .offer.gone:focus-visible, .rating p:focus-visible, .survey > p:focus-visible { outline-width: 2px; }
.plain { display: inline-grid; place-items: center; min-width: 40px; min-height: 40px; border-radius: 10px; color: var(--muted); }
.plain:hover { background: var(--soft); color: var(--ink); }
.plain.wide { min-height: 34px; padding: 0 10px; font-size: 14px; }
.primary { background: var(--accent); color: var(--on-accent); border-radius: 12px; }
.primary:disabled { background: var(--line); color: var(--muted); }
.round { display: grid; place-items: center; width: 40px; height: 40px; flex: none; }
.secondary { min-height: 34px; padding: 4px 14px; border: 1px solid var(--accent); border-radius: 10px; color: var(--accent); font-size: 14px; font-weight: 600; background: var(--surface); }
.secondary:hover { background: var(--soft); }
.secondary:disabled { opacity: .55; }
.quick { padding: 7px 13px; border: 1px solid var(--line); border-radius: 14px; background: var(--surface); color: var(--accent); font-size: 14px; line-height: 1.45; text-align: start; }
.quick:hover { border-color: var(--accent); background: var(--soft); }
textarea { font: inherit; color: inherit; background: transparent; border: 0; resize: none; width: 100%; }
textarea::placeholder { color: var(--muted); opacity: 1; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.trouble { color: var(--trouble); font-size: 13px; }
.trouble:empty { display: none; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; margin-top: 10px; }

.composer { padding: 10px 12px 8px; background: var(--surface); border-top: 1px solid var(--line); }
.field { display: flex; align-items: flex-end; gap: 8px; padding: 4px 4px 4px 12px; border: 1px solid var(--edge); border-radius: 16px; background: var(--ground); }
.field:has(textarea:focus) { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent); }
.field textarea { height: 38px; min-height: 38px; max-height: 160px; padding: 7px 0; line-height: 24px; outline: none; }
.call.round[aria-pressed="true"] { background: var(--soft); color: var(--accent); }
.below { display: flex; justify-content: space-between; gap: 12px; padding: 4px 6px 0; font-size: 12px; }
.count { margin-left: auto; color: var(--muted); font-variant-numeric: tabular-nums; }
.count.over { color: var(--trouble); font-weight: 600; }
`;

const CONVERSATION = `
.greeting { display: grid; gap: 12px; margin-bottom: 20px; }
.greeting ul, .suggestions ul { display: flex; flex-wrap: wrap; gap: 8px; }
.rule { display: flex; align-items: center; gap: 10px; margin: 4px 0 16px; }
.rule::before, .rule::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
.exchange { display: grid; gap: 12px; margin-bottom: 26px; }
.question { justify-self: end; max-width: 86%; padding: 9px 15px; border-radius: 18px 18px 5px 18px; background: var(--accent); color: var(--on-accent); }
.question p, .text, .reason, .prose, .detail { white-space: pre-wrap; overflow-wrap: anywhere; }
.reply { display: grid; gap: 10px; min-width: 0; }
.text.staff { padding: 9px 15px; border: 1px solid var(--accent); border-radius: 18px 18px 18px 5px; justify-self: start; max-width: 86%; }
.thinking { display: flex; align-items: center; gap: 10px; color: var(--muted); font-size: 14px; }
.dots { display: inline-flex; gap: 4px; }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--accent); animation: breathe 1.2s infinite ease-in-out; }
.dots i:nth-child(2) { animation-delay: .15s; }
.dots i:nth-child(3) { animation-delay: .3s; }
@keyframes breathe { 0%, 60%, 100% { opacity: .25; } 30% { opacity: 1; } }
.maker { justify-self: start; color: var(--muted); font-size: 12px; padding: 0 7px; border: 1px solid var(--line); border-radius: 7px; line-height: 1.7; }
.notice { display: flex; gap: 9px; padding: 9px 12px; border-radius: 12px; background: var(--soft); font-size: 14px; }
.notice.clarify, .notice.handed_off { color: var(--accent); font-weight: 600; }
.notice.refused { background: var(--warm); color: var(--warm-ink); font-weight: 600; }
.notice.failed { background: var(--trouble-soft); color: var(--ink); }
.notice.failed > .icon { color: var(--trouble); margin-top: 2px; }
.notice .detail { color: var(--muted); font-size: 13px; margin-top: 2px; }

.sources { display: grid; gap: 6px; }
.sources ol { display: flex; flex-wrap: wrap; gap: 6px; }
.sources li { max-width: 100%; }
.chip { display: inline-flex; align-items: center; gap: 7px; max-width: 100%; padding: 3px 11px 3px 4px; border: 1px solid var(--line); border-radius: 999px; background: var(--surface); font-size: 13px; }
.chip:hover { border-color: var(--accent); }
.chip .number { display: inline-grid; place-items: center; min-width: 20px; height: 20px; border-radius: 999px; background: var(--soft); color: var(--accent); font-size: 12px; font-weight: 700; font-variant-numeric: tabular-nums; }
.chip .title { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chip.bare { padding: 0; border: 0; background: none; vertical-align: 1px; margin: 0 2px; }
.suggestions { display: grid; gap: 7px; }

.offers { display: grid; gap: 8px; }
.offer { padding: 12px 14px; border: 1px solid var(--warm-line); border-radius: 14px; background: var(--warm); }
.offer h3 { font-weight: 650; }
.offer .reason { margin-top: 2px; font-size: 14px; }
.offer .reason .caption { color: var(--warm-ink); font-weight: 600; }
.offer .secondary { background: transparent; }
.offer.gone { color: var(--muted); font-size: 14px; background: none; border-style: dashed; border-color: var(--line); }

.rating { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 6px; }
.rating form { width: 100%; }
.rating fieldset { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 10px; }
.rating legend { float: left; color: var(--muted); font-size: 13px; padding: 0; }
.stars { display: flex; }
.star { position: relative; display: grid; place-items: center; width: 32px; height: 32px; color: var(--edge); cursor: pointer; border-radius: 8px; }
.star input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.star:has(:focus-visible) { outline: 3px solid var(--accent); }
.star .icon { width: 22px; height: 22px; }
.star:has(:checked), .star:has(~ .star :checked), .stars:not(:has(:checked)) .star:is(:hover, :has(~ .star:hover)) { color: var(--star); }
.star:has(:checked) .icon, .star:has(~ .star :checked) .icon { fill: currentColor; }
.more { display: grid; justify-items: start; gap: 6px; margin-top: 6px; font-size: 14px; }
.more textarea { padding: 8px 12px; border: 1px solid var(--edge); border-radius: 12px; background: var(--surface); }

:is(.sheet, .side) > header { align-items: flex-start; }
:is(.sheet, .side) > header div { flex: 1; min-width: 0; padding-top: 4px; }
:is(.sheet, .side) h2 { font-size: 16px; font-weight: 650; line-height: 1.45; overflow-wrap: anywhere; }
:is(.document, .mine) { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; display: grid; align-content: start; gap: 12px; padding: 16px; }
.prose { line-height: 1.75; }
.prose p { min-height: .7em; }
.prose .heading { margin-top: 8px; font-weight: 650; }
blockquote.prose { padding-left: 12px; border-left: 3px solid var(--accent); }
mark { background: var(--mark); color: var(--mark-ink); border-radius: 4px; padding: 1px 2px; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
`;

const MINE = `
.plain.news { position: relative; color: var(--accent); }
.plain.news::after { content: ""; position: absolute; top: 7px; right: 7px; width: 9px; height: 9px; border-radius: 50%; background: var(--trouble); border: 2px solid var(--surface); }
.why { display: grid; gap: 8px; margin-top: 8px; padding-top: 8px; border-top: 1px solid var(--warm-line); font-size: 13px; justify-items: start; }
.why .plain { padding: 0; text-decoration: underline; color: var(--ink); }
.suits { display: flex; gap: 8px; margin-top: 6px; font-size: 13px; line-height: 1.55; }
.suits .icon { width: 18px; height: 18px; margin-top: 1px; color: var(--muted); }
.suits.allowed .icon { color: var(--accent); }
.suits.blocked .icon, .suits.allowed_with_confirmation .icon { color: var(--warm-ink); }
.tabs { display: flex; gap: 2px; padding: 0 8px; background: var(--surface); border-bottom: 1px solid var(--line); }
.tabs button { flex: 1 1 auto; min-height: 42px; padding: 4px 6px; border-bottom: 3px solid transparent; color: var(--muted); font-size: 14px; font-weight: 600; white-space: nowrap; }
.tabs [aria-selected="true"] { color: var(--accent); border-color: var(--accent); }
.tabs :focus-visible, .mine h3:focus-visible { outline-offset: -3px; }
.mine { gap: 26px; grid-template-columns: minmax(0, 1fr); }
.mine section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 10px; justify-items: stretch; min-width: 0; }
.mine h3 { font-weight: 650; }
.mine section > .secondary { justify-self: start; }
.rows { display: grid; }
.rows li { display: flex; flex-wrap: wrap; align-items: flex-start; justify-content: space-between; gap: 2px 10px; padding: 9px 0; border-top: 1px solid var(--line); }
.rows li:first-child { border-top: 0; }
.rows .what { flex: 1 1 190px; min-width: 0; display: grid; overflow-wrap: anywhere; }
.rows small { color: var(--muted); font-size: 12.5px; line-height: 1.5; }
.rows .actions { margin: 0; gap: 2px; }
.rows .new { margin-left: 8px; padding: 0 7px; border-radius: 8px; background: var(--accent); color: var(--on-accent); font-size: 12px; font-style: normal; }
.asking { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.asking label { color: var(--muted); font-size: 13px; }
select { font: inherit; font-size: 14px; color: inherit; flex: 1 1 180px; min-width: 0; min-height: 36px; padding: 4px 8px; border: 1px solid var(--edge); border-radius: 10px; background: var(--surface); }
.verdict { display: grid; gap: 2px; font-size: 14px; }
.verdict:empty { display: none; }
.mine .consent { display: grid; gap: 4px; padding: 12px 14px; border: 1px solid var(--line); border-radius: 14px; background: var(--surface); font-size: 14px; }
.mine .row { display: flex; align-items: center; justify-content: space-between; gap: 12px; }
.switch { display: inline-flex; align-items: center; gap: 8px; min-height: 34px; font-size: 13px; color: var(--muted); }
.switch i { position: relative; width: 42px; height: 24px; border-radius: 999px; background: var(--edge); }
.switch i::after { content: ""; position: absolute; top: 3px; left: 3px; width: 18px; height: 18px; border-radius: 50%; background: var(--surface); }
.switch[aria-checked="true"] i { background: var(--accent); }
.switch[aria-checked="true"] i::after { left: 21px; }
.class-name { font-size: 20px; font-weight: 650; line-height: 1.3; }
.scale { display: grid; grid-template-columns: repeat(5, 1fr); gap: 4px; font-size: 12px; text-align: center; color: var(--muted); }
.scale li { padding-top: 8px; border-top: 6px solid var(--line); }
.scale .on { border-color: var(--accent); color: var(--ink); }
.reasons { display: grid; gap: 6px; font-size: 14px; }
.reasons li { padding-left: 14px; border-left: 3px solid var(--line); }
.quiz { display: grid; gap: 12px; }
.quiz progress { width: 100%; height: 6px; accent-color: var(--accent); }
.quiz fieldset { display: grid; gap: 8px; min-width: 0; }
.quiz legend { padding: 0 0 10px; font-size: 16px; line-height: 1.5; }
.option { display: flex; align-items: flex-start; gap: 10px; padding: 10px 12px; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); cursor: pointer; }
.option:hover { border-color: var(--accent); }
.option:has(:checked) { border-color: var(--accent); background: var(--soft); }
.option input { width: 18px; height: 18px; margin: 3px 0 0; accent-color: var(--accent); flex: none; }
.primary.wide { min-height: 36px; padding: 4px 18px; font-size: 14px; font-weight: 600; }
`;

const SURVEY = `
.survey { container-type: inline-size; padding: 14px; border: 1px solid var(--line); border-radius: 14px; background: var(--surface); margin-bottom: 8px; }
.survey .questions { display: grid; gap: 18px; margin-top: 18px; }
.survey .asked { min-width: 0; font-size: 14px; }
.survey form > .asked { margin-top: 10px; }
.survey legend, .survey .asked > label { display: block; padding: 0; margin-bottom: 7px; line-height: 1.45; }
.survey .strong .caption { font-weight: 400; }
.survey .missing legend, .survey .missing > label { color: var(--trouble); }
.numbers { display: grid; grid-template-columns: repeat(var(--narrow), minmax(0, 1fr)); gap: 4px; }
.numbers label { position: relative; display: grid; place-items: center; min-height: 38px; border: 1px solid var(--edge); border-radius: 9px; font-variant-numeric: tabular-nums; }
.numbers label:hover { border-color: var(--accent); background: var(--soft); }
.numbers input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.numbers label:has(:checked) { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
.numbers label:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
@container (min-width: 320px) { .numbers { grid-template-columns: repeat(var(--wide), minmax(0, 1fr)); } }
.ends { display: flex; justify-content: space-between; gap: 16px; margin-top: 4px; }
.ends span:last-child { text-align: end; }
.survey .options { display: grid; gap: 6px; }
.survey .option { padding: 7px 11px; font-size: 14px; }
.survey .option.bare { padding: 0; border: 0; background: none; }
.survey textarea { padding: 8px 12px; border: 1px solid var(--edge); border-radius: 12px; background: var(--ground); }
`;

const VOICE = `
.voice { container-type: inline-size; background: var(--surface); border-top: 1px solid var(--line); }
.voice > .call { display: grid; gap: 8px; padding: 12px 14px 10px; }
.voice .consent { justify-self: start; width: auto; }
.sides { display: flex; align-items: center; gap: 14px; }
.state { flex: 1; min-width: 0; display: flex; align-items: center; gap: 9px; font-weight: 600; line-height: 1.4; }
.state::before { content: ""; flex: none; width: 10px; height: 10px; border-radius: 50%; background: var(--edge); }
[data-state="listening"] .state::before, [data-state="hearing"] .state::before { background: var(--accent); }
[data-state="hearing"] .state::before { box-shadow: 0 0 0 4px var(--soft); }
[data-state="thinking"] .state::before, [data-state="speaking"] .state::before { background: var(--star); }
.meter { display: grid; justify-items: center; gap: 2px; color: var(--muted); font-size: 11px; line-height: 1.3; }
.bars { order: -1; display: flex; align-items: center; gap: 3px; height: 24px; --level: 0; }
.bars i { width: 4px; height: 100%; border-radius: 2px; background: var(--accent); --share: .55; scale: 1 calc(.16 + .84 * var(--level) * var(--share)); }
.bars i:nth-child(2), .bars i:nth-child(4) { --share: .8; }
.bars i:nth-child(3) { --share: 1; }
.assistant .bars i { background: var(--star); }
.partial { min-height: 1.65em; max-height: 3.3em; overflow-y: auto; color: var(--muted); overflow-wrap: anywhere; }
.said { padding: 7px 11px; border-radius: 10px; background: var(--soft); font-size: 14px; line-height: 1.5; }
.said:empty { display: none; }
.hold { display: flex; align-items: center; justify-content: center; gap: 10px; min-height: 52px; border-radius: 14px; background: var(--accent); color: var(--on-accent); font-weight: 600; touch-action: none; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; }
.hold:disabled { background: var(--line); color: var(--muted); }
.hold.held { box-shadow: 0 0 0 4px var(--soft), 0 0 0 6px var(--accent); }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
.choice { display: inline-flex; padding: 3px; border-radius: 11px; background: var(--soft); margin-right: auto; }
.choice button { min-height: 30px; padding: 2px 11px; border-radius: 8px; color: var(--ink); font-size: 13px; }
.choice [aria-pressed="true"] { background: var(--surface); color: var(--accent); font-weight: 600; box-shadow: 0 1px 3px rgb(0 0 0 / 16%); }
.tool { display: inline-flex; align-items: center; gap: 6px; min-height: 36px; padding: 2px 10px; border-radius: 10px; font-size: 13px; font-weight: 600; color: var(--ink); }
.tool:hover:not(:disabled) { background: var(--soft); }
.tool:disabled { color: var(--muted); opacity: .6; }
.tool.end_call { background: var(--trouble-soft); color: var(--trouble); }
@container (max-width: 460px) {
  .tool.hush { justify-content: center; width: 40px; }
  .tool.hush span { display: none; }
}
@container (max-width: 380px) {
  .controls { gap: 4px; }
  .choice button { padding: 2px 6px; font-size: 12px; }
  .tool { padding: 2px 7px; font-size: 12px; }
  .tool.hush { width: 34px; }
}
.voice > [role="alert"] .notice { margin: 12px 14px; }
::highlight(open-teller-spoken) { background-color: var(--mark); color: var(--mark-ink); }
`;

const WISHES = `
@media (prefers-reduced-motion: no-preference) {
  .panel:not([hidden]), :is(.sheet, .side):not([hidden]) { animation: rise .18s ease-out; }
  .log { scroll-behavior: auto; }
  @keyframes rise { from { opacity: 0; translate: 0 10px; } }
}
@media (prefers-reduced-motion: reduce) { .dots i { animation: none; opacity: .7; } }
@media (forced-colors: active) {
  .question, .offer, .notice, .launcher, .badge, .star, .hold, .tool, .choice button, .switch i { border: 1px solid CanvasText; }
  .star:has(:checked), .star:has(~ .star :checked) { color: Highlight; }
  .numbers label:has(:checked) { border: 3px solid Highlight; }
  .call[aria-pressed="true"], .choice [aria-pressed="true"], .tabs [aria-selected="true"], .switch[aria-checked="true"] i { border: 2px solid Highlight; }
  .bars i { background: CanvasText; }
}
@media print { .launcher, .composer { display: none; } }
`;

let sheet = null;

/** The style sheet, shared by every widget of the page. */
export function styles() {
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(FRAME + CONTROLS + CONVERSATION + MINE + SURVEY + VOICE + WISHES);
  }
  return sheet;
}
