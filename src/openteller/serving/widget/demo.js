/**
 * The demonstration bank's page: its language, the login chooser, the snippet to copy. The widget knows nothing of it.
 */

const LANGUAGE = "demo:language";
const ROLES = {
  customer: ["客户", "Customer"],
  agent: ["柜员", "Agent"],
  analyst: ["分析员", "Analyst"],
  admin: ["管理员", "Administrator"],
  service: ["系统", "Service"],
};

const teller = document.querySelector("open-teller");
const people = document.querySelector("#people");
const status = document.querySelector("#login-status");

function language() {
  return document.documentElement.dataset.language;
}

/** The page shows one language at a time; both are in the markup. */
function speak(chosen) {
  document.documentElement.dataset.language = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  sessionStorage.setItem(LANGUAGE, chosen);
  if (teller.getAttribute("lang") !== chosen) teller.setAttribute("lang", chosen);
}

/** The same text in both languages; the style sheet hides one. */
function both(tag, [zh, en]) {
  return [
    ["zh-Hans", zh],
    ["en", en],
  ].map(([lang, text]) => {
    const element = document.createElement(tag);
    element.lang = lang;
    element.textContent = text;
    return element;
  });
}

async function read(path, options) {
  const response = await fetch(path, { credentials: "same-origin", ...options });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message || `HTTP ${response.status}`);
  return body;
}

async function showLogins() {
  let offered;
  try {
    offered = await read("/v1/demo/logins");
  } catch {
    status.replaceChildren(
      ...both("span", ["演示登录未开启（仅限开发模式）。", "Demonstration logins are off (they need dev mode)."]),
    );
    return;
  }
  const visitor = person(
    ["访客", "Visitor"],
    ["不登录，只问公开的问题", "not logged in, public questions only"],
    leave,
  );
  people.append(
    visitor,
    ...offered.logins.map((login) =>
      person(title(login), [login.username, login.username], (button) => enter(login, button)),
    ),
  );
  press(visitor.querySelector("button"));
}

function title({ role, customer_id: customer }) {
  return (ROLES[role] || [role, role]).map((text) => [text, customer].filter(Boolean).join(" "));
}

function person(name, detail, choose) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const initial = document.createElement("i");
  initial.setAttribute("aria-hidden", "true");
  initial.append(
    ...both(
      "span",
      name.map((text) => Array.from(text)[0].toUpperCase()),
    ),
  );
  const words = document.createElement("span");
  words.append(...both("b", name), ...both("small", detail));
  button.append(initial, words);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => choose(button));
  item.append(button);
  return item;
}

function press(button) {
  for (const other of people.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
}

function leave(button) {
  teller.logout();
  press(button);
  status.textContent = "";
}

async function enter({ username, password }, button) {
  status.textContent = "";
  try {
    const granted = await read("/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, password }),
    });
    teller.login(granted.access_token);
  } catch (error) {
    status.textContent = error.message;
    return;
  }
  press(button);
  status.replaceChildren(...both("span", [`已登录：${username}`, `Logged in: ${username}`]));
  teller.open = true;
}

function snippet() {
  const origin = location.origin;
  return [
    `<script type="module"`,
    `  src="${origin}/widget/open-teller.js"><\/script>`,
    `<open-teller src="${origin}"`,
    `  name-zh="松湾银行" name-en="Pinebay Bank">`,
    `</open-teller>`,
  ].join("\n");
}

async function copy() {
  const code = document.querySelector("#snippet");
  const said = document.querySelector("#copy-status");
  try {
    await navigator.clipboard.writeText(code.textContent);
    said.replaceChildren(...both("span", ["已复制", "Copied"]));
  } catch {
    // Without the clipboard (plain http, or refused) the code is selected for copying by hand.
    getSelection().selectAllChildren(code);
    said.replaceChildren(...both("span", ["已选中，请按 Ctrl+C", "Selected; press Ctrl+C"]));
  }
}

document.querySelector("#language").addEventListener("click", () => speak(language() === "zh" ? "en" : "zh"));
document.querySelector("#copy").addEventListener("click", copy);
document.querySelector("#snippet").textContent = snippet();
document.querySelector("#questions").addEventListener("click", ({ target }) => {
  if (target.closest("button")) teller.ask(target.closest("button").textContent);
});
teller.addEventListener("open-teller-language", ({ detail }) => speak(detail.language));
teller.addEventListener("open-teller-unauthorised", () => leave(people.querySelector("button")));

speak(sessionStorage.getItem(LANGUAGE) || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
showLogins();
